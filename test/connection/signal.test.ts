import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { codeOf, echo, journal, outcome, stage } from './stage.js';

describe("the program's AbortSignal", () => {
  test('disposes the connection when it fires, and is let go at the end', async () => {
    const { clock, dial, serve } = stage();
    await serve(echo);
    const controller = new AbortController();
    const [one, two] = [dial({ signal: controller.signal }), dial({ signal: controller.signal })];
    await clock.runUntil(Promise.all([one.connected(), two.connected()]));
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(2);
    await one.dispose();
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort();
    expect((await two.closed()).code).toBe('NINJA_DISPOSED');
  });

  test('that has fired already: nothing is dialed for long', async () => {
    const { clock, network, dial } = stage();
    const connection = dial({ signal: AbortSignal.abort() });
    const heard = journal(connection);
    await connection.closed();
    await clock.advance(5);
    expect([connection.state, heard.at(-1), clock.pending, network.openTransports]).toEqual([
      'disposed',
      'disposed DISPOSED',
      0,
      0,
    ]);
  });

  test.each([
    ['a number', 42],
    ['an object', {}],
  ])('that is %s is refused, and nothing is left behind', async (_, signal) => {
    const { clock, network, dial } = stage();
    expect(await codeOf(() => dial({ signal: signal as unknown as AbortSignal }))).toBe('INVALID_OPTION');
    await clock.advance(5);
    expect([clock.pending, network.openTransports]).toEqual([0, 0]);
  });

  test('of closed() ends that wait alone', async () => {
    const { clock, dial } = stage();
    const connection = dial();
    const controller = new AbortController();
    const [aborted, other] = [outcome(connection.closed({ signal: controller.signal })), outcome(connection.closed())];
    controller.abort();
    await clock.settle();
    expect([aborted.is, other.is, connection.state]).toEqual(['rejected ABORTED', 'pending', 'connecting']);
    await connection.dispose();
    await clock.settle();
    expect(other.is).toBe('DISPOSED');
  });
});

import { describe, expect, test } from 'vitest';
import { collect, stage } from './stage.js';

/**
 * The rule for users is short: a buffer given to `send` must not be changed afterwards. Why it is the rule: whether the
 * bytes were copied by then depends on the state of the line and on the size.
 */
describe('a buffer that is changed after send()', () => {
  const cases: readonly [when: string, size: number, down: boolean, sent: 'old' | 'new'][] = [
    ['while the line is up, below 32 KiB: was copied into the slab', 1000, false, 'old'],
    ['while the line is up, from 32 KiB on: is sent uncopied, so what is sent is the change', 40_000, false, 'new'],
    ['while the line is down: is held uncopied, so what is sent is the change', 1000, true, 'new'],
  ];
  test.each(cases)('%s', async (_, size, down, sent) => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    if (!down) await serve(collect(received));
    const connection = dial();
    if (!down) await clock.runUntil(connection.connected({ proven: true }));
    const buffer = Buffer.alloc(size, 'o');
    connection.send(buffer);
    buffer.fill('n');
    if (down) await serve(collect(received));
    await clock.runUntil(() => received.length === 1);
    expect(received[0]).toBe((sent === 'old' ? 'o' : 'n').repeat(size));
    await connection.dispose();
  });

  test('a Uint8Array, a view into a larger memory, and a string arrive as the same bytes', async () => {
    const { clock, dial, serve } = stage();
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    const memory = Buffer.from('..grüße..');
    connection.send(new Uint8Array(memory.buffer, memory.byteOffset + 2, memory.length - 4));
    connection.send(memory.subarray(2, -2));
    connection.send('grüße');
    await clock.runUntil(() => received.length === 3);
    expect(received).toEqual(['grüße', 'grüße', 'grüße']);
    await connection.dispose();
  });
});

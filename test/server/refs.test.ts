import { describe, expect, test } from 'vitest';
import type { Timer } from '../../src/index.js';
import { echo, stage } from '../connection/stage.js';
import { dialRaw } from './stage.js';

/** A server whose port, sockets and timers note who holds the process. */
async function marked() {
  const at = stage();
  const environment = at.server.environment();
  const marks: string[] = [];
  const mark = (what: string) => ({
    ref: () => void marks.push(`${what} ref`),
    unref: () => void marks.push(`${what} unref`),
  });
  const server = await at.serve(echo, {
    environment: {
      ...environment,
      clock: Object.assign(Object.create(environment.clock) as typeof environment.clock, {
        setTimeout: (callback: () => void, ms: number): Timer =>
          Object.assign(environment.clock.setTimeout(callback, ms), mark('timer')),
      }),
      listen: (target, handlers) =>
        Object.assign(
          environment.listen(target, {
            ...handlers,
            accepted: (transport) => handlers.accepted(Object.assign(transport, mark('socket'))),
          }),
          mark('port'),
        ),
    },
  });
  /** What was noted since the last look. */
  const look = () => [...new Set(marks.splice(0))].sort();
  return { at, server, look };
}

describe('ref() and unref() of a server', () => {
  test('pass to its port, to its peers and to their timers', async () => {
    const { at, server, look } = await marked();
    await dialRaw(at);
    expect(look()).toEqual([]);
    expect(server.unref()).toBe(server);
    expect(look()).toEqual(['port unref', 'socket unref', 'timer unref']);
    expect(server.ref()).toBe(server);
    expect(look()).toEqual(['port ref', 'socket ref', 'timer ref']);
    await server.dispose();
  });

  test('count for peers and timers to come', async () => {
    const { at, server, look } = await marked();
    server.unref();
    expect(look()).toEqual(['port unref']);
    await dialRaw(at);
    expect(look()).toEqual(['socket unref', 'timer unref']);
    server.ref();
    look();
    await dialRaw(at);
    expect(look()).toEqual([]);
    server.unref();
    look();
    void server.close();
    expect(look()).toEqual(['timer unref']);
    await server.dispose();
  });
});

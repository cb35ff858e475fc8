import type { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type ConnectOptions, connect, type Disconnected } from '../../src/index.js';
import { rawServer } from './support.js';
import { cannotRun, type Later, startServer, titled } from './support-program.js';

/** No storm of dials: a server that opens every line and keeps none is dialled as often as the backoff allows, and not more. */
const WATCHED = 3000;
/** Timers of Node fire up to so much too early, milliseconds. */
const EARLY = 2;

interface Life {
  readonly dials: number[];
  readonly losses: { readonly at: number; readonly failures: number; readonly retryInMs: number }[];
  readonly opened: string[];
}

function watch(later: Later, options: ConnectOptions): Life {
  const life: Life = { dials: [], losses: [], opened: [] };
  const connection = connect(options);
  later(() => void connection.dispose());
  connection.on('connecting', () => life.dials.push(performance.now()));
  connection.on('connected', () => life.opened.push('unproven'));
  connection.on('live', () => life.opened.push('live'));
  connection.on('disconnected', ({ failures, retryInMs = Number.NaN }: Disconnected) =>
    life.losses.push({ at: performance.now(), failures, retryInMs }),
  );
  return life;
}

/** Every dial waited for its backoff, and every loss counted. */
function expectPatience({ dials, losses }: Life): void {
  expect(losses.map(({ failures }) => failures)).toEqual(losses.map((_, i) => i + 1));
  for (const [i, { at, retryInMs }] of losses.entries()) {
    const dial = dials[i + 1];
    if (dial === undefined) continue;
    expect(dial - at).toBeGreaterThanOrEqual(retryInMs - EARLY);
  }
}

interface Hollow {
  readonly does: string;
  readonly to: (socket: Socket) => void;
  /** How far each line comes; undefined where that is a race. */
  readonly opens: 'unproven' | 'live' | undefined;
}

const hollow: readonly Hollow[] = [
  { does: 'closes at once', to: (socket) => socket.end(), opens: 'unproven' },
  { does: 'resets at once', to: (socket) => socket.resetAndDestroy(), opens: undefined },
  { does: 'says a byte and closes', to: (socket) => socket.end(Buffer.alloc(4)), opens: 'live' },
  {
    does: 'says a byte and resets when it hears us',
    to: (socket) => {
      socket.write(Buffer.alloc(4));
      socket.on('data', () => socket.resetAndDestroy());
    },
    opens: 'live',
  },
];

describe.concurrent('no storm of dials towards', () => {
  test.for(hollow.map((one) => [one.does, one] as const))('a server that accepts and %s', async ([, one], context) => {
    const { onTestFinished } = context;
    const { to, opens } = one;
    let accepted = 0;
    const { port } = await rawServer((socket) => {
      accepted += 1;
      to(socket);
    }, onTestFinished);
    const life = watch(onTestFinished, { host: '127.0.0.1', port });
    await wait(WATCHED);
    const { dials } = life;
    expectPatience(life);
    if (opens) expect(life.opened).toContain(opens);
    expect(dials.length - accepted).toBeLessThanOrEqual(1);
    expect(dials.length).toBeGreaterThan(2);
    // Without patience there would be thousands.
    expect(dials.length).toBeLessThanOrEqual(WATCHED / 50);
  });

  const name = 'a server that is stopped: its lines open, and none of them is taken for a success';
  test.skipIf(cannotRun)(titled(name, cannotRun), { timeout: 30_000 }, async ({ onTestFinished }) => {
    const staleAfter = 200;
    const { server, port } = await startServer(onTestFinished, { heartbeatInterval: 20, staleAfter: 60_000 });
    server.signal('SIGSTOP');
    const life = watch(onTestFinished, { host: '127.0.0.1', port, staleAfter });
    await wait(WATCHED);
    expectPatience(life);
    const { dials, opened, losses } = life;
    expect(new Set(opened)).toEqual(new Set(['unproven']));
    // Up for `staleAfter`, down for the backoff: no flapping between the two.
    expect(losses.length).toBeGreaterThan(2);
    for (const [i, { at }] of losses.entries()) expect(at - (dials[i] as number)).toBeGreaterThanOrEqual(staleAfter);
    server.signal('SIGCONT');
  });
});

/** Who asks for sessions, and never for one back: what that costs, and who is served meanwhile. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { AcceptorHandlers } from '../../src/environment.js';
import { connect, listen } from '../../src/index.js';
import { SessionRegistry, sessionCrypto } from '../../src/protocol/session/index.js';
import type { SessionLink, SessionOwner } from '../../src/protocol/session/ports.js';
import { PORT, stage } from '../connection/stage.js';
import { FloodTransport } from './flood.js';
import { framed, hello } from './raw.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const MiB = 2 ** 20;

/** By `npm run test:long` there are as many as an attacker would send. */
const long = process.env.NINJA_LONG !== undefined;
const HELLOS = long ? 100_000 : 10_000;
const SESSIONS = long ? 20_000 : 2000;
const FLOODERS = long ? 100_000 : 1000;

function heap(): number {
  collect();
  return process.memoryUsage().heapUsed;
}

const silent: SessionOwner = {
  deliver: () => true,
  acknowledged() {},
  room() {},
  attached() {},
  detached() {},
  draining() {},
  leaving() {},
  refused() {},
  ended() {},
  wake() {},
};

test.each([
  ['of one principal', (): string => 'eve'],
  ['each of another principal', (n: number): string => `eve ${n}`],
])(`${HELLOS} HELLOs %s hold maxSessions, and each takes the place of the oldest at once`, (whose, principalOf) => {
  let random = 0;
  const crypto = sessionCrypto((length) => {
    random += 1;
    const bytes = Buffer.alloc(length);
    bytes.writeUInt32BE(random);
    return bytes;
  });
  const window = { bytes: MiB, messages: 1000 };
  const registry = new SessionRegistry(
    {
      acknowledge: 'handled',
      window,
      retain: window,
      maxFrame: MiB,
      heartbeatMs: 1000,
      resumeMs: 120_000,
      maxSessions: SESSIONS,
      maxSessionsPerPrincipal: SESSIONS,
      retainedBytes: MiB,
      retainedBytesPerPrincipal: MiB,
    },
    crypto,
    () => silent,
  );
  const flood = (from: number, to: number) => {
    for (let n = from; n <= to; n += 1) {
      const link: SessionLink = { data: () => true, control() {}, end() {}, drop() {} };
      const bytes = hello(n);
      const admission = registry.admit(link, registry.read(bytes), bytes, { principal: principalOf(n), secure: false });
      if ('refused' in admission) throw new Error(`${n} was refused: ${admission.refused}`);
      admission.session.lost(link, n);
    }
  };
  flood(1, SESSIONS);
  const before = heap();
  flood(SESSIONS + 1, HELLOS);
  expect([registry.size, registry.detachedSessions]).toEqual([SESSIONS, SESSIONS]);
  const grown = (heap() - before) / MiB;
  expect(grown).toBeLessThan(10);
  if (long) console.log(`${HELLOS} HELLOs ${whose}: ${grown.toFixed(1)} MiB more than with the first ${SESSIONS}`);
});

test('a server that is flooded with HELLOs goes on serving, and newcomers get in', { timeout: 300_000 }, async () => {
  const at = stage();
  const plain = at.server.environment();
  let handlers: AcceptorHandlers | undefined;
  let served = 0;
  const environment = {
    ...plain,
    listen: (...[target, own]: Parameters<typeof plain.listen>) => {
      handlers = own;
      return plain.listen(target, own);
    },
  };
  const server = await at.clock.runUntil(
    listen({ port: PORT, environment, session: { maxSessions: 200 } }, async (peer) => {
      served += 1;
      for await (const message of peer) peer.send(message);
    }),
  );
  const dial = (name: string) =>
    connect({ host: 'server', port: PORT, session: true, environment: at.network.environment(name) });
  const old = dial('old');
  const back: string[] = [];
  old.on('message', (message) => void back.push(`${message}`));
  old.on('disconnected', ({ reason }) => back.push(reason.message));
  await at.clock.runUntil(old.deliver('before'));
  const before = heap();
  const from = performance.now();
  let most = 0;
  for (let n = 1; n <= FLOODERS; n += 1) {
    const flooder = new FloodTransport(`10.${n % 3}.0.1`);
    handlers?.accepted(flooder);
    flooder.handlers.chunk(framed(hello(n)));
    flooder.destroy();
    most = Math.max(most, server.peers.size);
    if (n % (FLOODERS / 10) === 0) await at.clock.runUntil(old.deliver(`${n}`));
  }
  expect([most, server.snapshot.accepted, served]).toEqual([200, FLOODERS + 1, FLOODERS + 1]);
  const each = (1000 * (performance.now() - from)) / FLOODERS;
  const grown = (heap() - before) / MiB;
  expect(grown).toBeLessThan(10);
  if (long) console.log(`${FLOODERS} flooders: ${each.toFixed(0)} µs each, ${grown.toFixed(1)} MiB more`);
  const fresh = dial('fresh');
  await at.clock.runUntil(fresh.deliver('hello'));
  await at.clock.advance(100);
  expect(back).toEqual(['before', ...Array.from({ length: 10 }, (_, n) => `${(FLOODERS / 10) * (n + 1)}`)]);
  for (const one of [old, fresh]) await one.dispose();
  await at.clock.advance(130_000);
  expect(server.peers.size).toBe(0);
  await server.dispose();
});

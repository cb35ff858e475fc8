// The store in Redis, against a real one: the contract of all stores, several processes at once, and a Redis that is killed.
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { redisStore } from '../../src/redis/index.js';
import { nodeClock } from '../../src/socket/node-clock.js';
import type { SessionStore, StoreChange } from '../../src/store/contract.js';
import { contract } from '../sessions/contract.js';
import { ClientProcess, ServerProcess } from '../sessions/stage.js';
import { later, until } from './support.js';
import { noRedis, type Redis, redis } from './support-redis.js';

const key = new Uint8Array(32).fill(7);
let server: Redis;
const closes: (() => unknown)[] = [];
beforeAll(async () => {
  if (!noRedis) server = await redis((close) => closes.push(close));
});
afterAll(async () => {
  for (const close of closes) await close();
});

let prefixes = 0;
const open = async () => {
  prefixes += 1;
  const options = { url: server.url, prefix: `t${prefixes}:`, key };
  return {
    store: redisStore(options),
    pass: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
    again: async () => redisStore(options),
    slower: 6,
  };
};

contract('in Redis', open, { skipped: noRedis, reopens: true });

const change = (id: string, fence: string, more: Partial<StoreChange> = {}): StoreChange => ({
  ...{ id, fence, epoch: 1, handled: 1, first: 1, next: 1, keepMs: 60_000, rememberMs: 60_000 },
  ...more,
});
const created = (id: string, more: Partial<StoreChange> = {}): StoreChange =>
  change(id, 'f', { create: { alias: `a${id}` }, head: Buffer.from('head'), ...more });
const storeOf = (prefix: string, url = server.url): SessionStore => {
  const store = redisStore({ url, prefix, key });
  later(() => store.close());
  return store;
};

describe.skipIf(noRedis)('in Redis', () => {
  test('a client of the program is used, and left open', async () => {
    const client = createClient({ url: server.url });
    client.on('error', () => {});
    await client.connect();
    later(() => client.destroy());
    const store = redisStore({ client, prefix: 'own:', key });
    await store.write([created('one', { next: 2, block: { from: 1, next: 2, bytes: Uint8Array.of(0, 255, 128) } })]);
    const found = await store.load('one');
    expect(found.outcome === 'live' && [...(found.session.blocks[0]?.bytes ?? [])]).toEqual([0, 255, 128]);
    await store.close();
    expect(await client.ping()).toBe('PONG');
  });

  test('all keys have the prefix, and go by themselves', async () => {
    const client = createClient({ url: server.url });
    client.on('error', () => {});
    await client.connect();
    later(() => client.destroy());
    const store = storeOf('keys:');
    await store.write([created('one', { next: 2, block: { from: 1, next: 2, bytes: Uint8Array.of(1) } })]);
    const keys = (await client.keys('keys:*')).sort();
    expect(keys).toEqual(['keys:aone', 'keys:one', 'keys:one:m']);
    for (const [index, name] of keys.entries()) {
      const left = await client.pTTL(name);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(index === 2 ? 60_000 : 120_000);
    }
    await store.write([change('one', 'f', { first: 2, next: 2, end: 'forget' })]);
    expect(await client.keys('keys:*')).toEqual([]);
  });

  test('what was written is there when Redis was killed, and is used on by whoever had it open', async () => {
    const own = await redis();
    const store = storeOf('kill:', own.url);
    for (let next = 2; next <= 50; next += 1) {
      const block = { from: next - 1, next, bytes: Buffer.from(`message ${next - 1}`) };
      const written = next === 2 ? created('one', { next, block }) : change('one', 'f', { next, block });
      expect(await store.write([written])).toEqual(['stored']);
    }
    await own.kill();
    await expect(store.load('one')).rejects.toThrow();
    await own.start();
    const found = await retried(() => store.load('one'));
    expect(found.outcome === 'live' && found.session.blocks.length).toBe(49);
    expect(await store.write([change('one', 'f', { first: 50, next: 50 })])).toEqual(['stored']);
  });

  test('of two processes that claim it again and again only the last one ever writes', async () => {
    const [one, two] = [storeOf('race:'), storeOf('race:')];
    await one.write([created('one')]);
    let epoch = 1;
    let handled = 1;
    for (let round = 0; round < 50; round += 1) {
      epoch += 1;
      const fences = [`one ${round}`, `two ${round}`];
      const claims = await Promise.all(
        [one, two].map((store, index) => store.claim('one', { fence: fences[index] as string, epoch, keepMs: 60_000 })),
      );
      expect(claims.map(({ outcome }) => outcome).sort()).toEqual(['claimed', 'stale']);
      handled += 1;
      const outcomes = await Promise.all(
        [one, two].map((store, index) => store.write([change('one', fences[index] as string, { epoch, handled })])),
      );
      expect(outcomes.flat().sort()).toEqual(['fenced', 'stored']);
    }
    const found = await one.load('one');
    expect(found.outcome === 'live' && [found.session.epoch, found.session.handled]).toEqual([51, 51]);
  });

  test('nobody is there: it says so at once, and later takes what it is given', async () => {
    const own = await redis();
    const store = storeOf('away:', own.url);
    await store.write([created('one')]);
    await own.kill();
    const before = performance.now();
    await expect(store.write([change('one', 'f', { handled: 2 })])).rejects.toThrow();
    expect(performance.now() - before).toBeLessThan(5000);
    await own.start();
    expect(await retried(() => store.write([change('one', 'f', { handled: 2 })]))).toEqual(['stored']);
  });
});

describe.skipIf(noRedis)('with Redis on both sides', () => {
  test('messages go on where they were: Redis killed, stopped, and servers killed in the middle', async () => {
    const own = await redis();
    const [near, far] = [storeOf('near:', own.url), storeOf('far:', own.url)];
    let server = new ServerProcess(nodeClock, far);
    const servers = [server];
    const client = await new ClientProcess(nodeClock, near).start();
    const back: string[] = [];
    let sent = 0;
    let dialing = false;
    /** Sends as many as there is room for, and dials when there is no line. */
    const drive = (): void => {
      const { state } = client.session;
      if (state === 'detached' || state === 'fresh') {
        if (!dialing) {
          dialing = true;
          nodeClock.setTimeout(() => {
            dialing = false;
            if (!client.end?.open) client.dial(server);
          }, 20);
        }
      }
      for (let most = 0; most < 20 && sent < 2000 && client.send(`${sent + 1}`) > 0; most += 1) sent += 1;
      if (server.sessions.length > 0 && server.session.state === 'attached') server.session.send(Buffer.from('x'));
    };
    client.dial(server);
    const timer = setInterval(drive, 2);
    later(() => clearInterval(timer));
    const handled = (): number => client.program.acknowledgedUpTo;
    await until(() => handled() > 200);
    await own.kill();
    await new Promise((resolve) => setTimeout(resolve, 300));
    await own.start();
    const then = handled();
    await until(() => handled() > then + 200);
    server.kill();
    server = new ServerProcess(nodeClock, far);
    servers.push(server);
    client.end?.close();
    await until(() => handled() > then + 400);
    own.signal('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, 300));
    own.signal('SIGCONT');
    await until(() => handled() === 2000);
    back.push(...client.program.heard);
    const heard = servers.map(({ programs }) => programs.flatMap((program) => program.heard.map(Number)));
    // In order on each, and what comes twice is what the killed one had heard last.
    for (const each of heard) expect(each).toEqual(each.map((_, index) => (each[0] as number) + index));
    expect(heard[0]?.[0]).toBe(1);
    expect(heard[1]?.at(-1)).toBe(2000);
    expect(heard[1]?.[0]).toBeLessThanOrEqual((heard[0]?.at(-1) as number) + 1);
    expect(new Set(back)).toEqual(new Set(['x']));
  });
});

test.each([
  ['neither', {}],
  ['both', { url: 'redis://127.0.0.1', client: { sendCommand: async () => undefined as never } }],
])('url or client, and not %s', (_, options) => {
  expect(() => redisStore({ key, ...options })).toThrow('one of url and client must be given, and not both');
});

test('a key is needed', () => {
  const options = { url: 'redis://127.0.0.1' } as unknown as Parameters<typeof redisStore>[0];
  expect(() => redisStore(options)).toThrow('key must be 32 bytes, or an array of such, got a undefined');
});

/** As a driver does. */
async function retried<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

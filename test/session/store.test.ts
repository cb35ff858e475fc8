// Sessions with a store, on virtual time: processes are killed, servers take over from each other, stores fail.
import { describe, expect, test } from 'vitest';
import { type Connection, connect, listen, type ManualMessage, memoryStore, type Peer } from '../../src/index.js';
import type { SessionStore } from '../../src/store/contract.js';
import { PORT, type Stage, short, stage } from '../connection/stage.js';
import { TriedStore } from '../sessions/stage.js';
import { peerSessionJournal, sessionJournal } from './stage.js';

/** What a program on one side heard, and its peers' journals. */
interface Heard {
  readonly messages: string[];
  readonly peers: Peer[];
  readonly journals: string[][];
  readonly refusals: string[];
}

const serverStore = (at: Stage): TriedStore => new TriedStore(memoryStore({ now: () => at.clock.now() }));

/** A server's process on a host, that takes what comes. */
async function serve(at: Stage, store: SessionStore, host = 'server', more: object = {}) {
  const heard: Heard = { messages: [], peers: [], journals: [], refusals: [] };
  const environment = at.network.host(host).environment();
  const server = await at.clock.runUntil(
    listen({ port: PORT, environment, session: { store, ...more } }, (peer) => {
      heard.peers.push(peer);
      heard.journals.push(peerSessionJournal(peer));
      peer.on('message', (message) => void heard.messages.push(`${message}`));
    }),
  );
  server?.on('refused', ({ error }) => heard.refusals.push(error.message));
  return { ...heard, server: server as Awaited<ReturnType<typeof listen>> };
}

/** A client's process. */
function dial(at: Stage, session: object | true = true, hosts = ['server']) {
  const connection = connect({
    endpoints: hosts.map((host) => ({ host, port: PORT })),
    environment: at.network.host('client').environment(),
    backoff: () => 100,
    session,
  });
  const messages: string[] = [];
  connection.on('message', (message) => void messages.push(`${message}`));
  return { connection, messages, heard: sessionJournal(connection) };
}

const sendAll = (to: Connection | Peer, letters: string): void => {
  for (const letter of letters) to.send(letter);
};

describe('a server with a store', () => {
  test('that is killed and started again goes on where it was', async () => {
    const at = stage();
    const store = serverStore(at);
    const before = await serve(at, store);
    const { connection, messages, heard } = dial(at);
    await at.clock.advance(50);
    sendAll(connection, 'abc');
    sendAll(before.peers[0]!, 'xy');
    await at.clock.advance(50);
    at.network.host('server').crash();
    sendAll(connection, 'de');
    await at.clock.advance(500);
    const after = await serve(at, store);
    await at.clock.advance(500);
    sendAll(connection, 'f');
    sendAll(after.peers[0]!, 'z');
    await at.clock.advance(500);
    expect([before.messages.join(''), after.messages.join(''), messages.join('')]).toEqual(['abc', 'def', 'xyz']);
    expect(heard.filter((line) => line.startsWith('lost'))).toEqual([]);
    expect(heard.at(-1)).toMatch(/^resumed/);
    expect(after.peers[0]?.session?.resumes).toBe(1);
  });

  test('killed with messages in its hands gets them again, with their numbers', async () => {
    const at = stage();
    const store = serverStore(at);
    const done: string[] = [];
    /** Has an effect that outlives it, once for each number; then it is killed before it acknowledges. */
    const effects = new Map<number, string>();
    const run = async (most: number) => {
      const environment = at.network.host('server').environment();
      await at.clock.runUntil(
        listen({ port: PORT, environment, session: { store, acknowledge: 'manual' } }, (peer) => {
          peer.on('message', (message) => {
            const { number } = message as ManualMessage;
            done.push(`${number} ${message}`);
            if (!effects.has(number)) effects.set(number, `${message}`);
            if (number <= most) (message as ManualMessage).acknowledge();
          });
        }),
      );
    };
    await run(2);
    const { connection } = dial(at);
    await at.clock.advance(50);
    sendAll(connection, 'abcd');
    await at.clock.advance(100);
    at.network.host('server').crash();
    await run(9);
    await at.clock.advance(500);
    expect(done).toEqual(['1 a', '2 b', '3 c', '4 d', '3 c', '4 d']);
    expect([...effects]).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
      [4, 'd'],
    ]);
    expect(connection.session?.retained.messages).toBe(0);
  });

  test('tells a delivery only when its store knows it', async () => {
    const at = stage();
    const store = serverStore(at);
    await serve(at, store);
    const { connection } = dial(at);
    await at.clock.advance(50);
    const open = store.hold();
    let outcome = '';
    void connection.deliver('a').then(() => {
      outcome = 'handled';
    });
    await at.clock.advance(2000);
    expect(outcome).toBe('');
    open();
    await at.clock.advance(100);
    expect(outcome).toBe('handled');
  });

  test('among several: a session goes where its client goes, and the former server gives its peer up', async () => {
    const at = stage();
    const store = serverStore(at);
    const one = await serve(at, store, 'server');
    const two = await serve(at, store, 'other');
    const { connection, heard } = dial(at, true, ['server', 'other']);
    await at.clock.advance(50);
    const [first, second] = one.peers.length > 0 ? [one, two] : [two, one];
    sendAll(connection, 'abc');
    await at.clock.advance(50);
    const { host } = connection.endpoint as { host: string };
    at.network.cut({ to: host });
    await at.clock.advance(5000);
    sendAll(connection, 'def');
    await at.clock.advance(1000);
    at.network.heal();
    await at.clock.advance(60_000);
    expect([first!.messages.join(''), second!.messages.join('')]).toEqual(['abc', 'def']);
    expect(heard.filter((line) => /^(lost|failed)/.test(line))).toEqual([]);
    await at.clock.advance(130_000);
    expect(first!.journals[0]?.at(-1)).toBe('disposed SESSION_TAKEN_OVER');
    expect([first!.peers[0]?.state, second!.peers[0]?.state, connection.state]).toEqual([
      'disposed',
      'connected',
      'connected',
    ]);
  });

  test('that is closed leaves those that are away to the next one', async () => {
    const at = stage();
    const store = serverStore(at);
    const before = await serve(at, store);
    const { connection } = dial(at);
    await at.clock.advance(50);
    sendAll(before.peers[0]!, 'x');
    sendAll(connection, 'a');
    await at.clock.advance(50);
    at.network.cut();
    sendAll(before.peers[0]!, 'y');
    await at.clock.advance(6000);
    expect(before.peers[0]?.state).toBe('detached');
    await at.clock.runUntil(before.server.close());
    expect(before.journals[0]?.at(-1)).toMatch(/^disposed DISPOSED/);
    const after = await serve(at, store);
    at.network.heal();
    await at.clock.advance(12_000);
    sendAll(connection, 'b');
    await at.clock.advance(500);
    expect([before.messages, after.messages, connection.session?.state]).toEqual([['a'], ['b'], 'attached']);
    expect(after.peers[0]?.session?.retained.messages).toBe(0);
  });

  test('whose program disposes a peer ends its session for good', async () => {
    const at = stage();
    const store = serverStore(at);
    const before = await serve(at, store);
    const { connection, heard } = dial(at);
    await at.clock.advance(50);
    sendAll(connection, 'a');
    await at.clock.advance(50);
    void before.peers[0]?.dispose();
    await at.clock.advance(1000);
    expect(heard).toContain('lost EXPIRED 1');
    expect(connection.state).toBe('disconnected');
  });

  test('is busy while its store is away, and the client comes again', async () => {
    const at = stage();
    const store = serverStore(at);
    store.fails = 'no route';
    const { refusals, peers } = await serve(at, store);
    const { connection } = dial(at);
    await at.clock.advance(2500);
    expect(refusals[0]).toBe('a session was refused: BUSY');
    expect([peers.length, connection.state === 'connected']).toEqual([0, false]);
    store.fails = undefined;
    await at.clock.advance(5000);
    expect([peers.length, connection.state]).toEqual([1, 'connected']);
  });

  test('whose store does not answer a HELLO makes no peer for a socket that has gone', async () => {
    const at = stage();
    const store = serverStore(at);
    const { server, peers } = await serve(at, store);
    const open = store.hold();
    const { connection } = dial(at);
    await at.clock.advance(100);
    void connection.dispose();
    await at.clock.advance(100);
    open();
    await at.clock.advance(1000);
    expect([peers.length, server.peers.size]).toEqual([0, 0]);
  });

  test('drops the socket when the store is away for storeTimeout, and keeps the session', async () => {
    const at = stage();
    const store = serverStore(at);
    const { peers, journals, messages } = await serve(at, store, 'server', { storeTimeout: 1000 });
    const { connection, heard } = dial(at);
    await at.clock.advance(50);
    store.fails = 'no route';
    sendAll(connection, 'a');
    sendAll(peers[0]!, 'x');
    await at.clock.advance(1100);
    expect(journals[0]).toEqual(['detached STORE_FAILED']);
    store.fails = undefined;
    await at.clock.advance(6000);
    expect([messages, heard.filter((line) => line.startsWith('lost'))]).toEqual([['a'], []]);
    expect([peers.length, peers[0]?.state]).toEqual([1, 'connected']);
  });
});

describe('a client with a store', () => {
  test('that is killed and started again goes on where it was', async () => {
    const at = stage();
    const store = serverStore(at);
    const { peers, messages: up } = await serve(at, serverStore(at), 'server', { acknowledge: 'manual' });
    const before = dial(at, { store });
    await at.clock.advance(50);
    sendAll(before.connection, 'abc');
    sendAll(peers[0]!, 'x');
    await at.clock.advance(50);
    at.network.host('client').crash();
    await at.clock.advance(500);
    sendAll(peers[0]!, 'y');
    const after = dial(at, { store });
    await at.clock.advance(500);
    sendAll(after.connection, 'd');
    await at.clock.advance(500);
    expect([up.join(''), before.messages, after.messages]).toEqual(['abcd', ['x'], ['y']]);
    expect([peers.length, after.heard]).toEqual([1, ['connected 1', 'resumed 0 again, 0 twice']]);
    expect(after.connection.session?.retained.messages).toBe(4);
  });

  test('shows the chart of the session that it goes on with, to who looked before it had it', async () => {
    const at = stage();
    const server = await serve(at, serverStore(at));
    const store = new TriedStore(memoryStore({ now: () => at.clock.now() }));
    const before = dial(at, { store });
    await at.clock.advance(50);
    sendAll(before.connection, 'a');
    await at.clock.advance(50);
    at.network.host('client').crash();
    const after = dial(at, { store });
    const seen: string[] = [];
    after.connection.session?.inspect((step) => {
      if (step.type !== '@xstate.snapshot') return;
      const { value, context } = step.snapshot as unknown as { value: string; context: { resumes: number } };
      seen.push(`${value} ${context.resumes}`);
    });
    await at.clock.advance(500);
    expect(seen).toEqual(['fresh 0', 'detached 0', 'attached 1']);
    expect(after.connection.session?.history.map(({ to }) => to)).toEqual(['fresh', 'detached', 'attached']);
    await server.server.dispose();
    await after.connection.dispose();
  });

  test('flush waits for what the process before it has left', async () => {
    const at = stage();
    const store = serverStore(at);
    const far = serverStore(at);
    const { peers } = await serve(at, far);
    const before = dial(at, { store });
    await at.clock.advance(50);
    at.network.cut();
    sendAll(before.connection, 'abc');
    await at.clock.advance(10);
    at.network.host('client').crash();
    at.network.heal();
    const after = dial(at, { store });
    await at.clock.advance(10);
    let flushed = false;
    after.connection.send('d');
    void after.connection.flush().then(() => {
      flushed = true;
    });
    const open = far.hold();
    await at.clock.advance(1000);
    expect(flushed).toBe(false);
    open();
    await at.clock.advance(2000);
    expect([flushed, after.connection.accepted, peers.length]).toEqual([true, 1, 1]);
  });

  test('that comes too late is told what it had left: numbers up to 0 are of the process before', async () => {
    const at = stage();
    const store = serverStore(at);
    const { peers } = await serve(at, serverStore(at), 'server', { acknowledge: 'manual', resumeWindow: 1000 });
    const before = dial(at, { store });
    await at.clock.advance(50);
    sendAll(before.connection, 'abc');
    await at.clock.advance(50);
    at.network.host('client').crash();
    await at.clock.advance(2000);
    expect(peers[0]?.state).toBe('disposed');
    const after = dial(at, { store, onSessionLost: 'new' });
    after.connection.send('d');
    await at.clock.advance(500);
    expect(after.heard).toContain('lost EXPIRED 0 unknown -2-0');
    expect(after.connection.state).toBe('connected');
  });

  test('that is disposed is over when its store knows all that was handled', async () => {
    const at = stage();
    const store = serverStore(at);
    const { peers } = await serve(at, serverStore(at));
    const one = dial(at, { store });
    await at.clock.advance(50);
    const open = store.hold();
    sendAll(peers[0]!, 'x');
    await at.clock.advance(50);
    let over = false;
    void one.connection.dispose().then(() => {
      over = true;
    });
    await at.clock.advance(50);
    expect([one.messages, over]).toEqual([['x'], false]);
    open();
    await at.clock.advance(50);
    expect(over).toBe(true);
    const two = dial(at, { store });
    await at.clock.advance(200);
    expect([two.messages, peers.length, peers[0]?.session?.retained.messages]).toEqual([[], 1, 0]);
  });

  test('that is disposed leaves its session, that is closed ends it', async () => {
    const at = stage();
    const store = serverStore(at);
    const { peers, messages } = await serve(at, serverStore(at));
    const one = dial(at, { store });
    await at.clock.advance(50);
    sendAll(one.connection, 'a');
    await at.clock.advance(50);
    void one.connection.dispose();
    await at.clock.advance(50);
    const two = dial(at, { store });
    await at.clock.advance(50);
    sendAll(two.connection, 'b');
    await at.clock.runUntil(two.connection.close());
    await at.clock.advance(50);
    const three = dial(at, { store });
    await at.clock.advance(50);
    sendAll(three.connection, 'c');
    await at.clock.advance(50);
    expect([messages.join(''), peers.length]).toEqual(['abc', 2]);
    expect(two.heard).toContain('resumed 0 again, 0 twice');
    expect(three.heard).toEqual(['connected 1']);
  });

  test('whose place is taken by another process gives up, and says why', async () => {
    const at = stage();
    const store = serverStore(at);
    await serve(at, serverStore(at));
    const one = dial(at, { store, onSessionLost: 'new' });
    await at.clock.advance(50);
    const two = dial(at, { store });
    await at.clock.advance(50);
    sendAll(one.connection, 'a');
    await at.clock.advance(500);
    expect(one.heard.at(-1)).toBe('failed SESSION_TAKEN_OVER');
    expect(two.connection.state).toBe('connected');
    one.connection.connect();
    await at.clock.advance(500);
    expect([one.connection.state, two.heard.at(-1)]).toEqual(['connected', 'failed SESSION_TAKEN_OVER']);
  });

  test('two clients have places of their own in it, by storeName', async () => {
    const at = stage();
    const store = serverStore(at);
    const { messages, peers } = await serve(at, serverStore(at));
    const one = dial(at, { store, storeName: 'one' });
    const two = dial(at, { store, storeName: 'two' });
    await at.clock.advance(50);
    sendAll(one.connection, 'a');
    sendAll(two.connection, 'b');
    await at.clock.advance(500);
    expect([messages.sort().join(''), peers.length, one.heard, two.heard]).toEqual([
      'ab',
      2,
      ['connected 1'],
      ['connected 1'],
    ]);
  });

  test('tries again while its store is away', async () => {
    const at = stage();
    const store = serverStore(at);
    store.fails = 'no route';
    await serve(at, serverStore(at));
    const { connection, heard } = dial(at, { store });
    await at.clock.advance(250);
    expect(heard[0]).toBe('disconnected STORE_FAILED');
    store.fails = undefined;
    await at.clock.advance(500);
    expect(connection.state).toBe('connected');
  });

  test('gives up where what its store has cannot be believed', async () => {
    const at = stage();
    const store = serverStore(at);
    await serve(at, serverStore(at));
    const before = dial(at, { store });
    await at.clock.advance(50);
    at.network.host('client').crash();
    await before.connection.session;
    const { claim } = store;
    store.claim = async (...args) => {
      const claimed = await claim(...args);
      if (claimed.outcome !== 'claimed') return claimed;
      return { ...claimed, session: { ...claimed.session, head: Buffer.from('{}') } };
    };
    const { connection, heard } = dial(at, { store });
    await at.clock.advance(500);
    expect([heard.at(-1), connection.state]).toEqual(['failed STORE_CORRUPT', 'disconnected']);
    expect(connection.reason?.message).toContain('the session store cannot be believed');
  });
});

describe('the option store', () => {
  test.each([
    [{}, 'session.store must be a session store, with a method find(), got a Object'],
    [{ ...memoryStore(), claim: 1 }, 'session.store must be a session store, with a method claim(), got a Object'],
    [null, 'session.store must be a session store, with a method find(), got null'],
  ])('%j is refused', (store, message) => {
    expect(() => connect({ port: 1, session: { store: store as never } })).toThrow(message);
  });

  test('a name that is none is refused', () => {
    expect(() => connect({ port: 1, session: { storeName: 7 as never } })).toThrow(
      'session.storeName must be a name, got 7',
    );
    expect(short('NINJA_X')).toBe('X');
  });
});

import { describe, expect, test } from 'vitest';
import { connect, type ListenOptions } from '../../src/index.js';
import { CREDENTIALS } from '../../src/line/client-side.js';
import { encode } from '../../src/protocol/session/frames.js';
import { collect, PORT, type Stage, stage } from '../connection/stage.js';
import { dialFrames, framed, hello, type RawClient, resume, tapped, Wiretap } from './raw.js';
import { sessionJournal } from './stage.js';

const MOST = 2 ** 16;

interface Held {
  readonly at: Stage;
  readonly tap: Wiretap;
  /** What the server's program was given, from everybody. */
  readonly got: string[];
  readonly refusals: string[];
  /** Sends ten more messages, and gives what is not as it was: nothing, where nobody was disturbed. */
  disturbed(): Promise<string[]>;
  end(): Promise<void>;
}

/** A session that lives, with traffic both ways, and a thief who has read along. */
async function held(options: Partial<ListenOptions> & { secure?: boolean } = {}): Promise<Held> {
  const at = stage();
  const tap = new Wiretap();
  const { secure = false, ...more } = options;
  const got: string[] = [];
  const refusals: string[] = [];
  const server = await at.serve(collect(got), {
    session: true,
    environment: tapped(at.server.environment(), secure),
    ...more,
  });
  server.on('refused', ({ error }) => refusals.push(error.message));
  const connection = connect({
    host: 'server',
    port: PORT,
    backoff: () => 100,
    session: { credentials: 'ann' },
    environment: tapped(at.network.environment('client'), secure, tap),
  });
  const heard = sessionJournal(connection);
  await at.clock.runUntil(connection.connected());
  // It was resumed once, so that there is a RESUME to be replayed.
  at.network.resetAll();
  await at.clock.advance(300);
  let sent = 0;
  const send = () => {
    sent += 1;
    return connection.deliver(`${sent}`);
  };
  await at.clock.runUntil(send());
  const before = heard.length;
  return {
    at,
    tap,
    got,
    refusals,
    async disturbed() {
      const sockets = tap.transports.length;
      for (let left = 10; left > 0; left -= 1) await at.clock.runUntil(send(), { limit: 200 });
      const expected = Array.from({ length: sent }, (_, n) => `${n + 1}`).join();
      return [
        ...heard.slice(before),
        ...(got.join() === expected ? [] : [`the program was given ${got.join()}`]),
        ...(sockets === tap.transports.length ? [] : ['another socket']),
        ...[...server.peers].filter(({ state }) => state !== 'connected').map(({ state }) => `a peer is ${state}`),
      ];
    },
    async end() {
      await connection.dispose();
      await server.dispose();
      await at.clock.advance(20_000);
      expect(at.network.openTransports).toBe(0);
    },
  };
}

describe('a RESUME', () => {
  type Steal = (stolen: Wiretap) => Buffer;
  const rows: [string, string, string, Partial<ListenOptions> & { secure?: boolean }, Steal][] = [
    ['with a wrong MAC', 'client', 'BAD_MAC', {}, ({ keys }) => broken(resume(keys, { epoch: 3 }), -1)],
    ['whose MAC is of other bytes', 'client', 'BAD_MAC', {}, ({ keys }) => broken(resume(keys, { epoch: 3 }), 30)],
    [
      'that has the id, and not the secret, where there is TLS',
      'client',
      'BAD_MAC',
      { secure: true },
      ({ keys: { sessionId } }) => resume({ sessionId, secret: Buffer.alloc(32) }, { epoch: 3 }),
    ],
    ['that was used before', 'client', 'STALE_EPOCH', {}, ({ resume: used }) => used],
    ['of the first epoch', 'client', 'STALE_EPOCH', {}, ({ keys }) => resume(keys, { epoch: 1 })],
    [
      'of an epoch out of reach, where there is no TLS',
      'client',
      'STALE_EPOCH',
      {},
      ({ keys }) => resume(keys, { epoch: 3 + MOST }),
    ],
    ['with a stolen id from another address', 'thief', 'PRINCIPAL', {}, ({ keys }) => resume(keys, { epoch: 3 })],
    [
      'with a stolen id and secret of another principal',
      'client',
      'PRINCIPAL',
      { session: { authenticate: (credentials) => `${credentials}` }, secure: true },
      ({ keys }) => resume(keys, { epoch: 3, tlvs: [{ type: CREDENTIALS, value: Buffer.from('bob') }] }),
    ],
    [
      'of nobody, as the program says',
      'client',
      'PRINCIPAL',
      { session: { authenticate: (credentials) => (`${credentials}` === 'ann' ? 'ann' : undefined) } },
      ({ keys }) => resume(keys, { epoch: 3, tlvs: [{ type: CREDENTIALS, value: Buffer.from('eve') }] }),
    ],
    [
      'of an id that nobody has',
      'client',
      'UNKNOWN',
      {},
      ({ keys: { secret } }) => resume({ sessionId: Buffer.alloc(16, 1), secret }, { epoch: 3 }),
    ],
    ['of another version', 'client', 'VERSION', {}, ({ keys }) => resume(keys, { epoch: 3, version: 2 })],
    [
      'from beyond what was sent',
      'client',
      'SEQ_AHEAD',
      {},
      ({ keys }) => resume(keys, { epoch: 3, rxNext: 1000, txNext: 2000 }),
    ],
    [
      'from before what is kept',
      'client',
      'SEQ_AHEAD',
      {},
      ({ keys }) => resume(keys, { epoch: 3, txFirst: 1, txNext: 1 }),
    ],
  ];
  test.each(rows)(
    '%s, from the host %s: %s, and the live socket is untouched',
    async (_, host, code, options, steal) => {
      const { at, tap, got, refusals, disturbed, end } = await held(options);
      const thief = await dialFrames(at, host);
      thief.say(steal(tap));
      // Whatever the answer, a thief goes on talking.
      thief.say(Buffer.from('10000000000168656c6c6f', 'hex'));
      await at.clock.advance(100);
      expect([thief.answer, refusals]).toEqual([`REFUSED ${code}`, [`a session was refused: ${code}`]]);
      expect(await disturbed()).toEqual([]);
      expect(got).not.toContain('hello');
      expect(thief.life).toEqual(['opened', 'ended', 'closed']);
      await end();
    },
  );

  test('that is refused a thousand times costs its session nothing, and its own client resumes', async () => {
    const { at, tap, disturbed, end } = await held();
    for (let epoch = 1; epoch <= 1000; epoch += 1) {
      const thief = await dialFrames(at, 'thief');
      thief.say(resume(tap.keys, { epoch: 2 + epoch }));
    }
    await at.clock.advance(100);
    expect(await disturbed()).toEqual([]);
    at.network.resetAll();
    await at.clock.advance(300);
    expect(await disturbed()).toEqual(['disconnected RESET', 'connected 3', 'resumed 0 again, 0 twice']);
    await end();
  });

  test('of its holder from another socket takes the session over: the old socket is dropped, and unheard', async () => {
    const { at, tap, got, end } = await held();
    const next = await dialFrames(at, 'client');
    const late = framed(Buffer.from('1000000000026c617465', 'hex'));
    next.say(resume(tap.keys, { epoch: 3, txFirst: 2, txNext: 2 }));
    await at.clock.advance(1);
    tap.transports.at(-1)?.write(late, () => {});
    await at.clock.advance(4);
    expect([next.answer, got]).toEqual(['RESUMED', ['1']]);
    next.say(Buffer.from('1000000000026e6577', 'hex'));
    await at.clock.advance(5);
    expect(got).toEqual(['1', 'new']);
    await end();
  });
});

/** One bit of a frame is another one. */
function broken(frame: Buffer, at: number): Buffer {
  const index = at < 0 ? frame.length + at : at;
  frame[index] = (frame[index] as number) ^ 1;
  return frame;
}

describe('a first frame', () => {
  const random = Buffer.from('e8d4f6b1c09a37254de1bb0f6a8c5d2e9b71f3a04c8867d5', 'hex');
  const rows: [string, (client: RawClient) => void, string][] = [
    ['random bytes', (client) => client.bytes(random), 'the client speaks no sessions'],
    ['a plain message', (client) => client.say(Buffer.from('hello')), 'the client speaks no sessions'],
    ['HTTP', (client) => client.bytes(Buffer.from('GET / HTTP/1.1\r\n\r\n')), 'the client speaks no sessions'],
    ['of TLS', (client) => client.bytes(Buffer.from('16030100a5010000a10303', 'hex')), 'the client speaks no sessions'],
    ['DATA', (client) => client.say(Buffer.from('10000000000168656c6c6f', 'hex')), 'the client speaks no sessions'],
    ['ACK', (client) => client.say(encode('ACK', { next: 5 })), 'the client speaks no sessions'],
    ['BYE', (client) => client.say(encode('BYE', { last: 0 })), 'the client speaks no sessions'],
    ['HELLO with another magic', (client) => client.say(broken(hello(1), 3)), 'the client speaks no sessions'],
    ['HELLO that is cut short', (client) => client.say(hello(1).subarray(0, 20)), 'session frame HELLO: it must have'],
    ['HELLO without a version', (client) => client.say(broken(hello(1), 6)), 'session frame HELLO: verMin'],
    [
      'HELLO with half a TLV',
      (client) => client.say(Buffer.concat([hello(1), Buffer.alloc(3)])),
      'a TLV needs 4 bytes',
    ],
    [
      'HELLO with a TLV that is longer than it is',
      (client) => client.say(Buffer.concat([hello(1), Buffer.from('8000ffff', 'hex')])),
      'a TLV announced 65535 bytes',
    ],
    [
      'HELLO that is longer than any',
      (client) => client.say(Buffer.concat([hello(1), Buffer.alloc(20_000)])),
      'session frame HELLO: it must have at most 16384 bytes, got 20044',
    ],
    ['RESUME that is cut short', (client) => client.say(hello(1).fill(3, 0, 1)), 'session frame RESUME: it must have'],
    [
      'nothing but heartbeats',
      (client) => client.bytes(Buffer.alloc(400)),
      'no session within handshakeTimeout, 1000 ms',
    ],
    ['nothing at all', () => {}, 'no session within handshakeTimeout, 1000 ms'],
    ['one that never ends', (client) => client.bytes(framed(hello(1)).subarray(0, 40)), 'no session within'],
  ];
  test.each(rows)('%s: is refused, and nobody notices', async (_, speak, why) => {
    const { at, refusals, disturbed, end } = await held({ handshakeTimeout: 1000 });
    const client = await dialFrames(at, 'stranger');
    speak(client);
    expect(await disturbed()).toEqual([]);
    await at.clock.advance(1100);
    expect(refusals).toEqual([expect.stringContaining(why)]);
    expect([client.heard, client.life.slice(1)]).toEqual([[], expect.arrayContaining(['closed'])]);
    expect(await disturbed()).toEqual([]);
    await end();
  });

  test('that drips is not waited for longer than handshakeTimeout, however often it drips', async () => {
    const { at, refusals, end } = await held({ handshakeTimeout: 1000 });
    const client = await dialFrames(at, 'stranger');
    const bytes = framed(hello(1));
    for (let index = 0; index < bytes.length; index += 1) {
      at.clock.setTimeout(() => client.bytes(bytes.subarray(index, index + 1)), 50 * index);
    }
    await at.clock.advance(5000);
    expect([client.heard, refusals]).toEqual([[], ['no session within handshakeTimeout, 1000 ms']]);
    await end();
  });

  test.each([
    [64 * 1024, []],
    [64 * 1024 + 1, ['at most 65536 bytes may follow a handshake before it is answered']],
  ])('may be followed by 65536 bytes before it is answered: %i', async (bytes, refused) => {
    let grant = (_: string): void => {};
    const authenticate = (credentials: Buffer | undefined): string | Promise<string> =>
      credentials ? `${credentials}` : new Promise((resolve) => (grant = resolve));
    const { at, refusals, disturbed, end } = await held({ session: { authenticate } });
    const client = await dialFrames(at, 'stranger');
    client.say(hello(1));
    client.bytes(Buffer.alloc(bytes));
    await at.clock.advance(100);
    grant('bob');
    await at.clock.advance(100);
    expect([refusals, client.answer]).toEqual([refused, refused.length === 0 ? 'WELCOME' : undefined]);
    expect(await disturbed()).toEqual([]);
    await end();
  });

  test('of a client that was refused is the last that is looked at', async () => {
    const { at, refusals, disturbed, end } = await held({ session: { maxSessionsPerPrincipal: 1 } });
    const client = await dialFrames(at, 'client');
    for (let left = 100; left > 0; left -= 1) client.say(hello(left));
    client.bytes(Buffer.alloc(60_000));
    await at.clock.advance(100);
    expect([client.heard.length, client.answer, refusals.length]).toEqual([1, 'REFUSED LIMIT', 1]);
    expect(await disturbed()).toEqual([]);
    await end();
  });
});

describe('limits', () => {
  /** A client that holds its session, and has carried something. */
  async function settle(at: Stage, host: string, instance: number): Promise<RawClient> {
    const client = await dialFrames(at, host);
    client.say(hello(instance));
    client.say(Buffer.from('1000000000016f6e65', 'hex'));
    await at.clock.advance(5);
    return client;
  }

  test('of a principal are its own: others get in', async () => {
    const { at, got, refusals, disturbed, end } = await held({ session: { maxSessionsPerPrincipal: 2 } });
    const answers: (string | undefined)[] = [];
    for (const [host, instance] of [
      ['b', 1],
      ['b', 2],
      ['b', 3],
      ['c', 4],
      ['client', 5],
      ['client', 6],
    ] as const) {
      answers.push((await settle(at, host, instance)).answer);
    }
    expect(answers).toEqual(['WELCOME', 'WELCOME', 'REFUSED LIMIT', 'WELCOME', 'WELCOME', 'REFUSED LIMIT']);
    expect([got.length, refusals]).toEqual([5, ['a session was refused: LIMIT', 'a session was refused: LIMIT']]);
    got.splice(1);
    expect(await disturbed()).toEqual([]);
    await end();
  });

  test('make room by ending the oldest that carried nothing and has no socket, never another', async () => {
    const { at, got, disturbed, end } = await held({ session: { maxSessions: 3 } });
    const peers: number[] = [];
    const idle = await dialFrames(at, 'b');
    idle.say(hello(1));
    await at.clock.advance(5);
    const gone = await dialFrames(at, 'b');
    gone.say(hello(2));
    await at.clock.advance(5);
    gone.transport.reset();
    await at.clock.advance(5);
    const next = await settle(at, 'c', 3);
    expect([next.answer, got]).toEqual(['WELCOME', ['1', 'one']]);
    const last = await settle(at, 'd', 4);
    expect([last.answer, idle.life, peers]).toEqual(['REFUSED LIMIT', ['opened'], []]);
    got.splice(1);
    expect(await disturbed()).toEqual([]);
    await end();
  });
});

import { describe, expect, test } from 'vitest';
import { type Authenticate, connect, listen, type PeerHandler } from '../../src/index.js';
import { stage } from '../connection/stage.js';
import { dialSilent } from '../server/stage.js';
import { answers, play, sessionJournal, settled } from './stage.js';

describe('a server', () => {
  test('that accepts both tells them apart by the first frame that is not empty, and serves them alike', async () => {
    const { at, connection, server, peers } = await play({ server: { session: 'accept' } });
    const plain = at.dial();
    const back = [answers(connection), answers(plain)];
    connection.send('session');
    plain.send('plain');
    await at.clock.advance(100);
    expect(back).toEqual([['session'], ['plain']]);
    expect(peers.map(({ session }) => session?.state)).toEqual(['attached', undefined]);
    for (const one of [connection, plain]) await one.dispose();
    await server.dispose();
  });

  test('that accepts both serves as plain whoever is silent for handshakeTimeout', async () => {
    const at = stage();
    const server = await at.serve((peer) => void peer.send('hello'), { session: 'accept', handshakeTimeout: 300 });
    const silent = await dialSilent(at);
    await at.clock.advance(200);
    expect([server.peers.size, silent.heard]).toEqual([0, ['opened']]);
    await at.clock.advance(200);
    expect(server.peers.size).toBe(1);
    expect(silent.messages).toEqual(['hello']);
    await server.dispose();
  });

  test.each([
    ['in one chunk', 'asWritten'],
    ['byte by byte', 'bytes'],
  ] as const)('that took a late client for plain drops it when it asks for a session, %s', async (_, cut) => {
    const at = stage({ cut });
    const got: string[] = [];
    const ends: string[] = [];
    const serve: PeerHandler = (peer) =>
      void peer
        .on('message', (message) => got.push(message.toString('latin1')))
        .on('disposed', ({ reason }) => ends.push(reason.message));
    const server = await at.serve(serve, { session: 'accept', handshakeTimeout: 300 });
    const credentials = () => new Promise<string>((resolve) => at.clock.setTimeout(() => resolve('me'), 400));
    const late = at.dial({ session: { credentials }, maxAttempts: 1 });
    await at.clock.advance(1000);
    expect([got, ends]).toEqual([[], ['handshakeTimeout, 300 ms, was over when the client asked for a session']]);
    const plain = at.dial();
    await at.clock.advance(400);
    plain.send('plain');
    await at.clock.advance(400);
    expect(got).toEqual(['plain']);
    for (const one of [late, plain]) await one.dispose();
    await server.dispose();
  });

  test('that requires sessions drops who speaks none, and who is silent for too long', async () => {
    const { at, connection, server, refusals } = await play({ server: { handshakeTimeout: 300 } });
    const plain = at.dial({ backoff: () => false });
    plain.send('hello');
    const silent = await dialSilent(at);
    await at.clock.advance(500);
    expect(refusals).toEqual([
      'the client speaks no sessions: its first frame begins with 68 65 6c 6c 6f',
      'no session within handshakeTimeout, 300 ms',
    ]);
    expect([server.peers.size, silent.heard.at(-1)]).toEqual([1, 'ended']);
    for (const one of [connection, plain]) await one.dispose();
    await server.dispose();
  });

  test('that speaks none is not what a session wants: fatal, with its first bytes', async () => {
    const { at, connection, heard, server } = await play({ server: { session: false } });
    await at.clock.advance(2000);
    expect(heard.slice(0, 2)).toEqual(['disconnected NOT_A_PEER', 'failed NOT_A_PEER']);
    expect(connection.reason?.message).toBe(
      'the other side speaks no sessions: its first frame begins with 01 00 4e 4a 54 31 01 01 00 80 00 00 00 80 00 00',
    );
    await server.dispose();
    await connection.dispose();
  });
});

describe('authenticate', () => {
  const cases: readonly (readonly [string, Authenticate, string, readonly string[]])[] = [
    ['a name', () => 'till 7', 'attached', []],
    ['a name, later', async () => 'till 7', 'attached', []],
    ['nothing', () => undefined, 'fresh', ['a session was refused: PRINCIPAL']],
    ['a rejection', () => Promise.reject(new Error('no directory')), 'fresh', ['a session was refused: PRINCIPAL']],
    [
      'a throw',
      () => {
        throw new Error('no directory');
      },
      'fresh',
      ['a session was refused: PRINCIPAL'],
    ],
    ['a number', () => 7 as never, 'fresh', ['a session was refused: PRINCIPAL']],
  ];
  test.each(cases)('that gives %s: the session is %s', async (_, authenticate, state, refused) => {
    const { at, connection, server, refusals } = await play({
      client: { session: { credentials: 'let me in' }, maxAttempts: 1 },
      server: { session: { authenticate } },
    });
    await at.clock.advance(100);
    expect([connection.session?.state, refusals]).toEqual([state, refused]);
    await server.dispose();
    await connection.dispose();
  });

  test('is shown the credentials on each socket, and who asks', async () => {
    const seen: string[] = [];
    let turn = 0;
    const { at, connection, server } = await play({
      client: { session: { credentials: async () => `token ${++turn}` } },
      server: {
        session: {
          authenticate: (credentials, { remoteAddress, resumes, tls }) => {
            seen.push(`${credentials} ${remoteAddress} ${resumes} ${tls}`);
            return 'till 7';
          },
        },
      },
    });
    at.network.resetAll();
    await at.clock.advance(500);
    expect(seen).toEqual(['token 1 10.0.0.2 false undefined', 'token 2 10.0.0.2 true undefined']);
    expect(connection.session?.resumes).toBe(1);
    await server.dispose();
    await connection.dispose();
  });

  test('whose socket goes meanwhile opens nothing', async () => {
    let grant = (_: string): void => {};
    const { at, connection, server } = await play({
      client: { maxAttempts: 1 },
      server: {
        session: {
          authenticate: () =>
            new Promise<string>((resolve) => {
              grant = resolve;
            }),
        },
      },
    });
    at.network.resetAll();
    await at.clock.advance(50);
    grant('till 7');
    await at.clock.advance(50);
    expect([server.peers.size, server.snapshot.accepted]).toEqual([0, 0]);
    await server.dispose();
    await connection.dispose();
  });

  test('that takes longer than handshakeTimeout ends the socket', async () => {
    const { at, connection, server, refusals } = await play({
      client: { maxAttempts: 1 },
      server: { handshakeTimeout: 200, session: { authenticate: () => new Promise<string>(() => {}) } },
    });
    await at.clock.advance(300);
    expect(refusals).toEqual(['no session within handshakeTimeout, 200 ms']);
    await server.dispose();
    await connection.dispose();
  });

  test.each([
    ['throw', (): Promise<string> => Promise.reject(new Error('no token')), 'session.credentials threw: no token'],
    [
      'are no bytes',
      (): never => 7 as never,
      'session.credentials threw: session.credentials must give bytes or a string',
    ],
    ['are too long', (): string => 'x'.repeat(9000), 'must have at most 8192 bytes, got 9000'],
  ])('is not even asked where the credentials %s: the attempt has failed', async (_, credentials, message) => {
    const { connection, heard, server } = await play({ client: { session: { credentials }, maxAttempts: 1 } });
    expect([heard[0], connection.reason?.message]).toEqual([
      'disconnected CONNECT_FAILED',
      expect.stringContaining(message),
    ]);
    await server.dispose();
    await connection.dispose();
  });
});

describe('the option session', () => {
  const port = 7;
  test.each([
    [{ port, session: 7 }, 'session must be true, false or { acknowledge, … }, got 7'],
    [{ port, session: { window: { bytes: 0 } } }, 'session.window.bytes must be a whole number of bytes from 1 to'],
    [{ port, session: { window: { frames: 1 } } }, 'session.window: frames is not an option'],
    [{ port, session: { acknowledge: 'never' } }, "session.acknowledge must be 'handled' or 'received' or 'manual'"],
    [{ port, session: { onSessionLost: 'cry' } }, "session.onSessionLost must be 'fail' or 'new', got 'cry'"],
    [{ port, session: { resumeWindow: 1 } }, 'session.resumeWindow must be a whole number of ms from 100 to'],
    [{ port, session: { credentials: 7 } }, 'session.credentials must be bytes, a string, or a function'],
    [{ port, session: { mode: 'accept' } }, 'session: mode is not an option'],
    [{ port, session: true, onConnect: () => {} }, 'onConnect must be absent where there is a session'],
    [{ port, session: true, emptyFrames: 'message', heartbeatInterval: 0 }, "emptyFrames must be 'heartbeat'"],
  ])('%j of connect() is refused', (options, message) => {
    expect(() => connect(options as never)).toThrow(message);
  });

  test.each([
    [{ port, session: 'maybe' }, "session must be 'require', 'accept', true, false or { mode, … }, got 'maybe'"],
    [{ port, session: { mode: 'maybe' } }, "session.mode must be 'require' or 'accept', got 'maybe'"],
    [{ port, session: { maxSessions: 0 } }, 'session.maxSessions must be a whole number of sessions from 1'],
    [{ port, session: { retainedBytes: 1n } }, 'session.retainedBytes must be a whole number of bytes from 1'],
    [{ port, session: { authenticate: 7 } }, 'session.authenticate must be a function'],
    [{ port, session: { onSessionLost: 'new' } }, 'session: onSessionLost is not an option'],
  ])('%o of listen() is refused', async (options, message) => {
    await expect(listen(options as never)).rejects.toThrow(message);
  });

  test('needs an environment that has bytes that nobody can guess', () => {
    const { network } = stage();
    const { randomBytes: _, ...environment } = network.environment('client');
    expect(() => connect({ port, session: true, environment })).toThrow('session: the environment that was given');
  });
});

test('limits refuse, and may be asked again', async () => {
  const { at, connection, server, refusals } = await play({ server: { session: { maxSessions: 1 } } });
  connection.on('message', () => {});
  await at.clock.runUntil(connection.deliver('one'));
  const other = at.dial({ session: true, backoff: () => 10 });
  const heard = sessionJournal(other);
  await at.clock.advance(500);
  expect([refusals, heard]).toEqual([['a session was refused: LIMIT'], ['disconnected SESSION_REFUSED']]);
  void connection.close();
  await at.clock.advance(1500);
  expect(other.state).toBe('connected');
  const told = settled(other.close());
  await at.clock.advance(100);
  expect(told.is).toContain('DISPOSED');
  await server.dispose();
});

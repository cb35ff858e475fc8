import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { Disconnected } from '../../src/index.js';
import { connectTo, echoProcess, frame, next, notBuilt, pathOf, rawServer, until } from './support.js';

/** Fast enough to test, with the default's shape. */
const quick = { backoff: () => 20, connectTimeout: 1000 } as const;

interface Fault {
  readonly does: string;
  /** What the server does to each socket. */
  readonly server: (socket: Socket) => void;
  /** What we say to the first message. */
  readonly answer?: string;
  readonly options?: object;
  readonly code: string;
  readonly message: RegExp;
  /** From the first attempt to the wait for the second. */
  readonly path: readonly string[];
}

const UP = ['connecting.dialing', 'connecting.greeting', 'connected.unproven'];
const LIVE = [...UP, 'connected.live'];
const AGAIN = 'disconnected.waiting';

const faults: readonly Fault[] = [
  {
    does: 'accepts and closes at once',
    server: (socket) => socket.end(),
    code: 'NINJA_CLOSED_BY_PEER',
    message: /closed the line/,
    path: [...UP, AGAIN],
  },
  {
    does: 'resets when it hears us',
    server: (socket) => socket.on('data', () => socket.resetAndDestroy()),
    code: 'NINJA_RESET',
    message: /ECONNRESET/,
    path: [...UP, AGAIN],
  },
  {
    does: 'speaks, then resets',
    server: (socket) => {
      socket.write(frame('hello'));
      // The acknowledgement that it was heard is the first message back.
      socket.on('data', (bytes) => bytes.length > 4 && socket.resetAndDestroy());
    },
    answer: 'thanks',
    code: 'NINJA_RESET',
    message: /ECONNRESET/,
    path: [...LIVE, AGAIN],
  },
  {
    does: 'closes in the middle of a frame',
    server: (socket) => socket.end(frame('hello').subarray(0, 7)),
    code: 'NINJA_TRUNCATED',
    message: /in the middle of a frame: 3 of 5 bytes had come/,
    path: [...LIVE, AGAIN],
  },
  {
    does: 'closes in the middle of a header',
    server: (socket) => socket.end(Buffer.from([0, 0])),
    code: 'NINJA_TRUNCATED',
    message: /2 of 4 header bytes had come/,
    path: [...LIVE, AGAIN],
  },
  {
    does: 'talks garbage',
    server: (socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    code: 'NINJA_FRAME_TOO_LARGE',
    message: /1213486160 bytes, the limit maxFrameLength is 8388608; .*48 54 54 50 2f 31 .*"HTTP\/1\.1 400 Bad"/,
    path: [...LIVE, AGAIN],
  },
  {
    does: 'announces 4 GiB',
    server: (socket) => socket.write(Buffer.from('ffffffff00', 'hex')),
    code: 'NINJA_FRAME_TOO_LARGE',
    message: /4294967295 bytes, the limit maxFrameLength is 8388608; .*ff ff ff ff 00/,
    path: [...LIVE, AGAIN],
  },
  {
    does: 'never finishes a frame, yet goes on dripping',
    server: (socket) => {
      socket.write(Buffer.from('00001000', 'hex'));
      const drip = setInterval(() => socket.write('x'), 20);
      socket.on('close', () => clearInterval(drip));
    },
    options: { frameTimeout: 150 },
    code: 'NINJA_FRAME_TIMEOUT',
    message: /frameTimeout, 150 ms: \d+ of 4096 bytes had come/,
    path: [...LIVE, AGAIN],
  },
  {
    does: 'accepts and says nothing',
    server: () => {},
    options: { staleAfter: 100 },
    code: 'NINJA_STALE',
    message: /no byte for \d+ ms/,
    path: [...UP, 'stale', AGAIN],
  },
];

for (const { does, server, answer, options, code, message, path } of faults) {
  test(`a server that ${does}: ${code}, and it dials again`, async () => {
    let accepted = 0;
    const { port } = await rawServer((socket) => {
      accepted += 1;
      server(socket);
    });
    const connection = connectTo(port, { ...quick, ...options });
    connection.on('message', () => answer && connection.send(answer));
    const first = await next<Disconnected>(connection, 'disconnected');
    expect(first.reason).toMatchObject({ code, message: expect.stringMatching(message), epoch: 1 });
    expect(first.error).toMatchObject({ name: 'NinjaTcpError', code });
    expect(first.retryInMs).toBe(20);
    expect(pathOf(connection)).toEqual(path);
    const second = await next<Disconnected>(connection, 'disconnected');
    expect(second.reason).toMatchObject({ code, epoch: 2 });
    expect(accepted).toBe(2);
  });
}

test('a port where nobody listens: CONNECT_FAILED with the cause, and it dials again', async () => {
  const { port, server } = await rawServer(() => {});
  await new Promise((resolve) => server.close(resolve));
  const connection = connectTo(port, quick);
  const { reason, error } = await next<Disconnected>(connection, 'disconnected');
  expect(reason).toMatchObject({ code: 'NINJA_CONNECT_FAILED', message: `connect ECONNREFUSED 127.0.0.1:${port}` });
  expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' });
  expect(pathOf(connection)).toEqual(['connecting.dialing', AGAIN]);
});

test('a dual-stack name where nobody listens: the messages of both dials, unwrapped', async () => {
  const { port, server } = await rawServer(() => {});
  await new Promise((resolve) => server.close(resolve));
  const both = [
    { address: '127.0.0.1', family: 4 },
    { address: '127.0.0.2', family: 4 },
    { address: '::1', family: 6 },
  ];
  const connection = connectTo(port, {
    ...quick,
    host: 'both.test',
    lookup: (_name, _options, done) => done(null, both),
  });
  const { reason } = await next<Disconnected>(connection, 'disconnected');
  expect(reason.message).toMatch(/127\.0\.0\.1/);
  expect(reason.message).toMatch(/::1|127\.0\.0\.2/);
});

test('a name is looked up afresh at each attempt', async () => {
  const { port } = await rawServer((socket) => socket.end());
  const asked: string[] = [];
  const connection = connectTo(port, {
    ...quick,
    host: 'moves.test',
    lookup: (name, _options, done) => {
      asked.push(name);
      if (asked.length === 1)
        done(Object.assign(new Error('getaddrinfo ENOTFOUND moves.test'), { code: 'ENOTFOUND' }), '');
      else done(null, [{ address: '127.0.0.1', family: 4 }]);
    },
  });
  const first = await next<Disconnected>(connection, 'disconnected');
  expect(first.reason).toMatchObject({ code: 'NINJA_CONNECT_FAILED', message: expect.stringContaining('ENOTFOUND') });
  const second = await next<Disconnected>(connection, 'disconnected');
  expect(second.reason.code).toBe('NINJA_CLOSED_BY_PEER');
  expect(asked).toEqual(['moves.test', 'moves.test']);
});

const oops = new TypeError('oops');
type Done = (error: Error, address: string) => void;
test.each<[string, (done: Done) => unknown]>([
  [
    'throws',
    () => {
      throw oops;
    },
  ],
  ['is async and rejects', () => Promise.reject(oops)],
  ['fails at once', (done) => done(oops, '')],
  [
    'fails twice',
    (done) => {
      process.nextTick(done, oops, '');
      process.nextTick(done, new Error('again'), '');
    },
  ],
])(
  'a look-up of the program that %s: CONNECT_FAILED with the cause, told once, and it dials again',
  async (_, fails) => {
    const connection = connectTo(9, {
      ...quick,
      maxAttempts: 2,
      host: 'some.test',
      lookup: (_name, _options, done) => fails(done),
    });
    const errors: unknown[] = [];
    connection.on('disconnected', ({ error }) => errors.push(error.cause));
    await next(connection, 'failed');
    expect(errors).toEqual([oops, oops]);
  },
);

test('a look-up of the program that finds nothing, and answers so with an empty list: CONNECT_FAILED, and it dials again', async () => {
  const connection = connectTo(9, {
    ...quick,
    host: 'some.test',
    lookup: (_name, _options, done) => process.nextTick(done, null, []),
  });
  await until(() => connection.epoch > 2);
  expect(connection.reason).toMatchObject({
    code: 'NINJA_CONNECT_FAILED',
    message: 'lookup of some.test gave no address',
  });
});

test.skipIf(notBuilt)(
  'a server that is killed and started again: the line heals, what was in flight is reported',
  async () => {
    const server = await echoProcess();
    const connection = connectTo(server.port, { backoff: () => 50 });
    await connection.connected({ proven: true });
    connection.send('before');
    await next(connection, 'message');
    const lost = next<Disconnected>(connection, 'disconnected');
    await server.kill('SIGKILL');
    const { reason, unknown, held } = await lost;
    expect(['NINJA_RESET', 'NINJA_CLOSED_BY_PEER']).toContain(reason.code);
    expect(unknown).toEqual({ from: 1, to: 1, messages: 1, bytes: 6 });
    expect(held).toBeUndefined();
    connection.send('meanwhile');
    await echoProcess(server.port);
    expect(String(await next(connection, 'message'))).toBe('meanwhile');
    expect(connection.state).toBe('connected');
    expect(connection.substate).toBe('live');
  },
);

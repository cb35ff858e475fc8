// A peer in Python, written from docs/protocol.md alone, against our side: messages both ways, through broken sockets.
import { createHash } from 'node:crypto';
import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createFaultProxy, type FaultProxy } from '../../src/testing/index.js';
import { type Ours, ways } from './session-ours.js';
import { type Child, later, noPython, pythonProcess, rawServer, until } from './support.js';

const PEER = '../../protocol/session/peer.py';
/** Messages each way. */
const MANY = 3000;
/** Bytes, without the 4 of its length. */
const WELCOME_LENGTH = 91;
/** How sockets break, one after the other. */
const breaks = ['resetAll', 'hangUp', 'resetAll', 'halfOpen', 'resetAll'] as const;

/** What a Python peer says at its end. */
interface Summary {
  readonly how: string;
  readonly code?: string;
  readonly sent: number;
  readonly heard: number;
  readonly sha256: string;
  readonly duplicates: number;
  readonly replayed: number;
  readonly resumes: number;
  readonly broken: number;
  readonly handledUpTo?: number;
  readonly unknown?: number;
  readonly first?: string;
}

const python = (...args: string[]): Promise<Child> => pythonProcess(PEER, ...args);

/** Its last line, when it has ended by itself. */
async function summaryOf({ process, lines }: Child): Promise<Summary> {
  if (process.exitCode === null) await new Promise<void>((resolve) => process.once('exit', () => resolve()));
  await until(() => lines.at(-1)?.startsWith('{') === true);
  return JSON.parse(lines.at(-1) as string);
}

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, place) => `${name} ${place + 1}`);
const trimmed = (messages: readonly string[]): string[] => messages.map((message) => message.replace(/ \.*$/, ''));

function sha256(messages: readonly string[]): string {
  const hash = createHash('sha256');
  for (const message of messages) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(message.length);
    hash.update(length).update(message);
  }
  return hash.digest('hex');
}

async function proxyTo(port: number): Promise<FaultProxy> {
  const proxy = await createFaultProxy({ target: { port } });
  later(() => proxy.close());
  return proxy;
}

/** A way to a server on which the first WELCOME, and what is behind it, is lost with its socket. Gives its port. */
async function losingTheFirstAnswer(target: number): Promise<number> {
  let loses = true;
  const { port } = await rawServer((near) => {
    const far = createConnection({ host: '127.0.0.1', port: target, noDelay: true });
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) socket.on('error', end).on('close', end);
    near.pipe(far);
    let came = 0;
    far.on('data', (chunk) => {
      came += chunk.length;
      if (!loses) near.write(chunk);
      // Less is an empty frame.
      else if (came >= WELCOME_LENGTH) {
        loses = false;
        end();
      }
    });
  });
  return port;
}

/** Breaks the socket again and again, each time when it is there and some more has come: at full speed, with messages under way. */
async function breakAll(proxy: FaultProxy, ours: Ours): Promise<void> {
  for (const [at, how] of breaks.entries()) {
    await until(() => ours.resumes >= at && ours.heard.length >= ((at + 1) * MANY) / (breaks.length + 1));
    proxy[how]();
  }
}

describe.skipIf(noPython).each(ways)('%s and a Python peer (needs python3)', (_, way) => {
  test('the client is in Python: nothing is lost, doubled or out of order, through broken sockets', async () => {
    const ours = await way.serve({ messages: MANY, token: 'let me in' }, later);
    const proxy = await proxyTo(ours.port);
    const about = ['--messages', MANY, '--expect', MANY, '--token', 'let me in', '--silence', 2000];
    const child = await python('client', String(proxy.port), ...about.map(String));
    const [told] = await Promise.all([summaryOf(child), breakAll(proxy, ours)]);
    const { heard, sessions } = ours;
    expect(trimmed(heard)).toEqual(numbered('python', MANY));
    expect(told).toMatchObject({
      how: 'closed',
      sent: MANY,
      heard: MANY,
      sha256: sha256(numbered('ours', MANY)),
      broken: 0,
    });
    expect([await ours.over, sessions]).toEqual(['closed', 1]);
    expect(ours.resumes).toBeGreaterThanOrEqual(breaks.length);
    expect(told.replayed + ours.replayed).toBeGreaterThan(0);
  });

  test('the server is in Python: nothing is lost, doubled or out of order, through broken sockets', async () => {
    const child = await python('server', '--secret', '--silence', '2000');
    const proxy = await proxyTo(child.port);
    const ours = way.dial(proxy.port, { messages: MANY, expect: MANY }, later);
    await breakAll(proxy, ours);
    const [how, told] = await Promise.all([ours.over, summaryOf(child)]);
    // It echoes.
    expect(ours.heard).toEqual(numbered('ours', MANY));
    expect(told).toMatchObject({
      how: 'closed',
      sent: MANY,
      heard: MANY,
      sha256: sha256(numbered('ours', MANY)),
      broken: 0,
    });
    expect(how).toBe('closed');
    expect(ours.resumes).toBeGreaterThanOrEqual(breaks.length);
    expect(told.replayed + ours.replayed).toBeGreaterThan(0);
  });

  test('the client is in Python, and the first answer is lost: it gets the same session', async () => {
    const ours = await way.serve({ messages: 10 }, later);
    const port = await losingTheFirstAnswer(ours.port);
    const told = await summaryOf(await python('client', String(port), '--messages', '10', '--expect', '10'));
    expect([told.how, told.heard, ours.sessions]).toEqual(['closed', 10, 1]);
    expect(trimmed(ours.heard)).toEqual(numbered('python', 10));
  });

  test('the server is in Python, and the first answer is lost: we get the same session', async () => {
    const child = await python('server');
    const port = await losingTheFirstAnswer(child.port);
    const ours = way.dial(port, { messages: 10, expect: 10 }, later);
    const [how, told] = await Promise.all([ours.over, summaryOf(child)]);
    expect([how, told.how, told.heard]).toEqual(['closed', 'closed', 10]);
    expect(ours.heard).toEqual(numbered('ours', 10));
    expect(child.lines.filter((line) => line === 'a session')).toHaveLength(1);
  });

  test('messages longer than the whole window pass, one by one', async () => {
    const ours = await way.serve({ messages: 0, window: { bytes: 1000, messages: 10 } }, later);
    const child = await python('client', String(ours.port), '--messages', '20', '--pad', '5000');
    expect(await summaryOf(child)).toMatchObject({ how: 'closed', sent: 20, broken: 0 });
    expect(ours.heard.map(({ length }) => length)).toEqual(Array(20).fill(5000));
    expect(trimmed(ours.heard)).toEqual(numbered('python', 20));
  });

  test('the client is in Python, and its session is given up: it is told how far it came, and believes it', async () => {
    const ours = await way.serve({ messages: 0 }, later);
    const proxy = await proxyTo(ours.port);
    // It never has as many as it expects.
    const child = await python('client', String(proxy.port), '--messages', '50', '--expect', '1');
    await until(() => ours.heard.length === 50);
    ours.giveUp();
    const told = await summaryOf(child);
    expect(told).toMatchObject({ how: 'lost', code: 'EXPIRED', handledUpTo: 50, unknown: 0 });
    expect(await ours.over).not.toBe('closed');
  });
});

test.skipIf(noPython)('a Python client of a server that speaks no sessions says so (needs python3)', async () => {
  const { port } = await rawServer((socket) => socket.on('data', (chunk) => socket.write(chunk)));
  const child = await python('client', String(port), '--messages', '1');
  expect(await summaryOf(child)).toMatchObject({ how: 'no session', first: expect.stringMatching(/^01004e4a5431/) });
});

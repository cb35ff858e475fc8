import { describe, expect, test } from 'vitest';
import { type ErrorCode, errorTable } from '../../../src/errors.js';
import { verdictOf } from '../../../src/inspector/page/verdict.js';
import type { ConnectionSnapshot, ServerSnapshot } from '../../../src/snapshot.js';
import { connection, errorWords, historyOf } from './scenes.js';

const NOW = 1_000_000;

interface Failure {
  readonly change?: Partial<ConnectionSnapshot>;
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly below?: string;
  /** As `historyOf` reads it. */
  readonly life?: readonly string[];
}

function look({ change = {}, code, message = '', below, life = [] }: Failure) {
  const lost = code
    ? {
        state: 'disconnected',
        substate: 'waiting',
        reason: { code, message, at: NOW - 500, epoch: 2 },
        error: errorWords(code, message, below),
        failures: 1,
        attempt: 2,
        epoch: 2,
      }
    : {};
  const history = historyOf(NOW - 20_000, life, code, message);
  return verdictOf({ snapshot: connection(NOW, { ...lost, ...change }), history, now: NOW });
}

const hex = (words: string) =>
  Buffer.from(words, 'latin1')
    .toString('hex')
    .replace(/(..)(?=.)/g, '$1 ');
const tooLarge = (length: number, first: string) =>
  `a header announced a message of ${length} bytes, the limit maxFrameLength is 8388608; the stream went on with ${hex(first)} ("${first.replace(/[^\x20-\x7e]/g, '.')}")`;

const SILENT = ['0 connecting.dialing 1 connect', '20 connected.unproven 1 always', '3020 stale 1 after silence'];
const LIVE = ['0 connecting.dialing 1 connect', '20 connected.unproven 1 always', '30 connected.live 1 socket.heard'];

describe('the verdict tells what is wrong', () => {
  const failures: readonly (readonly [string, Failure, string, RegExp])[] = [
    [
      'refused',
      { code: 'NINJA_CONNECT_FAILED', message: 'connect ECONNREFUSED 127.0.0.1:65432' },
      'Nobody listens at 127.0.0.1:65432',
      /no program has this port open/,
    ],
    [
      'wrong port: HTTP',
      { code: 'NINJA_FRAME_TOO_LARGE', message: tooLarge(1_213_486_160, 'HTTP/1.1 400 Bad') },
      'That is HTTP, not our framing: wrong port?',
      /“HTTP\/1\.1 400 Bad”/,
    ],
    [
      'wrong port: TLS asked for, none spoken',
      {
        code: 'NINJA_NOT_TLS',
        message: 'no TLS with h: what it says is not TLS (ERR_SSL_WRONG_VERSION_NUMBER)',
      },
      'The other side speaks no TLS at 127.0.0.1:65432: wrong port?',
      /what it says is not TLS.*answered in the clear/,
    ],
    [
      'no TLS in common',
      {
        code: 'NINJA_TLS_FAILED',
        message: 'no TLS with h: handshake failure: no cipher in common, or it wants a certificate',
        change: { substate: 'failed' },
      },
      'The two sides have no TLS in common',
      /no cipher in common/,
    ],
    [
      'certificate',
      {
        code: 'NINJA_CERTIFICATE',
        message: 'the certificate of h is not accepted: it has expired (CERT_HAS_EXPIRED)',
        change: { substate: 'failed' },
      },
      'The certificate of the other side has expired',
      /it has expired/,
    ],
    [
      'certificate of an authority that is not known',
      {
        code: 'NINJA_CERTIFICATE',
        message:
          'the certificate of h is not accepted: who signed it is not known here; its authority belongs into tls.ca (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
        change: { substate: 'failed' },
      },
      'The certificate of the other side is signed by somebody unknown',
      /who signed it is not known/,
    ],
    [
      'certificate for another host',
      {
        code: 'NINJA_CERTIFICATE',
        message:
          "the certificate of h is not accepted: Host: h. is not cert's CN: elsewhere (ERR_TLS_CERT_ALTNAME_INVALID)",
        change: { substate: 'failed' },
      },
      'The certificate is for another host',
      /is not cert's CN/,
    ],
    [
      'our certificate',
      {
        code: 'NINJA_CERTIFICATE',
        message: 'h does not accept our certificate: tlsv1 alert unknown ca',
        change: { substate: 'failed' },
      },
      'The other side does not accept our certificate',
      /unknown ca/,
    ],
    [
      'certificate, for any other reason',
      { code: 'NINJA_CERTIFICATE', message: 'the certificate of h is not accepted: it was revoked' },
      'A certificate is not accepted',
      /revoked/,
    ],
    [
      'stopped server',
      { code: 'NINJA_STALE', message: 'no byte for 3000 ms', life: SILENT },
      'It opens, and nobody speaks',
      /the process behind the port is stopped or hangs/,
    ],
    [
      'stopped server, at the next attempt',
      {
        change: { substate: 'unproven', lastHeardAt: undefined, epoch: 2 },
        life: [...SILENT, '3900 connecting.dialing 2 after backoff', '3910 connected.unproven 2 always'],
      },
      'It opens, and nobody speaks',
      /1 attempt before got no byte/,
    ],
    [
      'pulled cable, just now',
      { code: 'NINJA_STALE', message: 'no byte for 3000 ms', life: [...LIVE, '9000 stale 1 after silence'] },
      'The other side fell silent',
      /pulled cable/,
    ],
    [
      'pulled cable, dialling in vain',
      {
        code: 'NINJA_CONNECT_TIMEOUT',
        message: 'not connected within connectTimeout, 5000 ms',
        life: ['0 connecting.dialing 2 after backoff', '5000 disconnected.waiting 2 after connectTimeout'],
      },
      'Nothing answers at 127.0.0.1:65432',
      /a cable or route is down/,
    ],
    [
      'pulled cable of this machine',
      {
        code: 'NINJA_CONNECT_FAILED',
        message: 'the dial failed',
        below: 'ENETUNREACH: connect ENETUNREACH 10.0.0.1:1',
      },
      'The network is down',
      /no route/,
    ],
    [
      'slow reader',
      { change: { pending: { messages: 40, bytes: 3 * 1024 * 1024 } } },
      'The other side reads too slowly',
      /^3 MiB are accepted and not taken/,
    ],
    [
      'reader that stopped',
      {
        code: 'NINJA_WRITE_STALL',
        message: 'nothing was taken for writeStallTimeout, 30000 ms: 900000 bytes are pending',
      },
      'The other side does not read',
      /900000 bytes are pending/,
    ],
    [
      'oversize frame',
      { code: 'NINJA_FRAME_TOO_LARGE', message: tooLarge(9_000_000, '\x00\x89T@data') },
      'A message is longer than allowed',
      /announces 8\.6 MiB; `maxFrameLength` is 8 MiB/,
    ],
    [
      'garbage',
      { code: 'NINJA_FRAME_TOO_LARGE', message: tooLarge(4_026_531_841, '\xf0\x00\x00\x01\x99\x00') },
      'Garbage where a length should stand',
      /the bytes f0 00 00 01 99 00 announce 3\.8 GiB; `maxFrameLength` is 8 MiB\..*lost its place/,
    ],
    [
      'length the other way round',
      { code: 'NINJA_FRAME_TOO_LARGE', message: tooLarge(83_886_080, '\x05\x00\x00\x00hello') },
      'The length is written the other way round',
      /as little-endian the header says 5 B/,
    ],
    [
      'drop after accept',
      {
        code: 'NINJA_CLOSED_BY_PEER',
        message: 'the other side closed the line',
        life: [
          '0 connecting.dialing 1 connect',
          '20 connected.unproven 1 always',
          '24 disconnected.waiting 1 socket.closed',
          '90 connecting.dialing 2 after backoff',
          '95 connected.unproven 2 always',
          '97 disconnected.waiting 2 socket.closed',
        ],
      },
      'It accepts, then drops the line at once',
      /^The last 2 lines ended 2 ms after opening/,
    ],
    [
      'DNS: no such name',
      {
        code: 'NINJA_CONNECT_FAILED',
        message: 'getaddrinfo ENOTFOUND till.exampel',
        change: { endpoint: 'till.exampel:65432' },
      },
      'No such host name: till.exampel',
      /no address/,
    ],
    [
      'DNS: no answer',
      { code: 'NINJA_CONNECT_FAILED', message: 'getaddrinfo EAI_AGAIN h' },
      'The name servers do not answer',
      /looked up/,
    ],
    [
      'a program that does not take',
      { change: { readingPaused: true, inbox: { messages: 65_536, bytes: 1 } } },
      'This program does not take its messages',
      /65,536 messages/,
    ],
  ];

  test.each(failures)('%s', (_, failure, headline, because) => {
    const verdict = look(failure);
    expect(verdict.headline).toBe(headline);
    expect(verdict.because).toMatch(because);
    expect(verdict.mood).not.toBe('good');
    expect(verdict.help).toMatch(/./);
  });

  test('each of them by another headline or explanation', () => {
    const told = failures.map(([, failure]) => look(failure)).map(({ headline, because }) => `${headline} ${because}`);
    expect(new Set(told).size).toBe(failures.length);
  });

  test('the facts name the code, and the error of the system below it', () => {
    const { facts } = look({ code: 'NINJA_CONNECT_FAILED', message: 'connect ECONNREFUSED 127.0.0.1:65432' });
    expect(facts.slice(0, 3)).toEqual([
      { name: 'Reason', value: 'NINJA_CONNECT_FAILED' },
      { name: 'System error', value: 'ECONNREFUSED' },
      { name: 'Endpoint', value: '127.0.0.1:65432' },
    ]);
  });

  test('and of a session how it stands, and what it keeps', () => {
    const session = {
      state: 'detached',
      fingerprint: '5f3a91c0',
      resumes: 2,
      replayed: 0,
      deduplicated: 0,
      retained: { messages: 1, bytes: 9 },
    } as const;
    const { facts } = look({ code: 'NINJA_STALE', message: 'no byte for 3000 ms', change: { session } });
    expect(facts.slice(1, 4)).toEqual([
      { name: 'Session', value: '5f3a91c0, detached' },
      { name: 'Resumed', value: '2 times' },
      { name: 'Kept until handled', value: '1 message' },
    ]);
  });

  test('the last attempts, newest first', () => {
    const life = [...SILENT, '3900 disconnected.waiting 1 socket.closed', '4000 connecting.dialing 2 after backoff'];
    expect(look({ code: 'NINJA_STALE', message: 'no byte for 3000 ms', life }).attempts).toEqual([
      expect.stringMatching(/^Epoch 2 dials since/),
      'Epoch 1 opened, got no byte in 3.0 s: no byte for 3000 ms',
    ]);
  });

  test('while it dials again, what was wrong before', () => {
    const change = { state: 'connecting', substate: 'dialing' };
    const { headline, because } = look({ code: 'NINJA_CONNECT_FAILED', message: 'connect ECONNREFUSED ::1:9', change });
    expect(headline).toBe('Trying again: nobody listens at 127.0.0.1:65432');
    expect(because).toMatch(/^Dials 127\.0\.0\.1:65432, attempt 2\. Before: /);
  });
});

describe('the verdict on a line without trouble', () => {
  test.each<[string, Partial<ConnectionSnapshot>, string, string]>([
    ['live', {}, 'good', 'The line is live'],
    ['unproven', { substate: 'unproven' }, 'busy', 'Open, and nothing heard yet'],
    ['dialing', { state: 'connecting', substate: 'dialing' }, 'busy', 'The first attempt is running'],
    ['draining', { substate: 'draining' }, 'busy', 'It is being closed'],
    ['idle', { state: 'disconnected', substate: 'idle' }, 'calm', 'No line is wanted'],
    ['disposed', { state: 'disposed', substate: undefined }, 'calm', 'It has ended'],
  ])('%s', (_, change, mood, headline) => {
    expect(look({ change })).toMatchObject({ mood, headline });
  });

  test('a loss that has healed is still told for a minute', () => {
    const reason = { code: 'NINJA_RESET', message: 'read ECONNRESET', at: NOW - 30_000, epoch: 1 } as const;
    expect(look({ change: { reason } }).because).toMatch(/was lost at .*\(read ECONNRESET\) and has healed/);
    expect(look({ change: { reason: { ...reason, at: NOW - 61_000 } } }).because).toBe('Last byte 210 ms ago.');
  });
});

describe('the verdict on a peer whose session has no socket', () => {
  test.each([
    ['waiting', 'Its client is away'],
    ['draining', 'It is being closed, and its client is away'],
  ])('%s', (substate, headline) => {
    const { endpoint: _, failures: __, attempt: ___, ...line } = connection(NOW, { state: 'detached', substate });
    const reason = { code: 'NINJA_STALE', message: 'no byte for 3000 ms', at: NOW - 500, epoch: 1 } as const;
    const peer = { ...line, kind: 'peer', id: 7, remoteAddress: '10.0.0.2', remotePort: 1, reason } as const;
    const verdict = verdictOf({ snapshot: peer, history: [], now: NOW });
    expect(verdict).toMatchObject({ mood: 'warn', headline, waitsFor: 'It waits for its client.' });
    expect(verdict.because).toMatch(/What is sent meanwhile is kept, until the client comes back/);
    expect(verdict.facts).toContainEqual({ name: 'Reason', value: 'NINJA_STALE' });
  });
});

test('a line that is live again and again is not called good', () => {
  const life = [...Array(3).keys()].flatMap((n) => [
    `${n * 2000} connected.unproven ${n + 1} always`,
    `${n * 2000 + 10} connected.live ${n + 1} socket.heard`,
    `${n * 2000 + 900} disconnected.waiting ${n + 1} socket.failed`,
  ]);
  const reason = { code: 'NINJA_RESET', message: 'read ECONNRESET', at: NOW - 15_100, epoch: 3 } as const;
  const told = (lines: readonly string[], now = NOW) => {
    const history = historyOf(NOW - 20_000, lines, 'NINJA_RESET', 'read ECONNRESET');
    return verdictOf({ snapshot: connection(now, { reason }), history, now });
  };
  expect(told(life)).toMatchObject({ mood: 'warn', headline: 'The line is live, and does not last' });
  expect(told(life).because).toMatch(/It was lost 3 times within a minute, .*: read ECONNRESET\.$/);
  expect(told(life.slice(3)).mood).toBe('good');
  expect(told(life, NOW + 60_000).mood).toBe('good');
  // An outage in which nobody could be dialled is one loss.
  expect(told(life.map((line) => line.replace(/connected\.(unproven|live)/, 'connecting.dialing'))).mood).toBe('good');
});

test.each<[string, Partial<ConnectionSnapshot>, RegExp]>([
  ['failed', { state: 'disconnected', substate: 'failed' }, /connect\(\) begins anew/],
  ['idle', { state: 'disconnected', substate: 'idle' }, /waits for connect\(\)/],
  ['disposed', { state: 'disposed', substate: undefined }, /the end/],
])('where no timer runs, %s says what it waits for', (_, change, words) => {
  expect(look({ change }).waitsFor).toMatch(words);
});

test.each(Object.keys(errorTable) as ErrorCode[])('%s has a headline, an explanation and a cure', (code) => {
  const verdict = look({ code, message: 'something happened' });
  for (const words of [verdict.headline, verdict.because, verdict.help]) expect(words).toMatch(/^\S.*\S$/s);
});

describe('the verdict on a server', () => {
  const server: ServerSnapshot = {
    kind: 'server',
    name: 'hall',
    state: 'listening',
    substate: undefined,
    since: NOW,
    reason: undefined,
    error: undefined,
    timers: [],
    nextEvent: undefined,
    address: '0.0.0.0:7001',
    peers: 2,
    accepted: 40,
    refused: 1,
  };
  const reason = (code: ErrorCode, message: string) => ({ code, message, at: NOW, epoch: 0 });

  test.each<[string, Partial<ServerSnapshot>, string, string, RegExp]>([
    [
      'listening',
      {},
      'good',
      'It listens on 0.0.0.0:7001',
      /^2 peers now, 40 since it began\. 1 socket was turned away\.$/,
    ],
    [
      'a port that is taken',
      { state: 'disposed', reason: reason('NINJA_LISTEN_FAILED', 'listen EADDRINUSE: address already in use :::7001') },
      'bad',
      'The port is taken by another program',
      /^Listen EADDRINUSE/,
    ],
    ['full', { state: 'paused' }, 'warn', 'It accepts nobody for a moment', /paused/],
    [
      'draining',
      { state: 'draining', reason: reason('NINJA_DISPOSED', 'closed') },
      'busy',
      'It is being closed',
      /^2 peers drain/,
    ],
    [
      'ended',
      { state: 'disposed', reason: reason('NINJA_DISPOSED', 'the program called close()') },
      'calm',
      'It has ended',
      /called close/,
    ],
    ['binding', { state: 'binding' }, 'busy', 'It is not open yet', /asked for the port/],
  ])('%s', (_, change, mood, headline, because) => {
    const verdict = verdictOf({ snapshot: { ...server, ...change }, history: [], now: NOW });
    expect(verdict).toMatchObject({ mood, headline });
    expect(verdict.because).toMatch(because);
  });
});

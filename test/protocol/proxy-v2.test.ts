import { test as check, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { NinjaTcpError } from '../../src/errors.js';
import { MAX_PROXY_HEADER, readProxyHeader } from '../../src/protocol/proxy-v2.js';

const SIGNATURE = '0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a';
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const path = (text: string): string => Buffer.from(text.padEnd(108, '\0')).toString('hex');

const TCP4 = `${SIGNATURE} 21 11 00 0c 0a 00 00 07 7f 00 00 01 c0 00 ff 98`;
const TCP6 = `${SIGNATURE} 21 21 00 24
  20 01 0d b8 00 00 00 00 00 00 00 00 00 00 00 07
  00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 c0 00 ff 98`.replaceAll('\n', ' ');

const good: [string, string, object | undefined][] = [
  ['TCP over IPv4', TCP4, { address: '10.0.0.7', port: 49_152 }],
  ['TCP over IPv6', TCP6, { address: '2001:db8::7', port: 49_152 }],
  [
    'a Unix domain socket with a path',
    `${SIGNATURE} 21 31 00 d8 ${path('/run/a.sock')} ${path('/run/b.sock')}`,
    { address: '/run/a.sock', port: undefined },
  ],
  [
    'a Unix domain socket without a path',
    `${SIGNATURE} 21 31 00 d8 ${path('')} ${path('/run/b.sock')}`,
    { address: undefined, port: undefined },
  ],
  [
    'a path of full length',
    `${SIGNATURE} 21 31 00 d8 ${path('x'.repeat(108))} ${path('')}`,
    { address: 'x'.repeat(108), port: undefined },
  ],
  ['nothing specified', `${SIGNATURE} 21 00 00 00`, undefined],
  ['nothing specified, with TLVs', `${SIGNATURE} 21 00 00 04 04 00 01 00`, undefined],
  ['LOCAL', `${SIGNATURE} 20 00 00 00`, undefined],
  ['LOCAL, with addresses that mean nothing', TCP4.replace(' 21 11', ' 20 11'), undefined],
  ['LOCAL, with a family that nobody knows', `${SIGNATURE} 20 7f 00 01 00`, undefined],
  [
    'TLVs behind the addresses',
    TCP4.replace('00 0c', '00 13').concat(' 03 00 04 aa bb cc dd'),
    { address: '10.0.0.7', port: 49_152 },
  ],
];

describe('a header', () => {
  test.each(good)('%s', (_, hex, client) => {
    const bytes = bytesOf(hex);
    expect(readProxyHeader(bytes)).toEqual({ client, length: bytes.length });
  });

  test.each(good)('%s: every way of cutting it short asks for more', (_, hex) => {
    const bytes = bytesOf(hex);
    for (let cut = 0; cut < bytes.length; cut += 1) expect(readProxyHeader(bytes.subarray(0, cut))).toBeUndefined();
  });

  test.each(good)('%s: what follows is left alone', (_, hex) => {
    const bytes = bytesOf(hex);
    expect(readProxyHeader(Buffer.concat([bytes, bytesOf('00 00 00 00')]))?.length).toBe(bytes.length);
  });
});

const told = (bytes: Buffer): string => {
  try {
    return String(readProxyHeader(bytes));
  } catch (error) {
    expect((error as NinjaTcpError).code).toBe('NINJA_PROXY_HEADER');
    return (error as Error).message.replace('no PROXY header of version 2: ', '');
  }
};

describe('what is none is refused as soon as it cannot be one:', () => {
  const rows: [string, string, number, string][] = [
    ['a frame', '00 00 00 05 68 65 6c 6c 6f', 1, 'it begins with 00'],
    ['the 12th byte', `${SIGNATURE.slice(0, -2)}0b`, 12, 'it begins with 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0b'],
    ['TLS', '16 03 01 02 00', 1, 'it begins with 16'],
    [
      'version 1',
      Buffer.from('PROXY TCP4 1.2.3.4').toString('hex'),
      6,
      'it is one of version 1, in text; let the proxy send version 2 (haproxy: send-proxy-v2)',
    ],
    ['something like version 1', Buffer.from('PROXX').toString('hex'), 5, 'it begins with 50 52 4f 58 58'],
    ['version 3', `${SIGNATURE} 31 11 00 0c`, 16, 'version and command are 0x31'],
    ['an unknown command', `${SIGNATURE} 22 11 00 0c`, 16, 'version and command are 0x22'],
    ['UDP', `${SIGNATURE} 21 12 00 0c`, 16, 'address family and protocol are 0x12'],
    ['an unknown family', `${SIGNATURE} 21 41 00 0c`, 16, 'address family and protocol are 0x41'],
    ['IPv4 that is too short', `${SIGNATURE} 21 11 00 0b`, 16, 'it is 27 bytes long, its addresses alone need 28'],
    ['IPv6 that is too short', `${SIGNATURE} 21 21 00 23`, 16, 'it is 51 bytes long, its addresses alone need 52'],
    ['a path that is too short', `${SIGNATURE} 21 31 00 d7`, 16, 'it is 231 bytes long, its addresses alone need 232'],
    ['too long by one', `${SIGNATURE} 21 11 0f f1`, 16, 'it is 4097 bytes long, at most 4096 are taken'],
    ['LOCAL, as long as can be', `${SIGNATURE} 20 00 ff ff`, 16, 'it is 65551 bytes long, at most 4096 are taken'],
  ];
  test.each(rows)('%s', (_, hex, decidedAt, message) => {
    const bytes = bytesOf(hex);
    for (let cut = 0; cut < decidedAt; cut += 1) expect(told(bytes.subarray(0, cut))).toBe('undefined');
    expect(told(bytes.subarray(0, decidedAt))).toBe(message);
  });

  test.each([
    [MAX_PROXY_HEADER - 1, 'taken'],
    [MAX_PROXY_HEADER, 'taken'],
    [MAX_PROXY_HEADER + 1, 'refused'],
  ])('%i bytes are %s', (length, what) => {
    const bytes = Buffer.alloc(length);
    bytesOf(TCP4).copy(bytes);
    bytes.writeUInt16BE(length - 16, 14);
    expect(told(bytes) === '[object Object]' ? 'taken' : 'refused').toBe(what);
  });

  check.prop([fc.uint8Array({ maxLength: 64 })])('no bytes make it throw anything else', (bytes) => {
    told(Buffer.from(bytes));
    told(Buffer.concat([bytesOf(SIGNATURE), bytes]));
  });
});

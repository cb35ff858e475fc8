import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { NinjaTcpError } from '../../../src/errors.js';
import {
  decode,
  encode,
  encodeNext,
  readAck,
  readDataHead,
  writeDataHead,
} from '../../../src/protocol/session/frames.js';
import { opensSession } from '../../../src/protocol/session/index.js';
import { isSealed, NO_NONCE, seal, sessionCrypto } from '../../../src/protocol/session/keys.js';
import {
  DATA_HEAD,
  type Field,
  type Fields,
  type FrameName,
  type Layout,
  layouts,
  MAX_HANDSHAKE,
  refusalCodes,
  refusalName,
} from '../../../src/protocol/session/layouts.js';
import vectors from './vectors.json' with { type: 'json' };

const here = fileURLToPath(new URL('.', import.meta.url));
const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const crypto = sessionCrypto(() => expect.unreachable('nothing here needs chance'));
const keys = { sessionId: bytesOf(vectors.keys.sessionId), secret: bytesOf(vectors.keys.secret) };

type Vector = (typeof vectors.frames)[number];
const titled = vectors.frames.map((vector) => [`${vector.name}: ${vector.what}`, vector] as const);

/** The fields of a vector with their bytes as bytes. */
function fieldsOf({ name, fields }: Vector): Fields<FrameName> {
  const layout: Layout = layouts[name as FrameName];
  const kinds = new Map(layout.fields.map(([key, kind]) => [key, kind]));
  const entries = Object.entries(fields).map(([key, value]) => {
    if (key === 'tlvs') {
      const tlvs = value as unknown as { type: number; value: string }[];
      return [key, tlvs.map(({ type, value: hex }) => ({ type, value: bytesOf(hex) }))];
    }
    return [key, kinds.get(key)?.startsWith('bytes') ? bytesOf(value as unknown as string) : value];
  });
  return Object.fromEntries(entries);
}

/** Bytes compared as hex, whatever class they are. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** The frame as a peer would send it, with its MAC. */
function sealed(vector: Vector): Buffer {
  const bytes = encode(vector.name as FrameName, fieldsOf(vector), vector.mac);
  if (!vector.mac) return bytes;
  const fields = vector.fields as { nonce?: string };
  const nonce = fields.nonce === undefined ? bytesOf(vectors.keys.nonce) : bytesOf(fields.nonce);
  return seal(crypto, vector.name as 'RESUME', keys, nonce, bytes);
}

describe('vectors', () => {
  test.each(titled)('%s is written as drawn', (_, vector) => {
    expect(sealed(vector).toString('hex')).toBe(vector.hex);
  });

  test.each(titled)('%s is read as drawn', (_, vector) => {
    const { name, mac, ...fields } = decode(bytesOf(vector.hex)) as unknown as Record<string, unknown>;
    expect([name, plain(fields)]).toEqual([vector.name, plain(fieldsOf(vector))]);
    expect(mac === undefined ? undefined : plain(mac)).toBe(vector.mac ? vector.hex.slice(-64) : undefined);
  });

  test.each(vectors.data)('DATA: $what', ({ number, message, hex }) => {
    const bytes = Buffer.alloc(DATA_HEAD + message.length / 2);
    writeDataHead(bytes, 0, number);
    bytes.set(bytesOf(message), DATA_HEAD);
    expect(bytes.toString('hex')).toBe(hex);
    expect(readDataHead(bytesOf(hex))).toBe(number % 2 ** 32);
  });

  const byHand = vectors.frames.filter(({ name }) => ['ACK', 'PING', 'PONG'].includes(name));
  test.each(byHand)('$name: $what is written so by hand too', ({ name, fields, hex }) => {
    const { next, nonce } = fields as unknown as { next: number; nonce?: number };
    expect(encodeNext(name as 'PING', next, nonce).toString('hex')).toBe(hex);
  });

  test.each(titled)('%s: only an ACK is read as one by hand', (_, { name, fields, hex }) => {
    expect(readAck(bytesOf(hex))).toBe(name === 'ACK' ? (fields as unknown as { next: number }).next : 0);
  });

  test.each([
    ['a byte too many', '1100 0000000000000001 00'],
    ['a byte too few', '1100 00000000000001'],
    ['flags', '1101 0000000000000001'],
    ['of nothing', '1100 0000000000000000'],
    ['beyond 2^53', '1100 0020000000000000'],
  ])('an ACK by hand: %s is left to the table', (_, hex) => {
    expect(readAck(bytesOf(hex))).toBe(0);
  });

  test('have every kind of frame', () => {
    expect([...new Set(vectors.frames.map(({ name }) => name))].sort()).toEqual(Object.keys(layouts).sort());
  });

  const python = ((): string | undefined => {
    try {
      return execFileSync('python3', [`${here}make-vectors.py`], { encoding: 'utf8' });
    } catch {
      return undefined;
    }
  })();
  test.skipIf(python === undefined)('are what another language makes of the specification (needs python3)', () => {
    expect(JSON.parse(python as string)).toEqual(vectors);
  });
});

const vectorOf = (what: string): Buffer => bytesOf(vectors.frames.find((one) => one.what === what)!.hex);
/** The frame of a vector with `hex` at `at`. */
const patched = (what: string, at: number, hex: string): Buffer => {
  const bytes = vectorOf(what);
  bytes.set(bytesOf(hex), at);
  return bytes;
};
const told = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    expect((error as NinjaTcpError).code).toBe('NINJA_PROTOCOL');
    return (error as Error).message.replace('session frame ', '');
  }
  return 'taken';
};
const HELLO = 'a session, please';
const RESUME = 'go on, nothing received yet';

describe('what is malformed is refused with type, field, rule and value:', () => {
  const rows: [string, Buffer, string][] = [
    ['no flags', bytesOf('11'), 'of 1 bytes: it must have a type and flags, got 1 bytes'],
    ['an unknown type', bytesOf('1400'), '0x14: its type must be one of NTS/1, got 0x14'],
    ['flags', patched('over', 1, '01'), 'BYE_OK: flags must be 0, got 0x01'],
    ['a wrong magic', patched(HELLO, 2, '4e4a5432'), 'HELLO: it must begin with "NJT1", got 0x4e4a5432'],
    ['version 0', patched(HELLO, 6, '00'), 'HELLO: verMin must be at least 1, got 0'],
    ['versions upside down', patched(HELLO, 6, '0201'), 'HELLO: verMin must be at most verMax, 1, got 2'],
    ['no frame at all', patched(HELLO, 8, '00000000'), 'HELLO: maxFrame must be at least 1, got 0'],
    ['no window of bytes', patched(HELLO, 12, '00000000'), 'HELLO: windowBytes must be at least 1, got 0'],
    ['no window of messages', patched(HELLO, 16, '00000000'), 'HELLO: windowMessages must be at least 1, got 0'],
    ['a short HELLO', vectorOf(HELLO).subarray(0, 43), 'HELLO: it must have at least 44 bytes, got 43'],
    [
      'half a TLV',
      bytesOf(`${vectorOf(HELLO).toString('hex')}8000 00`),
      'HELLO: a TLV needs 4 bytes for its type and length, got 3 bytes',
    ],
    [
      'a TLV cut off',
      bytesOf(`${vectorOf(HELLO).toString('hex')}8000 0002 ff`),
      'HELLO: a TLV announced 2 bytes, got 1 bytes',
    ],
    [
      'a HELLO that is too long',
      Buffer.concat([vectorOf(HELLO), Buffer.alloc(MAX_HANDSHAKE)]),
      'HELLO: it must have at most 16384 bytes, got 16428',
    ],
    ['a short WELCOME', vectorOf('here it is').subarray(0, 90), 'WELCOME: it must have 91 bytes, got 90'],
    ['a short RESUME', vectorOf(RESUME).subarray(0, 98), 'RESUME: it must have at least 99 bytes, got 98'],
    ['epoch 0', patched(RESUME, 23, '00000000'), 'RESUME: epoch must be at least 1, got 0'],
    ['a number 0', patched(RESUME, 27, '0000000000000000'), 'RESUME: rxNext must be at least 1, got 0'],
    [
      'a number beyond 2^53',
      patched(RESUME, 27, '0020000000000000'),
      'RESUME: rxNext must be below 2^53, got 0x0020000000000000',
    ],
    [
      'numbers upside down',
      patched(RESUME, 35, '0000000000000002'),
      'RESUME: txFirst must be at most txNext, 1, got 2',
    ],
    [
      'a refusal with half a MAC',
      Buffer.concat([vectorOf('busy, in answer to a HELLO'), Buffer.alloc(16)]),
      'REFUSED: it must have 32 or 64 bytes, got 48',
    ],
    ['retryable 2', patched('busy, in answer to a HELLO', 3, '02'), 'REFUSED: retryable must be 0 or 1, got 2'],
    ['a long ACK', bytesOf('1100 0000000000000001 00'), 'ACK: it must have 10 bytes, got 11'],
    ['an ACK of nothing', bytesOf('1100 0000000000000000'), 'ACK: next must be at least 1, got 0'],
  ];
  test.each(rows)('%s', (_, bytes, message) => {
    expect(told(() => decode(bytes))).toBe(message);
  });

  test.each([
    ['cut off', '1000 000000', 'DATA: it must have at least 6 bytes, got 5'],
    ['flags', '1001 00000001', 'DATA: flags must be 0, got 0x01'],
  ])('DATA, %s', (_, hex, message) => {
    expect(told(() => readDataHead(bytesOf(hex)))).toBe(message);
  });

  test.each([
    [
      'a number that is none',
      { next: Number.NaN },
      'ACK: next must be a whole number from 0 to 9007199254740991, got NaN',
    ],
    [
      'a number too large',
      { next: 2 ** 53 },
      'ACK: next must be a whole number from 0 to 9007199254740991, got 9007199254740992',
    ],
    ['a number too small', { next: 0 }, 'ACK: next must be at least 1, got 0'],
  ])('also on the way out: %s', (_, fields, message) => {
    expect(told(() => encode('ACK', fields))).toBe(message);
  });

  const outgoing = fieldsOf(vectors.frames[0]!) as unknown as Fields<'HELLO'>;
  test.each([
    ['an id of 15 bytes', { clientInstance: Buffer.alloc(15) }, 'HELLO: clientInstance must have 16 bytes, got 15'],
    [
      'a type beyond 2^16',
      { tlvs: [{ type: 65_536, value: Buffer.alloc(0) }] },
      'HELLO: a TLV must have a type below 2^16, got 65536',
    ],
    [
      'too long a HELLO',
      { tlvs: [{ type: 1, value: Buffer.alloc(16_384) }] },
      'HELLO: it must have at most 16384 bytes, got 16432',
    ],
  ])('also on the way out: %s', (_, change, message) => {
    expect(told(() => encode('HELLO', { ...outgoing, ...change }))).toBe(message);
  });
});

describe('what a later version may add', () => {
  test('flags of a HELLO are passed over', () => {
    expect(decode(patched(HELLO, 1, 'ff')).name).toBe('HELLO');
  });

  test('unknown codes of a refusal are read, and told by number', () => {
    expect(decode(patched('busy, in answer to a HELLO', 2, 'c8'))).toMatchObject({ code: 200 });
    expect([refusalName(200), refusalName(refusalCodes.BUSY)]).toEqual(['code 200', 'BUSY']);
  });
});

describe('the first frame tells a session from a plain peer', () => {
  test.each(titled)('%s', (_, { name, hex }) => {
    expect(opensSession(bytesOf(hex))).toBe(name === 'HELLO' || name === 'RESUME');
  });

  test.each([
    ['an empty frame', ''],
    ['a plain message', '68 65 6c 6c 6f'],
    ['a message that begins like a RESUME', '03 00 01 00 00 00 00'],
  ])('%s', (_, hex) => {
    expect(opensSession(bytesOf(hex))).toBe(false);
  });
});

describe('a MAC', () => {
  const signed = vectors.frames.filter(({ mac }) => mac);
  test.each(signed.map((vector) => [vector.name, vector] as const))('of %s is broken by any bit', (name, vector) => {
    const nonce = bytesOf(vectors.keys.nonce);
    const good = bytesOf(vector.hex);
    expect(isSealed(crypto, name as 'RESUME', keys, nonce, good)).toBe(true);
    for (let bit = 0; bit < good.length * 8; bit += 1) {
      const bad = Buffer.from(good);
      bad[bit >>> 3]! ^= 1 << (bit & 7);
      expect(isSealed(crypto, name as 'RESUME', keys, nonce, bad)).toBe(false);
    }
  });

  test('of an answer does not hold for another nonce, another session, another kind of frame', () => {
    const nonce = bytesOf(vectors.keys.nonce);
    const good = bytesOf(vectors.frames.find(({ name }) => name === 'RESUMED')!.hex);
    expect(isSealed(crypto, 'RESUMED', keys, NO_NONCE, good)).toBe(false);
    expect(isSealed(crypto, 'RESUMED', { ...keys, sessionId: nonce }, nonce, good)).toBe(false);
    expect(isSealed(crypto, 'REFUSED', keys, nonce, good)).toBe(false);
  });
});

const kinds = {
  magic: fc.constant(undefined),
  u8: fc.integer({ min: 0, max: 255 }),
  u32: fc.oneof(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1)),
  u64: fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1)),
  bytes16: fc.uint8Array({ minLength: 16, maxLength: 16 }),
  bytes32: fc.uint8Array({ minLength: 32, maxLength: 32 }),
};
const anyTlvs = fc.array(
  fc.record({ type: fc.integer({ min: 0, max: 65_535 }), value: fc.uint8Array({ maxLength: 40 }) }),
  {
    maxLength: 3,
  },
);

describe('property', () => {
  const anyFrame = fc.constantFrom(...(Object.keys(layouts) as FrameName[])).chain((name) => {
    const { fields, tlvs }: Layout = layouts[name];
    const values = fields
      .filter(([, kind]) => kind !== 'magic')
      .map(([key, kind, least = 0]: Field) => [
        key,
        (kinds[kind] as fc.Arbitrary<unknown>).map((value) =>
          typeof value === 'number' && value < least ? least : value,
        ),
      ]);
    const shape = { ...Object.fromEntries(values), ...(tlvs ? { tlvs: anyTlvs } : {}) };
    return fc.record(shape).map((record) => {
      const one = record as Record<string, number>;
      if (one.verMin! > one.verMax!) one.verMax = one.verMin!;
      if (one.txFirst! > one.txNext!) one.txNext = one.txFirst!;
      if (one.retryable! > 1) one.retryable = 1;
      return [name, record as Fields<FrameName>] as const;
    });
  });

  property.prop([anyFrame, fc.boolean()], { numRuns: 2000 })('what is written is read', ([name, fields], withMac) => {
    const bytes = encode(name, fields, withMac);
    if ((layouts[name] as Layout).mac === 'always' && !withMac) return;
    const { name: read, mac, ...rest } = decode(bytes) as unknown as Record<string, unknown>;
    expect([read, plain(rest)]).toEqual([name, plain(fields)]);
    expect(mac !== undefined).toBe((layouts[name] as Layout).mac !== undefined && withMac);
  });

  property.prop(
    [anyFrame, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }), fc.nat(40)],
    {
      numRuns: 2000,
    },
  )('damaged bytes are read as a frame or refused by name, never anything else', ([name, fields], damage, cut) => {
    const bytes = encode(name, fields);
    for (const [place, byte] of damage) bytes[place % bytes.length] = byte;
    told(() => decode(bytes.subarray(0, Math.max(0, bytes.length - cut))));
  });

  property.prop([fc.maxSafeNat(), fc.uint8Array({ maxLength: 20 })])(
    'a head is read as it was written',
    (number, junk) => {
      const bytes = Buffer.concat([junk, Buffer.alloc(DATA_HEAD)]);
      writeDataHead(bytes, junk.length, number);
      expect(readDataHead(bytes.subarray(junk.length))).toBe(number % 2 ** 32);
    },
  );
});

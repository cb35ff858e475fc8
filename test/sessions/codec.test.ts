// Records as bytes: sealed or not, and never believed when they were changed.
import { describe, expect, test } from 'vitest';
import type { SessionHead } from '../../src/protocol/session/ports.js';
import { aliasOf, Codec, idOf } from '../../src/sessions/codec.js';
import { createSealer } from '../../src/store/sealing.js';
import { random } from './stage.js';

const head: SessionHead = {
  sessionId: Uint8Array.from({ length: 16 }, (_, index) => 200 + index),
  secret: Uint8Array.from({ length: 32 }, (_, index) => 100 + index),
  clientInstance: Uint8Array.from({ length: 16 }, (_, index) => index),
  longest: 1000,
  window: { bytes: 4096, messages: 10 },
  principal: 'änn "x"',
  secure: true,
  granted: 120_000,
};
const key = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const sealed = new Codec(createSealer(key(1)), random);
const open = new Codec(undefined, random);
const payloads = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')];

describe.each([
  ['sealed', sealed],
  ['unsealed', open],
] as const)('a record, %s,', (_, codec) => {
  test('comes back as it was', () => {
    const blocks = [codec.block('s', 4, payloads.slice(0, 1)), codec.block('s', 5, payloads.slice(1))];
    const record = codec.record('s', { head: codec.head('s', head), epoch: 7, handled: 3, first: 4, blocks });
    expect(record.head).toEqual({ ...head, sessionId: head.sessionId });
    expect([record.epoch, record.handled, record.first, record.payloads.map(String)]).toEqual([
      7,
      3,
      4,
      ['one', '', 'three'],
    ]);
  });

  test('leaves out what lies below its first message', () => {
    const stored = {
      head: codec.head('s', head),
      epoch: 1,
      handled: 1,
      first: 6,
      blocks: [codec.block('s', 4, payloads)],
    };
    expect(codec.record('s', stored).payloads.map(String)).toEqual(['three']);
  });

  test.each([
    ['a block is missing in between', [4, 9]],
    ['the first ones are missing', [5]],
  ])('is not believed where %s', (_name, froms) => {
    const blocks = froms.map((from) => codec.block('s', from, payloads));
    const stored = { head: codec.head('s', head), epoch: 1, handled: 1, first: 4, blocks };
    expect(() => codec.record('s', stored)).toThrow(
      'the session store cannot be believed: messages of a session are missing',
    );
  });

  test.each([[3], [1]])('is not believed where a block of 3 is said to have %s less', (less) => {
    const block = codec.block('s', 4, payloads);
    const stored = {
      head: codec.head('s', head),
      epoch: 1,
      handled: 1,
      first: 4,
      blocks: [{ ...block, next: 7 - less }],
    };
    expect(() => codec.record('s', stored)).toThrow('messages of a session are missing');
  });
});

describe('what is sealed', () => {
  const bytes = sealed.head('s', head);

  test('shows nothing of what it is', () => {
    for (const part of [head.secret, head.sessionId, head.clientInstance]) {
      expect(Buffer.from(bytes).includes(Buffer.from(part))).toBe(false);
      expect(Buffer.from(bytes).includes(Buffer.from(part).toString('base64'))).toBe(false);
    }
    expect(Buffer.from(sealed.block('s', 1, payloads).bytes).includes('three')).toBe(false);
  });

  test('is never the same twice', () => {
    expect(Buffer.compare(sealed.head('s', head), sealed.head('s', head))).not.toBe(0);
  });

  test('does not open when any byte of it was changed', () => {
    for (let at = 0; at < bytes.length; at += 1) {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 1;
      expect(() => sealed.readHead('s', copy), `byte ${at}`).toThrow('the session store cannot be believed');
    }
    for (let length = 0; length < bytes.length; length += 1) {
      expect(() => sealed.readHead('s', bytes.subarray(0, length)), `${length} bytes`).toThrow('the session store');
    }
  });

  test('does not open in another place', () => {
    expect(() => sealed.readHead('t', bytes)).toThrow('lies where it does not belong');
    const block = sealed.block('s', 1, payloads);
    const moved = { ...block, from: 2, next: 5 };
    expect(() => sealed.record('s', { head: bytes, epoch: 1, handled: 1, first: 2, blocks: [moved] })).toThrow(
      'does not belong',
    );
  });

  test('opens with an older key, and is sealed with the newer one', () => {
    const both = new Codec(createSealer([key(2), key(1)]), random);
    expect(both.readHead('s', bytes)).toEqual(head);
    expect(() => sealed.readHead('s', both.head('s', head))).toThrow('was sealed by another key');
  });

  test.each([
    ['a short one', new Uint8Array(31), 'got 31 bytes'],
    ['a text', 'x'.repeat(32) as unknown as Uint8Array, 'got a string'],
    ['none', [], 'got an empty array'],
  ])('a key that is none, %s, is refused without being shown', (_, wrong, words) => {
    const attempt = (): unknown => createSealer(wrong);
    expect(attempt).toThrow(`key must be 32 bytes, or an array of such, ${words}`);
    expect(attempt).not.toThrow(/xxxx/);
  });
});

test('a head that cannot be read says nothing of what is in it', () => {
  const cut = Buffer.from(open.head('s', head)).subarray(0, 150);
  expect(() => open.readHead('s', cut)).toThrow(
    'the session store cannot be believed: the head of a session: it is cut or changed',
  );
  const other = Buffer.from(Buffer.from(open.head('s', head)).toString().replace('"version":1', '"version":9'));
  expect(() => open.readHead('s', other)).toThrow('it has version 9, and 1 is known');
});

test('names in a store tell nothing of the secrets that they stand for', () => {
  expect(idOf(head.sessionId)).toMatch(/^s[0-9a-f]{32}$/);
  expect(aliasOf('ann', head.clientInstance)).toMatch(/^a[0-9a-f]{32}$/);
  expect(idOf(head.sessionId)).not.toContain(Buffer.from(head.sessionId).toString('hex').slice(0, 8));
  expect(aliasOf('ann', head.clientInstance)).not.toBe(aliasOf('bob', head.clientInstance));
});

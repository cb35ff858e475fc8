import { describe, expect, test } from 'vitest';
import { lengthPrefixed } from '../../src/index.js';
import { Writer } from '../../src/socket/writer.js';
import { createVirtualClock } from '../../src/testing/index.js';
import { FakeTransport, framesIn } from './fakes.js';

const KiB = 1024;
const SLAB = 128 * KiB;

function writing(framing = lengthPrefixed()) {
  const clock = createVirtualClock();
  const transport = new FakeTransport();
  const told: string[] = [];
  const writer = new Writer(transport, framing, clock, {
    wrote: (now) => told.push(`wrote at ${now}`),
    progressed: () => told.push('progressed'),
    flushed: (upTo) => told.push(`flushed ${upTo}`),
  });
  let number = 0;
  const put = (message: string | Buffer) => {
    number += 1;
    writer.put(Buffer.from(message), number);
  };
  return { clock, transport, told, writer, put };
}

describe('the writer', () => {
  test('small messages of one tick go in one write, in order, when the tick is over', async () => {
    const { clock, transport, told, put } = writing();
    for (const message of ['a', 'bb', 'ccc']) put(message);
    expect(transport.log).toEqual([]);
    await clock.settle();
    expect(transport.log).toEqual(['write 18']);
    expect(transport.bytes.toString('hex')).toBe('00000001610000000262620000000363' + '6363');
    expect(told).toEqual(['wrote at 0']);
  });

  test('the next tick has a write of its own', async () => {
    const { clock, transport, put } = writing();
    put('a');
    await clock.settle();
    put('b');
    await clock.settle();
    expect(transport.log).toEqual(['write 5', 'write 5']);
  });

  test('messages of 0 … 8 bytes and more are copied whole', async () => {
    const { clock, transport, put } = writing();
    const sent = Array.from({ length: 20 }, (_, n) => 'abcdefghijklmnopqrstuvwxyz'.slice(0, n));
    for (const message of sent) put(message);
    await clock.settle();
    expect(framesIn(transport.bytes)).toEqual(sent.map((message) => message || '~'));
  });

  test('a buffer that is changed after the tick does no harm when it was small', async () => {
    const { clock, transport, put } = writing();
    const message = Buffer.from('before');
    put(message);
    await clock.settle();
    message.fill('x');
    expect(framesIn(transport.bytes)).toEqual(['before']);
  });

  test('a slab that is full is written at once, and another is begun', async () => {
    const { clock, transport, put } = writing();
    const size = 1020;
    for (let n = 0; n < 128; n += 1) put('x'.repeat(size));
    expect(transport.log).toEqual([]);
    put('y');
    expect(transport.log).toEqual([`write ${SLAB}`]);
    await clock.settle();
    expect(transport.log).toEqual([`write ${SLAB}`, 'write 5']);
  });

  const sizes: [number, string[]][] = [
    [32 * KiB - 1, [`write ${32 * KiB + 3}`]],
    [32 * KiB, ['cork', 'write 4', `write ${32 * KiB}`, 'uncork']],
    [64 * KiB, ['cork', 'write 4', `write ${64 * KiB}`, 'uncork']],
    [64 * KiB + 1, ['cork', 'write 4', `write ${64 * KiB}`, 'write 1', 'uncork']],
    [200 * KiB, ['cork', 'write 4', ...Array(3).fill(`write ${64 * KiB}`), `write ${8 * KiB}`, 'uncork']],
  ];
  test.each(sizes)('a message of %d bytes: %j', async (size, log) => {
    const { clock, transport, writer } = writing();
    const message = Buffer.alloc(size, 'm');
    writer.put(message, 1);
    await clock.settle();
    expect(transport.log).toEqual(log);
    const uncopied = transport.writes.filter((bytes) => bytes.buffer === message.buffer);
    expect(uncopied.length).toBe(log.length > 1 ? log.length - 3 : 0);
    expect(framesIn(transport.bytes)[0]?.length).toBe(size);
  });

  test('small, large, small: in order, whatever way they go', async () => {
    const { clock, transport, put } = writing();
    const messages = ['a', 'b'.repeat(40 * KiB), 'c', 'd'.repeat(100 * KiB), 'e'];
    for (const message of messages) put(message);
    await clock.settle();
    expect(framesIn(transport.bytes)).toEqual(messages);
  });

  test('a large message whose header does not fit into the slab any more', async () => {
    const { clock, transport, put } = writing();
    for (let n = 0; n < 127; n += 1) put('x'.repeat(1020));
    put('y'.repeat(1018));
    put('z'.repeat(40 * KiB));
    await clock.settle();
    expect(framesIn(transport.bytes).map((frame) => frame.length)).toEqual([...Array(127).fill(1020), 1018, 40 * KiB]);
  });

  test.each([lengthPrefixed({ bytes: 2, endian: 'little' }), lengthPrefixed({ includesHeader: true })])(
    'writes the header of $name',
    async (framing) => {
      const { clock, transport, put } = writing(framing);
      put('hello');
      await clock.settle();
      const header = framing.headerLength === 2 ? '0500' : '00000009';
      expect(transport.bytes.toString('hex')).toBe(`${header}68656c6c6f`);
    },
  );

  test('pendingBytes counts the slab and what the kernel has not taken', async () => {
    const { clock, transport, writer, put } = writing();
    put('12345');
    expect(writer.pendingBytes).toBe(9);
    await clock.settle();
    put('1');
    expect(writer.pendingBytes).toBe(14);
    transport.take();
    expect(writer.pendingBytes).toBe(5);
  });
});

describe('a message of a session', () => {
  const numbered = (payload: string, number: number) => {
    const head = Buffer.from([0x10, 0, 0, 0, 0, 0]);
    head.writeUInt32BE(number, 2);
    return Buffer.concat([head, Buffer.from(payload)]).toString('latin1');
  };

  test('has a head with its number between the header of the frame and itself', async () => {
    const { clock, transport, told, writer } = writing();
    writer.putNumbered(Buffer.from('abc'), 1, 0x0102_0304);
    await clock.settle();
    expect(transport.bytes.toString('hex')).toBe('00000009' + '100001020304' + '616263');
    transport.take();
    expect(told).toEqual(['wrote at 0', 'progressed', 'flushed 1']);
  });

  test('may be empty: its head is there', async () => {
    const { clock, transport, writer } = writing();
    writer.putNumbered(Buffer.alloc(0), 1, 7);
    await clock.settle();
    expect(transport.bytes.toString('hex')).toBe('00000006' + '100000000007');
  });

  test('goes among frames of other kinds in one write, in order; theirs are not counted as flushed', async () => {
    const { clock, transport, told, writer } = writing();
    writer.putNumbered(Buffer.from('a'), 1, 1);
    writer.put(Buffer.from('control'), 0);
    writer.putNumbered(Buffer.from('b'), 2, 2);
    writer.put(Buffer.from('control'), 0);
    await clock.settle();
    expect(framesIn(transport.bytes)).toEqual([numbered('a', 1), 'control', numbered('b', 2), 'control']);
    transport.take();
    expect(told).toEqual(['wrote at 0', 'progressed', 'flushed 2']);
  });

  const sizes: [number, string[]][] = [
    [32 * KiB - 7, [`write ${32 * KiB + 3}`]],
    [32 * KiB - 6, ['cork', 'write 10', `write ${32 * KiB - 6}`, 'uncork']],
    [100 * KiB, ['cork', 'write 10', `write ${64 * KiB}`, `write ${36 * KiB}`, 'uncork']],
  ];
  test.each(sizes)('of %d bytes is copied where it is small, and else only its head: %j', async (size, log) => {
    const { clock, transport, writer } = writing();
    const message = Buffer.alloc(size, 'm');
    writer.putNumbered(message, 1, 5);
    await clock.settle();
    expect(transport.log).toEqual(log);
    expect(transport.writes.some((bytes) => bytes.buffer === message.buffer)).toBe(log.length > 1);
    expect(framesIn(transport.bytes)).toEqual([numbered('m'.repeat(size), 5)]);
  });

  test('whatever its size beside the slab, all of them come whole and in order', async () => {
    const { clock, transport, writer } = writing();
    const sizes = [1, 1000, 40 * KiB, 0, 31 * KiB, 31 * KiB, 31 * KiB, 31 * KiB, 31 * KiB, 300 * KiB, 5];
    for (const [index, size] of sizes.entries()) writer.putNumbered(Buffer.alloc(size, 'm'), index + 1, index + 1);
    await clock.settle();
    for (let turn = 0; turn < 20; turn += 1) {
      transport.take();
      await clock.settle();
    }
    expect(framesIn(transport.bytes)).toEqual(sizes.map((size, index) => numbered('m'.repeat(size), index + 1)));
    expect(writer.pendingBytes).toBe(0);
  });

  test('counts with its head in pendingBytes', () => {
    const { writer } = writing();
    writer.putNumbered(Buffer.from('12345'), 1, 1);
    expect(writer.pendingBytes).toBe(15);
  });

  test('is not put after close()', async () => {
    const { clock, transport, writer } = writing();
    writer.close();
    writer.putNumbered(Buffer.from('a'), 1, 1);
    writer.putNumbered(Buffer.alloc(100 * KiB), 2, 2);
    await clock.settle();
    expect(transport.log).toEqual([]);
  });

  test.each([lengthPrefixed({ bytes: 2, endian: 'little' }), lengthPrefixed({ includesHeader: true })])(
    'has the header of $name',
    async (framing) => {
      const { clock, transport, writer } = writing(framing);
      writer.putNumbered(Buffer.from('x'), 1, 1);
      await clock.settle();
      const header = framing.headerLength === 2 ? '0700' : '0000000b';
      expect(transport.bytes.toString('hex')).toBe(`${header}10000000000178`);
    },
  );
});

describe('the window', () => {
  const all = (transport: FakeTransport) => transport.writes.map((bytes) => bytes.length);

  test('with 256 KiB not taken nothing more is handed over; then as much as was taken', async () => {
    const { clock, transport, writer } = writing();
    const message = Buffer.alloc(1000 * KiB, 'm');
    writer.put(message, 1);
    await clock.settle();
    expect(all(transport)).toEqual([4, ...Array(4).fill(64 * KiB)]);
    expect(writer.pendingBytes).toBe(1000 * KiB + 4);
    transport.take(1);
    expect(all(transport).length).toBe(5);
    transport.take(1);
    expect(all(transport).length).toBe(6);
    while (writer.pendingBytes > 0) transport.take(1);
    expect(framesIn(transport.bytes).map((frame) => frame.length)).toEqual([1000 * KiB]);
  });

  test('small messages collect behind a shut one, in full slabs, in order', async () => {
    const { clock, transport, writer, put } = writing();
    const sent = Array.from({ length: 700 }, (_, n) => `${n} `.padEnd(1020, '.'));
    for (const [n, message] of sent.entries()) {
      put(message);
      if (n % 50 === 0) await clock.settle();
    }
    await clock.settle();
    const before = all(transport);
    expect(before.reduce((sum, size) => sum + size)).toBeLessThan(256 * KiB + SLAB);
    while (writer.pendingBytes > 0) transport.take(1);
    expect(framesIn(transport.bytes)).toEqual(sent);
    expect(
      all(transport)
        .slice(before.length)
        .filter((size) => size < SLAB).length,
    ).toBeLessThanOrEqual(1);
  });

  test('large and small ones, put while it is shut and open, come in order', async () => {
    const { clock, transport, writer, put } = writing();
    const sent: string[] = [];
    for (let n = 0; n < 60; n += 1) {
      sent.push(String(n % 10).repeat([3, 40 * KiB, 300, 300 * KiB, 10 * KiB][n % 5] as number));
      put(sent.at(-1) as string);
      if (n % 7 === 0) transport.take(2);
      if (n % 3 === 0) await clock.settle();
    }
    await clock.settle();
    while (writer.pendingBytes > 0) transport.take(1);
    expect(framesIn(transport.bytes)).toEqual(sent);
  });

  test('end() waits until all was handed over', async () => {
    const { clock, transport, writer, put } = writing();
    writer.put(Buffer.alloc(500 * KiB), 1);
    put('last');
    const ended: string[] = [];
    writer.end(() => ended.push('finished'));
    await clock.settle();
    expect(transport.log).not.toContain('end');
    while (writer.pendingBytes > 0) transport.take(1);
    expect(transport.log.filter((line) => line === 'end')).toEqual(['end']);
    expect(framesIn(transport.bytes).at(-1)).toBe('last');
    transport.finished?.();
    expect(ended).toEqual(['finished']);
  });

  test('progress is told of each piece', async () => {
    const { clock, transport, told, writer } = writing();
    writer.put(Buffer.alloc(300 * KiB), 1);
    await clock.settle();
    while (writer.pendingBytes > 0) transport.take(1);
    expect(told.filter((line) => line === 'progressed').length).toBe(6);
  });
});

describe('what is flushed', () => {
  test('is told as the kernel takes it: of a slab the last, of a large message its last piece', async () => {
    const { clock, transport, told, put } = writing();
    for (const message of ['1', '2', '3'.repeat(100 * KiB), '4', '5']) put(message);
    await clock.settle();
    const flushed = () => told.filter((line) => line.startsWith('flushed'));
    transport.take(1);
    expect(flushed()).toEqual(['flushed 2']);
    transport.take(2);
    expect(flushed()).toEqual(['flushed 2']);
    transport.take(1);
    expect(flushed()).toEqual(['flushed 2', 'flushed 3']);
    transport.take();
    expect(flushed()).toEqual(['flushed 2', 'flushed 3', 'flushed 5']);
  });

  test('an empty frame (number 0) does not go back behind what was flushed', async () => {
    const { clock, transport, told, writer, put } = writing();
    put('1');
    await clock.settle();
    writer.put(Buffer.alloc(0), 0);
    await clock.settle();
    transport.take();
    expect(told.filter((line) => line.startsWith('flushed'))).toEqual(['flushed 1', 'flushed 1']);
  });

  test('is nothing where the write failed', async () => {
    const { clock, transport, told, put } = writing();
    put('1');
    put('2'.repeat(40 * KiB));
    await clock.settle();
    transport.take(3, new Error('EPIPE'));
    expect(told.filter((line) => line.startsWith('flushed'))).toEqual([]);
  });
});

describe('slabs', () => {
  test('are used again when the kernel has taken them, and not before', async () => {
    const { clock, transport, put } = writing();
    put('1');
    await clock.settle();
    put('2');
    await clock.settle();
    expect(transport.writes[0]?.buffer).not.toBe(transport.writes[1]?.buffer);
    transport.take();
    put('3');
    await clock.settle();
    expect([transport.writes[0]?.buffer, transport.writes[1]?.buffer]).toContain(transport.writes[2]?.buffer);
    expect(framesIn(Buffer.from(transport.writes[2] as Uint8Array))).toEqual(['3']);
  });

  test('that failed are not used again', async () => {
    const { clock, transport, put } = writing();
    put('1');
    await clock.settle();
    transport.take(1, new Error('ECONNRESET'));
    put('2');
    await clock.settle();
    expect(transport.writes[1]?.buffer).not.toBe(transport.writes[0]?.buffer);
  });
});

describe('after close()', () => {
  test('nothing is put, flushed or told, not even what waited for the end of the tick', async () => {
    const { clock, transport, told, writer, put } = writing();
    put('written');
    await clock.settle();
    put('waiting');
    writer.close();
    put('late');
    put('x'.repeat(40 * KiB));
    writer.flush();
    await clock.settle();
    transport.take();
    expect([transport.log, told, writer.pendingBytes]).toEqual([['write 11'], ['wrote at 0'], 0]);
  });
});

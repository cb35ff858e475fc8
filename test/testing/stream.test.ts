import { describe, expect, test } from 'vitest';
import { createRandom } from '../../src/testing/index.js';
import { line, type Owner, written } from './peers.js';

const numbered = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, index) => index % 251));
const sizes = (owner: Owner): number[] => owner.chunks.map((chunk) => chunk.length);

describe('cutting', () => {
  test('asWritten: a chunk for each write, at most chunkSize long', async () => {
    const { clock, near, far } = await line({ chunkSize: 100 });
    for (const length of [3, 100, 250]) near.transport.write(numbered(length), written);
    await clock.advance(5);
    expect(sizes(far)).toEqual([3, 100, 100, 100, 50]);
  });

  test('asWritten: corked writes come as one', async () => {
    const { clock, near, far } = await line();
    near.transport.cork();
    near.transport.write(Buffer.from('a'), written);
    near.transport.write(Buffer.from('b'), written);
    await clock.advance(5);
    expect(sizes(far)).toEqual([]);
    near.transport.uncork();
    near.transport.write(Buffer.from('c'), written);
    await clock.advance(5);
    expect(far.chunks.map(String)).toEqual(['ab', 'c']);
  });

  test('end uncorks', async () => {
    const { clock, near, far } = await line();
    near.transport.cork();
    near.transport.write(Buffer.from('a'), written);
    near.transport.end(written);
    await clock.advance(5);
    expect(far.heard).toEqual(['chunk 1', 'ended']);
  });

  test('bytes: one at a time', async () => {
    const { clock, near, far } = await line({ cut: 'bytes' });
    near.transport.write(Buffer.from('abc'), written);
    await clock.advance(5);
    expect(far.chunks.map(String)).toEqual(['a', 'b', 'c']);
  });

  test('random: splits and merges writes, the bytes stay', async () => {
    const { clock, near, far } = await line({ cut: 'random', seed: 7 });
    const sent = numbered(4000);
    for (let from = 0; from < sent.length; from += 10) {
      near.transport.write(sent.subarray(from, from + 10), written);
      if (from % 500 === 0) await clock.advance(5);
    }
    await clock.advance(5);
    expect(far.received.equals(sent)).toBe(true);
    expect(sizes(far).some((size) => size < 4)).toBe(true);
    expect(sizes(far).some((size) => size > 20)).toBe(true);
  });

  test('random: with jitter, a write is cut in time as well', async () => {
    const { clock, near, far } = await line({ cut: 'random', seed: 7, jitterMs: 20 });
    const arrivals = new Set<number>();
    far.on.chunk = () => arrivals.add(clock.now());
    near.transport.write(numbered(5000), written);
    await clock.advance(50);
    expect([arrivals.size > 1, far.received.equals(numbered(5000))]).toEqual([true, true]);
  });

  test('random: another seed, another cut', async () => {
    const cut = async (seed: number): Promise<number[]> => {
      const { clock, near, far } = await line({ cut: 'random', seed });
      near.transport.write(numbered(5000), written);
      await clock.advance(5);
      return sizes(far);
    };
    expect(await cut(1)).toEqual(await cut(1));
    expect(await cut(1)).not.toEqual(await cut(2));
  });

  test('a chunk is its owner’s to keep', async () => {
    const { clock, near, far } = await line({ chunkSize: 4 });
    near.transport.write(Buffer.from('abcdefgh'), written);
    await clock.advance(5);
    const [first, second] = far.chunks;
    expect(first?.buffer).not.toBe(second?.buffer);
    expect(first?.buffer.byteLength).toBe(4);
  });
});

describe('writing', () => {
  test('the bytes are copied when the kernel takes them, and only then the writer is told', async () => {
    const { clock, near, far } = await line();
    const bytes = Buffer.from('good');
    let told = 0;
    near.transport.write(bytes, (error) => {
      expect(error).toBeUndefined();
      told += 1;
      bytes.fill('x');
    });
    expect([near.transport.pendingBytes, told]).toEqual([4, 0]);
    await clock.advance(5);
    expect([near.transport.pendingBytes, told, `${far.received}`]).toEqual([0, 1, 'good']);
  });

  test('whoever changes them before is punished', async () => {
    const { clock, near, far } = await line();
    const bytes = Buffer.from('good');
    near.transport.write(bytes, written);
    bytes.fill('x');
    await clock.advance(5);
    expect(`${far.received}`).toBe('xxxx');
  });

  test('nothing at all can be written too', async () => {
    const { clock, near, far } = await line();
    const order: string[] = [];
    near.transport.write(Buffer.alloc(0), () => order.push('empty'));
    near.transport.write(Buffer.from('x'), () => order.push('x'));
    await clock.advance(5);
    expect([order, far.heard]).toEqual([['empty', 'x'], ['chunk 1']]);
  });

  test.each([
    ['after end', 'ERR_STREAM_WRITE_AFTER_END', (owner: Owner) => owner.transport.end(written)],
    ['after destroy', 'ERR_STREAM_DESTROYED', (owner: Owner) => owner.transport.destroy()],
    ['after reset', 'ERR_STREAM_DESTROYED', (owner: Owner) => owner.transport.reset()],
  ])('%s it fails with %s', async (_, code, before) => {
    const { clock, near } = await line();
    before(near);
    let error: NodeJS.ErrnoException | null | undefined;
    near.transport.write(Buffer.from('x'), (problem) => {
      error = problem;
    });
    await clock.advance(5);
    expect(error?.code).toBe(code);
  });

  test('destroy tells those who wait, before closed', async () => {
    const { clock, near } = await line({ windowBytes: 10 });
    near.transport.write(Buffer.alloc(100), (error) =>
      near.heard.push(`written ${(error as NodeJS.ErrnoException).code}`),
    );
    await clock.advance(0);
    near.transport.destroy();
    expect(near.transport.pendingBytes).toBe(0);
    await clock.advance(0);
    expect(near.heard).toEqual(['written ERR_STREAM_DESTROYED', 'closed']);
  });
});

describe('the receive window', () => {
  test('a paused reader stops the writer when the window is full', async () => {
    const { clock, near, far } = await line({ windowBytes: 1000 });
    far.transport.pause();
    const told: number[] = [];
    for (const index of [1, 2, 3]) near.transport.write(numbered(600), () => told.push(index));
    await clock.advance(10_000);
    expect([near.transport.pendingBytes, told, far.heard]).toEqual([800, [1], []]);
    far.transport.resume();
    await clock.advance(10);
    expect([near.transport.pendingBytes, told, far.received.length]).toEqual([0, [1, 2, 3], 1800]);
  });

  test('256 KiB are taken by default', async () => {
    const { clock, near, far } = await line();
    far.transport.pause();
    near.transport.write(Buffer.alloc(1_000_000), written);
    await clock.advance(100);
    expect(near.transport.pendingBytes).toBe(1_000_000 - 262_144);
  });

  test('it bounds what goes through in a round trip', async () => {
    const { clock, near, far } = await line({ latencyMs: 50, windowBytes: 1000 });
    near.transport.write(Buffer.alloc(10_000), written);
    await clock.advance(499);
    expect(far.received.length).toBe(5000);
  });

  test('the FIN waits for room like everything before it', async () => {
    const { clock, near, far } = await line({ windowBytes: 10 });
    far.transport.pause();
    near.transport.write(Buffer.alloc(20), written);
    near.transport.end(() => near.heard.push('finished'));
    await clock.advance(100);
    expect(near.heard).toEqual([]);
    far.transport.resume();
    await clock.advance(100);
    expect([near.heard, far.heard]).toEqual([['finished'], ['chunk 10', 'chunk 10', 'ended']]);
  });
});

describe('bandwidth and jitter', () => {
  test('bytesPerSecond bounds a direction', async () => {
    const { clock, near, far } = await line({ bytesPerSecond: 1000, chunkSize: 100 });
    near.transport.write(Buffer.alloc(1000), written);
    await clock.advance(501);
    expect(far.received.length).toBe(500);
  });

  test('jitter delays, and keeps the order', async () => {
    const { clock, near, far } = await line({ jitterMs: 50, seed: 3, latencyMs: 1 });
    const start = clock.now();
    const arrivals: number[] = [];
    far.on.chunk = () => arrivals.push(clock.now() - start);
    for (let index = 0; index < 20; index += 1) near.transport.write(Buffer.from([index]), written);
    await clock.advance(100);
    expect([...far.received]).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(new Set(arrivals).size).toBeGreaterThan(1);
    for (const arrival of arrivals) expect(arrival >= 1 && arrival <= 51).toBe(true);
  });
});

// How a line ends. `near` does something at 0 ms; then `far` may do something in return.
describe('FIN and RST', () => {
  test('end: a FIN behind all data; the other direction stays open', async () => {
    const { clock, network, near, far } = await line();
    near.transport.write(Buffer.from('last'), written);
    near.transport.end(() => near.heard.push('finished'));
    await clock.advance(5);
    expect([near.heard, far.heard]).toEqual([['finished'], ['chunk 4', 'ended']]);
    far.transport.write(Buffer.from('answer'), written);
    await clock.advance(5);
    expect([near.heard.at(-1), network.openTransports]).toEqual(['chunk 6', 2]);
    far.transport.end(() => far.heard.push('finished'));
    await clock.advance(5);
    expect([near.heard.slice(2), far.heard.slice(2)]).toEqual([
      ['ended', 'closed'],
      ['finished', 'closed'],
    ]);
    expect(network.openTransports).toBe(0);
  });

  test('both may end at once', async () => {
    const { clock, network, near, far } = await line();
    near.transport.end(() => near.heard.push('finished'));
    far.transport.end(() => far.heard.push('finished'));
    await clock.advance(5);
    expect([near.heard, far.heard]).toEqual([
      ['finished', 'ended', 'closed'],
      ['finished', 'ended', 'closed'],
    ]);
    expect(network.openTransports).toBe(0);
  });

  test('destroy after end: the other side hears one FIN', async () => {
    const { clock, near, far } = await line();
    near.transport.end(written);
    await clock.advance(5);
    near.transport.destroy();
    await clock.advance(5);
    expect([near.heard, far.heard]).toEqual([['closed'], ['ended']]);
  });

  test('ended waits for a paused reader', async () => {
    const { clock, near, far } = await line();
    far.transport.pause();
    near.transport.write(Buffer.from('last'), written);
    near.transport.end(written);
    await clock.advance(100);
    expect(far.heard).toEqual([]);
    far.transport.resume();
    await clock.advance(1);
    expect(far.heard).toEqual(['chunk 4', 'ended']);
  });

  test('destroy with nothing unread: the other side hears a FIN behind the data', async () => {
    const { clock, near, far } = await line();
    near.transport.write(Buffer.from('last'), written);
    await clock.advance(0);
    near.transport.destroy();
    await clock.advance(5);
    expect([near.heard, far.heard]).toEqual([['closed'], ['chunk 4', 'ended']]);
  });

  test('destroy with something unread: the other side is reset', async () => {
    const { clock, near, far } = await line();
    near.transport.pause();
    far.transport.write(Buffer.from('unread'), written);
    await clock.advance(5);
    near.transport.destroy();
    await clock.advance(5);
    expect([near.heard, far.heard]).toEqual([['closed'], ['failed ECONNRESET', 'closed']]);
    expect(far.errors[0]?.message).toBe('read ECONNRESET');
  });

  test('a write to a destroyed end is answered by a RST', async () => {
    const { clock, network, near, far } = await line();
    near.transport.destroy();
    await clock.advance(5);
    far.transport.write(Buffer.from('hello?'), (error) => far.heard.push(`written ${error}`));
    await clock.advance(5);
    expect(far.heard).toEqual(['ended', 'written undefined', 'failed ECONNRESET', 'closed']);
    expect(network.openTransports).toBe(0);
  });

  test('bytes that cross a destroy are answered by a RST', async () => {
    const { clock, near, far } = await line({ latencyMs: 10 });
    far.transport.write(Buffer.from('crossing'), written);
    await clock.advance(5);
    near.transport.destroy();
    await clock.advance(50);
    expect([near.heard, far.heard]).toEqual([['closed'], ['ended', 'failed ECONNRESET', 'closed']]);
  });

  test('reset: what was under way is read, then it fails', async () => {
    const { clock, network, near, far } = await line();
    near.transport.write(Buffer.from('last'), written);
    await clock.advance(0);
    near.transport.reset();
    await clock.advance(5);
    expect([near.heard, far.heard]).toEqual([['closed'], ['chunk 4', 'failed ECONNRESET', 'closed']]);
    expect(network.openTransports).toBe(0);
  });

  test('a paused reader meets the reset when it writes or reads on', async () => {
    for (const act of [
      (owner: Owner) => owner.transport.resume(),
      (owner: Owner) => owner.transport.write(Buffer.from('x'), written),
    ]) {
      const { clock, near, far } = await line();
      far.transport.pause();
      near.transport.reset();
      await clock.advance(100);
      expect(far.heard).toEqual([]);
      act(far);
      await clock.advance(1);
      expect(far.heard).toEqual(['failed ECONNRESET', 'closed']);
    }
  });

  test('whoever waits for room is told of the reset', async () => {
    const { clock, near, far } = await line({ windowBytes: 10 });
    near.transport.pause();
    far.transport.write(Buffer.alloc(100), (error) =>
      far.heard.push(`written ${(error as NodeJS.ErrnoException).code}`),
    );
    far.transport.end(() => expect.fail('it was never taken'));
    await clock.advance(5);
    near.transport.reset();
    await clock.advance(5);
    expect(far.heard).toEqual(['failed ECONNRESET', 'written ECONNRESET', 'closed']);
  });

  test('destroy, reset and end again, and after closed, do nothing', async () => {
    const { clock, network, near, far } = await line();
    near.transport.end(written);
    near.transport.end(() => expect.fail('it was ended before'));
    near.transport.destroy();
    near.transport.destroy();
    near.transport.reset();
    await clock.advance(5);
    near.transport.destroy();
    near.transport.end(() => expect.fail('it is closed'));
    near.transport.pause();
    near.transport.resume();
    await clock.advance(5);
    expect([near.heard, far.heard, network.openTransports]).toEqual([['closed'], ['ended'], 1]);
  });

  test('resetAll: both ends hear it at once', async () => {
    const { clock, network, near, far } = await line();
    network.resetAll();
    await clock.advance(0);
    expect([near.heard, far.heard]).toEqual([
      ['failed ECONNRESET', 'closed'],
      ['failed ECONNRESET', 'closed'],
    ]);
    expect(network.openTransports).toBe(0);
  });
});

describe('whatever the cutting, the window, the pauses', () => {
  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'both streams arrive whole and in order (seed %d)',
    async (seed) => {
      const random = createRandom(seed, 'test');
      const upTo = (most: number): number => Math.floor(random() * most);
      const { clock, network, near, far } = await line({
        seed,
        cut: random() < 0.8 ? 'random' : 'bytes',
        windowBytes: 1 + upTo(500),
        chunkSize: 1 + upTo(100),
        latencyMs: upTo(4),
        jitterMs: upTo(20),
      });
      const sent = new Map([near, far].map((owner) => [owner, [] as Buffer[]]));
      for (let round = 0; round < 60; round += 1) {
        for (const [owner, writes] of sent) {
          if (random() < 0.3) owner.transport.cork();
          else if (random() < 0.7) owner.transport.uncork();
          const bytes = Buffer.from(Array.from({ length: upTo(60) }, () => upTo(256)));
          writes.push(Buffer.from(bytes));
          owner.transport.write(bytes, () => bytes.fill(0));
          if (random() < 0.2) owner.transport.pause();
          else if (random() < 0.5) owner.transport.resume();
        }
        if (random() < 0.1) network.cut();
        else if (random() < 0.3) network.heal();
        await clock.advance(upTo(5));
      }
      network.heal();
      for (const owner of sent.keys()) {
        owner.transport.resume();
        owner.transport.end(written);
      }
      await clock.runUntil(() => network.openTransports === 0);
      expect(far.received.equals(Buffer.concat(sent.get(near) as Buffer[]))).toBe(true);
      expect(near.received.equals(Buffer.concat(sent.get(far) as Buffer[]))).toBe(true);
      for (const owner of sent.keys()) expect(owner.heard.slice(-2)).toEqual(['ended', 'closed']);
    },
  );
});

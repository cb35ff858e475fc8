import { describe, expect, test } from 'vitest';
import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { dial, line, listen, written } from './peers.js';

// The contract (environment.ts, DESIGN §5.2): a late event loop must not be mistaken for a silent peer.

describe('a blocked event loop', () => {
  test('lets time go by at once: no timer fires, nothing is handed over', async () => {
    const { clock, near, far } = await line();
    let fired = false;
    clock.setTimeout(() => {
      fired = true;
    }, 10);
    far.transport.write(Buffer.from('hello'), written);
    const before = clock.now();
    clock.block(500);
    expect([clock.now() - before, fired, near.heard]).toEqual([500, false, []]);
  });

  test('polls before its late timers fire, and they see the instant of that poll', async () => {
    const { clock, client, near, far } = await line();
    const view = client.environment().clock;
    const order: string[] = [];
    near.on.chunk = (bytes) => order.push(`${bytes}`);
    view.setTimeout(() => order.push(`timer, ${view.now() - start} late, polled ${view.polledAt() - start}`), 100);
    const start = clock.now();
    far.transport.write(Buffer.from('before'), written);
    clock.block(50);
    far.transport.write(Buffer.from('during'), written);
    clock.block(450);
    await clock.advance(0);
    expect(order).toEqual(['before', 'during', 'timer, 500 late, polled 500']);
  });

  test('fires late timers in the order in which they were due', async () => {
    const clock = createVirtualClock();
    const fired: number[] = [];
    for (const ms of [30, 10, 20]) clock.setTimeout(() => fired.push(ms), ms);
    clock.block(100);
    await clock.advance(0);
    expect(fired).toEqual([10, 20, 30]);
  });

  test('keeps both ends of one process alive: what they sent each other is heard first', async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock });
    const both = network.environment();
    const port = listen(both);
    const near = dial(both);
    await clock.advance(5);
    const heardAt = { near: 0, far: 0 };
    near.on.chunk = () => (heardAt.near = clock.now());
    const [far] = port.accepted;
    if (far === undefined) throw new Error('not accepted');
    far.on.chunk = () => (heardAt.far = clock.now());
    near.transport.write(Buffer.from('a'), written);
    far.transport.write(Buffer.from('b'), written);
    let verdict = 0;
    both.clock.setTimeout(() => {
      verdict = both.clock.polledAt() - Math.min(heardAt.near, heardAt.far);
    }, 3000);
    clock.block(10_000);
    await clock.advance(0);
    expect(verdict).toBe(0);
  });

  // A blocker in poll, and one in check, between a timer and its verdict: what came while it blocked is still unread
  // when the timer fires, so only `polledAt()` is right.
  test.each([1, 500])('a handler blocks for %d ms before a timer: every byte by polledAt was read', async (blockMs) => {
    const { clock, client, near, far } = await line({ latencyMs: 10 });
    const view = client.environment().clock;
    const chunks: string[] = [];
    near.on.chunk = (bytes) => {
      chunks.push(`${bytes}`);
      if (`${bytes}` === 'first') clock.block(blockMs);
    };
    far.transport.write(Buffer.from('first'), written);
    await clock.advance(1);
    far.transport.write(Buffer.from('second'), written);
    let seen: unknown;
    view.setTimeout(() => {
      seen = { behind: view.now() - view.polledAt(), chunks: [...chunks] };
    }, 9);
    await clock.advance(1000);
    expect(seen).toEqual({ behind: blockMs, chunks: ['first'] });
    expect(chunks).toEqual(['first', 'second']);
  });

  test('another timer blocks just before: every byte by polledAt was read', async () => {
    const { clock, client, near, far } = await line();
    const view = client.environment().clock;
    let seen: unknown;
    view.setTimeout(() => {
      far.transport.write(Buffer.from('bytes'), written);
      clock.block(500);
    }, 5);
    view.setTimeout(() => {
      seen = { behind: view.now() - view.polledAt(), heard: [...near.heard] };
    }, 5);
    await clock.advance(1000);
    expect(seen).toEqual({ behind: 500, heard: [] });
    expect(near.heard).toEqual(['chunk 5']);
  });

  test('outside of timers, polledAt does not promise what nobody has read', async () => {
    const { clock, client, near, far } = await line();
    const view = client.environment().clock;
    const start = clock.now();
    far.transport.write(Buffer.from('bytes'), written);
    clock.block(100);
    expect(view.polledAt() - start).toBe(0);
    near.on.chunk = () => expect(view.polledAt() - start).toBe(0);
    await clock.advance(0);
    expect([near.heard, view.polledAt() - start]).toEqual([['chunk 5'], 100]);
  });

  test('timers fire although every poll is slow and there is always more to read', async () => {
    const { clock, client, near, far } = await line();
    near.on.chunk = () => clock.block(25);
    const talk = (): void => {
      far.transport.write(Buffer.from('more'), written);
      clock.setTimeout(talk, 5);
    };
    talk();
    let fired = false;
    client.environment().clock.setTimeout(() => {
      fired = true;
    }, 100);
    await clock.runUntil(() => fired, { limit: 2000 });
  });
});

describe('an event loop on time', () => {
  test('delivers what arrives at an instant before the timers of that instant', async () => {
    const { clock, client, near, far } = await line();
    const view = client.environment().clock;
    const order: string[] = [];
    near.on.chunk = () => order.push('chunk');
    view.setTimeout(() => order.push('timer'), 1);
    far.transport.write(Buffer.from('x'), written);
    await clock.advance(1);
    expect(order).toEqual(['chunk', 'timer']);
  });

  test('delivers what one timer causes at the same instant before the next timer fires', async () => {
    const { clock, client, near, far } = await line({ latencyMs: 0 });
    const view = client.environment().clock;
    const order: string[] = [];
    near.on.chunk = () => order.push('chunk');
    view.setTimeout(() => far.transport.write(Buffer.from('x'), written), 5);
    view.setTimeout(() => order.push('timer'), 5);
    await clock.advance(5);
    expect(order).toEqual(['chunk', 'timer']);
  });

  test('reads all that lies there, however finely it is cut, before a timer fires', async () => {
    const { clock, client, near, far } = await line({ cut: 'bytes' });
    const view = client.environment().clock;
    let read = -1;
    view.setTimeout(() => {
      read = near.received.length;
    }, 1);
    far.transport.write(Buffer.alloc(300), written);
    await clock.advance(1);
    expect(read).toBe(300);
  });
});

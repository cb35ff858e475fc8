/** When a session's message counts as handled, as the inbox tells it: places from 1, in the order in which they came. */
import { describe, expect, test } from 'vitest';
import { Inbox } from '../../src/delivery/inbox.js';
import { codeOf } from '../connection/stage.js';

function inboxOf(limits: { inboxBytes?: number; inboxMessages?: number } = {}, copy = false) {
  const settled: number[] = [];
  const inbox = new Inbox(
    { inboxBytes: 1000, inboxMessages: 1000, ...limits },
    { pauseReading() {}, resumeReading() {} },
    copy,
  );
  inbox.settler = { settlePlace: (place) => void settled.push(place) };
  /** As a session does: what it is told at once, it settles itself. */
  let came = 0;
  const deliver = (...words: string[]) => {
    for (const word of words) {
      came += 1;
      if (inbox.deliverCounted(Buffer.from(word))) settled.push(came);
    }
  };
  return { inbox, settled, deliver };
}

const tick = () => new Promise((resolve) => setImmediate(resolve));

describe('of a listener a message is handled', () => {
  test('when it has returned', () => {
    const { inbox, settled, deliver } = inboxOf();
    const seen: number[][] = [];
    inbox.listen(() => {
      seen.push([...settled]);
      return undefined;
    });
    deliver('a', 'b');
    expect([seen, settled]).toEqual([
      [[], [1]],
      [1, 2],
    ]);
  });

  test.each(['fulfilled', 'rejected'] as const)('when its promise is %s, in whichever order', async (how) => {
    const { inbox, settled, deliver } = inboxOf();
    const ends: (() => void)[] = [];
    inbox.listen(
      () =>
        new Promise((resolve, reject) => {
          ends.push(() => (how === 'fulfilled' ? resolve(undefined) : reject(new Error('oops'))));
        }),
    );
    deliver('a', 'b', 'c');
    await tick();
    expect(settled).toEqual([]);
    ends[1]?.();
    await tick();
    expect(settled).toEqual([2]);
    ends[0]?.();
    ends[2]?.();
    await tick();
    expect(settled).toEqual([2, 1, 3]);
  });

  test('the same of what was queued before it came', async () => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a', 'b');
    expect(settled).toEqual([]);
    const ends: (() => void)[] = [];
    inbox.listen((message) =>
      `${message}` === 'a' ? new Promise<void>((resolve) => void ends.push(resolve)) : undefined,
    );
    inbox.drain();
    expect(settled).toEqual([2]);
    deliver('c');
    expect(settled).toEqual([2, 3]);
    ends[0]?.();
    await tick();
    expect(settled).toEqual([2, 3, 1]);
  });

  test('not while it is queued behind others', () => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a');
    inbox.listen(() => undefined);
    // It has not been drained yet: the order is kept.
    deliver('b');
    expect([settled, inbox.messages]).toEqual([[], 2]);
    inbox.drain();
    expect(settled).toEqual([1, 2]);
  });
});

test('of receive() a message is handled when it was given', () => {
  const { inbox, settled, deliver } = inboxOf();
  deliver('a', 'b');
  expect(settled).toEqual([]);
  inbox.receive();
  expect(settled).toEqual([1]);
  inbox.receive();
  inbox.receive();
  expect(settled).toEqual([1, 2]);
});

describe('of an iterator a message is handled', () => {
  test('when the next one is asked for', async () => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a', 'b');
    const iterator = inbox.iterate();
    await iterator.next();
    expect(settled).toEqual([]);
    await iterator.next();
    expect(settled).toEqual([1]);
    void iterator.next();
    expect(settled).toEqual([1, 2]);
  });

  test('the same where it had to wait for it', async () => {
    const { inbox, settled, deliver } = inboxOf();
    const iterator = inbox.iterate();
    const first = iterator.next();
    deliver('a');
    await first;
    await tick();
    expect(settled).toEqual([]);
    void iterator.next();
    expect(settled).toEqual([1]);
  });

  test('one after another, where several are asked for at once', async () => {
    const { inbox, settled, deliver } = inboxOf();
    const iterator = inbox.iterate();
    const waits = [iterator.next(), iterator.next()];
    deliver('a');
    expect(settled).toEqual([]);
    deliver('b');
    expect(settled).toEqual([1]);
    await Promise.all(waits);
    void iterator.next();
    expect(settled).toEqual([1, 2]);
  });

  test('by each of several on its own account', async () => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a', 'b', 'c');
    const [one, two] = [inbox.iterate(), inbox.iterate()];
    await one.next();
    await two.next();
    await two.next();
    expect(settled).toEqual([2]);
    void two.next();
    expect(settled).toEqual([2, 3]);
    void one.next();
    expect(settled).toEqual([2, 3, 1]);
  });

  test.each(['break', 'throw'])('when the loop is left by %s', async (how) => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a', 'b');
    const loop = async () => {
      for await (const _ of inbox.iterate()) {
        expect(settled).toEqual([]);
        if (how === 'break') break;
        throw new Error('oops');
      }
    };
    expect(await loop().catch(({ message }: Error) => message)).toBe(how === 'break' ? undefined : 'oops');
    expect([settled, inbox.messages]).toEqual([[1], 1]);
  });

  test('not when a signal fires while the program is busy with it: when it comes back', async () => {
    const { inbox, settled, deliver } = inboxOf();
    const stop = new AbortController();
    deliver('a', 'b');
    const iterator = inbox.iterate({ signal: stop.signal });
    await iterator.next();
    stop.abort();
    expect(settled).toEqual([]);
    expect(await codeOf(iterator.next())).toBe('ABORTED');
    expect([settled, inbox.messages]).toEqual([[1], 1]);
    expect((await iterator.next()).done).toBe(true);
    expect(settled).toEqual([1]);
  });

  test('before, where the signal fires while it waits: nothing is left open', async () => {
    const { inbox, settled, deliver } = inboxOf();
    const stop = new AbortController();
    deliver('a');
    const iterator = inbox.iterate({ signal: stop.signal });
    await iterator.next();
    const waiting = iterator.next();
    expect(settled).toEqual([1]);
    stop.abort();
    expect(await codeOf(waiting)).toBe('ABORTED');
    expect(settled).toEqual([1]);
  });

  test('also when no more will come', async () => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a');
    const iterator = inbox.iterate();
    await iterator.next();
    inbox.close();
    expect(settled).toEqual([]);
    expect((await iterator.next()).done).toBe(true);
    expect(settled).toEqual([1]);
  });

  test('once, however often it is asked and left', async () => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a');
    const iterator = inbox.iterate();
    await iterator.next();
    await iterator.return?.();
    await iterator.return?.();
    await iterator.next();
    expect(settled).toEqual([1]);
  });
});

describe('of a batch all messages are handled', () => {
  test('when the next batch is asked for', async () => {
    const { inbox, settled, deliver } = inboxOf();
    deliver('a', 'b', 'c');
    const batches = inbox.iterateBatches();
    expect((await batches.next()).value).toHaveLength(3);
    expect(settled).toEqual([]);
    const waits = batches.next();
    expect(settled).toEqual([1, 2, 3]);
    deliver('d', 'e');
    await waits;
    expect(settled).toEqual([1, 2, 3]);
    await batches.return?.();
    expect(settled).toEqual([1, 2, 3, 4, 5]);
  });

  test('beside an iterator, each what it was given', async () => {
    const { inbox, settled, deliver } = inboxOf();
    const one = inbox.iterate();
    const many = inbox.iterateBatches();
    const waits = [one.next(), many.next()];
    deliver('a', 'b', 'c');
    await Promise.all(waits);
    void many.next();
    expect(settled).toEqual([2, 3]);
    void one.next();
    expect(settled).toEqual([2, 3, 1]);
  });
});

test('readers of every kind, one after another: each message is settled once, by its place', async () => {
  const { inbox, settled, deliver } = inboxOf({ inboxMessages: 3 }, true);
  deliver('1', '2', '3', '4', '5');
  inbox.receive();
  const batches = inbox.iterateBatches();
  await batches.next();
  deliver('6');
  await batches.return?.();
  const iterator = inbox.iterate();
  await iterator.next();
  await iterator.return?.();
  inbox.listen(() => undefined);
  deliver('7');
  expect(settled).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test('without a session nobody counts', async () => {
  const { inbox, settled } = inboxOf();
  inbox.settler = undefined;
  inbox.deliver(Buffer.from('a'));
  const iterator = inbox.iterate();
  await iterator.next();
  await iterator.return?.();
  inbox.listen(() => Promise.resolve());
  inbox.deliver(Buffer.from('b'));
  await tick();
  expect(settled).toEqual([]);
});

test('a copy of a message keeps what a session has put on it', async () => {
  const { inbox } = inboxOf();
  const acknowledge = () => {};
  const message = Object.assign(Buffer.from('a'), { acknowledge, number: 7 });
  inbox.deliver(message);
  const copy = inbox.receive({ copy: true }) as typeof message;
  expect([copy.acknowledge, copy.number, `${copy}`, copy === message]).toEqual([acknowledge, 7, 'a', false]);
});

import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { Inbox } from '../../src/delivery/inbox.js';
import { NinjaTcpError } from '../../src/errors.js';
import { codeOf, outcome } from '../connection/stage.js';

function inboxOf(limits: { inboxBytes?: number; inboxMessages?: number } = {}, copy = false) {
  const gate: string[] = [];
  const inbox = new Inbox(
    { inboxBytes: 1000, inboxMessages: 1000, ...limits },
    { pauseReading: () => gate.push('pause'), resumeReading: () => gate.push('resume') },
    copy,
  );
  const deliver = (...words: string[]) => {
    for (const word of words) inbox.deliver(Buffer.from(word));
  };
  return { inbox, gate, deliver };
}

const text = (result: IteratorResult<Buffer, undefined>) => (result.done ? 'end' : `${result.value}`);
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('a message goes to exactly one place', () => {
  test('the listener, if there is one', () => {
    const { inbox, deliver } = inboxOf();
    const heard: string[] = [];
    inbox.listen((message) => void heard.push(`${message}`));
    deliver('a');
    expect([heard, inbox.messages]).toEqual([['a'], 0]);
    inbox.listen(undefined);
    deliver('b');
    expect([heard, inbox.messages]).toEqual([['a'], 1]);
  });

  test('else those who wait, in the order of their calls, over all iterators', async () => {
    const { inbox, deliver } = inboxOf();
    const [one, two] = [inbox.iterate(), inbox.iterate()];
    const waits = [one.next(), two.next(), one.next()];
    deliver('a', 'b', 'c', 'd');
    expect((await Promise.all(waits)).map(text)).toEqual(['a', 'b', 'c']);
    expect(inbox.messages).toBe(1);
  });

  test('else the queue', () => {
    const { inbox, deliver } = inboxOf();
    deliver('a', 'bb');
    expect([inbox.messages, inbox.bytes]).toEqual([2, 3]);
    expect([`${inbox.receive()}`, `${inbox.receive()}`, inbox.receive()]).toEqual(['a', 'bb', undefined]);
    expect([inbox.messages, inbox.bytes]).toEqual([0, 0]);
  });

  test('behind what is queued: a listener hears in order', () => {
    const { inbox, deliver } = inboxOf();
    deliver('a', 'b');
    const heard: string[] = [];
    inbox.listen((message) => void heard.push(`${message}`));
    deliver('c');
    expect(heard).toEqual([]);
    inbox.drain();
    deliver('d');
    expect(heard).toEqual(['a', 'b', 'c', 'd']);
  });

  test('drain() stops where the listener goes', () => {
    const { inbox, deliver } = inboxOf();
    deliver('a', 'b');
    const heard: string[] = [];
    inbox.listen((message) => {
      heard.push(`${message}`);
      inbox.listen(undefined);
    });
    inbox.drain();
    expect([heard, inbox.messages]).toEqual([['a'], 1]);
  });
});

describe('the bound', () => {
  const bounds: [string, object, string[], number][] = [
    ['messages', { inboxMessages: 4 }, ['a', 'b', 'c', 'd'], 2],
    ['bytes', { inboxBytes: 8 }, ['aa', 'bb', 'cc', 'dd'], 2],
    ['bytes, in one large message', { inboxBytes: 8 }, ['aaaaaaaaaaaa'], 1],
    ['one message', { inboxMessages: 1 }, ['a'], 1],
  ];
  test.each(bounds)('of %s: reading pauses at it, and goes on at half of it', (_, limits, words, takes) => {
    const { inbox, gate, deliver } = inboxOf(limits);
    deliver(...words.slice(0, -1));
    expect(gate).toEqual([]);
    deliver(words.at(-1) as string);
    expect([gate, inbox.full]).toEqual([['pause'], true]);
    for (let taken = 1; taken < takes; taken += 1) inbox.receive();
    expect(gate).toEqual(['pause']);
    inbox.receive();
    expect([gate, inbox.full]).toEqual([['pause', 'resume'], false]);
  });

  test('the chunk that filled it is taken in whole, and pauses once', () => {
    const { inbox, gate, deliver } = inboxOf({ inboxMessages: 2 });
    deliver('a', 'b', 'c', 'd');
    expect([gate, inbox.messages]).toEqual([['pause'], 4]);
    inbox.receive();
    inbox.receive();
    expect(gate).toEqual(['pause']);
    inbox.receive();
    expect(gate).toEqual(['pause', 'resume']);
    deliver('e');
    expect(gate).toEqual(['pause', 'resume', 'pause']);
  });

  test('both halves have to be reached', () => {
    const { inbox, gate, deliver } = inboxOf({ inboxMessages: 4, inboxBytes: 10 });
    deliver('a', 'b', 'c', 'dddddddd');
    inbox.receive();
    inbox.receive();
    inbox.receive();
    expect(gate).toEqual(['pause']);
    inbox.receive();
    expect(gate).toEqual(['pause', 'resume']);
  });

  test('resumes while a listener drains it', () => {
    const { inbox, gate, deliver } = inboxOf({ inboxMessages: 2 });
    deliver('a', 'b');
    inbox.listen(() => {});
    inbox.drain();
    expect(gate).toEqual(['pause', 'resume']);
  });
});

describe('iterators', () => {
  test('share the messages, each once', async () => {
    const { inbox, deliver } = inboxOf();
    deliver('a', 'b', 'c');
    const [one, two] = [inbox.iterate(), inbox.iterate()];
    expect([text(await one.next()), text(await two.next()), text(await one.next())]).toEqual(['a', 'b', 'c']);
  });

  test('break ends that one alone, and loses nothing', async () => {
    const { inbox, deliver } = inboxOf();
    deliver('a', 'b');
    for await (const message of inbox.iterate()) {
      expect(`${message}`).toBe('a');
      break;
    }
    deliver('c');
    const other = inbox.iterate();
    expect([text(await other.next()), text(await other.next())]).toEqual(['b', 'c']);
  });

  test('return() answers what it still waits for with the end, and the next message goes to another', async () => {
    const { inbox, deliver } = inboxOf();
    const [one, two] = [inbox.iterate(), inbox.iterate()];
    const waits = [one.next(), one.next(), two.next()];
    await one.return?.();
    deliver('a');
    expect((await Promise.all(waits)).map(text)).toEqual(['end', 'end', 'a']);
    expect(text(await one.next())).toBe('end');
  });

  test('exclude a listener: the later one throws INVALID_OPTION', async () => {
    const { inbox } = inboxOf();
    const one = inbox.iterate();
    const two = inbox.iterate();
    expect(await codeOf(() => inbox.listen(() => {}))).toBe('INVALID_OPTION');
    await one.return?.();
    await one.return?.();
    expect(await codeOf(() => inbox.listen(() => {}))).toBe('INVALID_OPTION');
    await two.return?.();
    expect(await codeOf(() => inbox.listen(() => {}))).toBe('nothing');
    expect(await codeOf(() => inbox.iterate())).toBe('INVALID_OPTION');
    inbox.listen(undefined);
    expect(await codeOf(() => inbox.iterate())).toBe('nothing');
  });
});

describe('a signal', () => {
  test('ends a wait with ABORTED, its own iterator alone', async () => {
    const { inbox, deliver } = inboxOf();
    const controller = new AbortController();
    const [aborted, other] = [inbox.iterate({ signal: controller.signal }), inbox.iterate()];
    const waits = [outcome(aborted.next()), outcome(aborted.next())];
    const waiting = other.next();
    controller.abort('why');
    deliver('a');
    expect(text(await waiting)).toBe('a');
    await settle();
    expect(waits.map(({ is }) => is)).toEqual(['rejected ABORTED', 'rejected ABORTED']);
    expect(text(await aborted.next())).toBe('end');
  });

  test('that fires between two waits is told to the next one, once', async () => {
    const { inbox, deliver } = inboxOf();
    const controller = new AbortController();
    const reader = inbox.iterate({ signal: controller.signal });
    deliver('a', 'b');
    await reader.next();
    controller.abort();
    expect([await codeOf(reader.next()), text(await reader.next()), inbox.messages]).toEqual(['ABORTED', 'end', 1]);
  });

  test('that has fired already', async () => {
    const { inbox } = inboxOf();
    const reader = inbox.iterate({ signal: AbortSignal.abort() });
    expect([await codeOf(reader.next()), await codeOf(() => inbox.listen(() => {}))]).toEqual(['ABORTED', 'nothing']);
  });

  test.each(['return', 'abort', 'close', 'close with an error'])('is let go after %s', async (end) => {
    const { inbox } = inboxOf();
    const controller = new AbortController();
    const { signal } = controller;
    const reader = inbox.iterate({ signal });
    const waiting = outcome(reader.next());
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    if (end === 'return') await reader.return?.();
    else if (end === 'abort') controller.abort();
    else inbox.close(end === 'close' ? undefined : new Error('x'));
    await settle();
    expect([getEventListeners(signal, 'abort').length, waiting.is === 'pending']).toEqual([0, false]);
  });
});

describe('in batches', () => {
  const texts = (result: IteratorResult<Buffer[], undefined>) =>
    result.done ? 'end' : result.value.map((message) => `${message}`).join(' ');

  test('what is there comes at once, all of it', async () => {
    const { inbox, deliver } = inboxOf();
    deliver('a', 'b', 'c');
    const batches = inbox.iterateBatches();
    expect([texts(await batches.next()), inbox.messages, inbox.bytes]).toEqual(['a b c', 0, 0]);
  });

  test('who waits gets all that one chunk holds', async () => {
    const { inbox, deliver } = inboxOf();
    const batches = inbox.iterateBatches();
    const next = batches.next();
    deliver('a', 'b');
    expect(texts(await next)).toBe('a b');
    deliver('c');
    expect(texts(await batches.next())).toBe('c');
  });

  test('shared with one by one, in the order of their calls, each message once', async () => {
    const { inbox, deliver } = inboxOf();
    const [batches, single] = [inbox.iterateBatches(), inbox.iterate()];
    const waits = [batches.next(), single.next(), batches.next()] as const;
    deliver('a', 'b');
    expect(texts(await waits[0])).toBe('a b');
    deliver('c', 'd', 'e');
    expect([text(await waits[1]), texts(await waits[2])]).toEqual(['c', 'd e']);
  });

  test('an end in the same chunk comes behind its messages', async () => {
    const { inbox, deliver } = inboxOf();
    const batches = inbox.iterateBatches();
    const next = batches.next();
    deliver('a');
    inbox.close();
    expect([texts(await next), texts(await batches.next())]).toEqual(['a', 'end']);
  });

  test('whose signal fires in the same chunk leaves its messages to the others', async () => {
    const { inbox, deliver } = inboxOf();
    const controller = new AbortController();
    const aborted = inbox.iterateBatches({ signal: controller.signal });
    const [left, taken] = [outcome(aborted.next()), inbox.iterate().next()];
    deliver('a');
    controller.abort();
    expect(text(await taken)).toBe('a');
    expect(left.is).toBe('rejected ABORTED');
  });

  test('reading pauses at the bound, and goes on when a batch is taken', async () => {
    const { inbox, gate, deliver } = inboxOf({ inboxMessages: 3 });
    deliver('a', 'b', 'c');
    const batch = await inbox.iterateBatches({ copy: true }).next();
    expect([texts(batch), gate]).toEqual(['a b c', ['pause', 'resume']]);
  });

  test('beside a listener they are refused', async () => {
    const { inbox } = inboxOf();
    inbox.listen(() => {});
    expect(await codeOf(() => inbox.iterateBatches())).toBe('INVALID_OPTION');
  });
});

describe('the end', () => {
  test.each([
    ['without an error: readers end', undefined, 'end'],
    ['with an error: readers throw it', Object.assign(new Error('x'), { code: 'NINJA_STALE' }), 'STALE'],
  ])('%s, once the queue is empty', async (_, error, last) => {
    const { inbox, deliver } = inboxOf();
    const waiting = inbox.iterate();
    const first = waiting.next();
    deliver('a');
    await first;
    const waits = waiting.next();
    const answer = () => waits.then(text, ({ code }: { code: string }) => code.slice(6));
    inbox.close(error);
    expect(await answer()).toBe(last);
    expect(text(await waiting.next())).toBe('end');
    const late = inbox.iterate();
    expect(await late.next().then(text, ({ code }: { code: string }) => code.slice(6))).toBe(last);
  });

  const gaveUp = new NinjaTcpError('NINJA_GAVE_UP', 'x');
  test.each([
    ['gave up, then disposed: readers end', gaveUp, undefined, 'end'],
    ['ended, then lost: readers end', undefined, gaveUp, 'end'],
    ['gave up, then lost: the later error', gaveUp, new NinjaTcpError('NINJA_RESET', 'y'), 'RESET'],
  ])('%s', async (_, first, second, last) => {
    const { inbox } = inboxOf();
    inbox.close(first);
    inbox.close(second);
    const next = inbox.iterate().next();
    expect(await next.then(text, ({ code }: { code: string }) => code.slice(6))).toBe(last);
  });

  test('what is queued can be read after it', async () => {
    const { inbox, deliver } = inboxOf();
    deliver('a', 'b');
    inbox.close();
    const read: string[] = [];
    for await (const message of inbox.iterate()) read.push(`${message}`);
    expect([read, await codeOf(() => inbox.listen(() => {}))]).toEqual([['a', 'b'], 'nothing']);
  });

  test('reopen(): readers wait again', async () => {
    const { inbox, deliver } = inboxOf();
    inbox.close(new Error('x'));
    inbox.reopen();
    const next = inbox.iterate().next();
    deliver('a');
    expect(text(await next)).toBe('a');
  });
});

describe('copies', () => {
  const rows: [boolean, boolean | undefined, boolean][] = [
    [false, undefined, false],
    [false, true, true],
    [true, undefined, true],
    [true, false, false],
  ];
  test.each(rows)('option copy %s, reader %s: copied %s', async (always, asked, copied) => {
    const { inbox } = inboxOf({}, always);
    const chunk = Buffer.from('message');
    const options = { copy: asked };
    inbox.deliver(chunk);
    const received = inbox.receive(options);
    inbox.deliver(chunk);
    const queued = (await inbox.iterate(options).next()).value;
    const reader = inbox.iterate(options);
    const waiting = reader.next();
    inbox.deliver(chunk);
    const waited = (await waiting).value;
    for (const message of [received, queued, waited]) {
      expect([message === chunk, `${message}`]).toEqual([!copied, 'message']);
    }
  });

  test.each([true, false])('option copy %s for a listener', (always) => {
    const { inbox } = inboxOf({}, always);
    const chunk = Buffer.from('message');
    const heard: Buffer[] = [];
    inbox.deliver(chunk);
    inbox.listen((message) => void heard.push(message));
    inbox.drain();
    inbox.deliver(chunk);
    expect(heard.map((message) => message === chunk)).toEqual([!always, !always]);
  });
});

// What every store has to do, whatever it lies in.
import { afterEach, describe, expect, test } from 'vitest';
import type { Block, SessionStore, StoreChange } from '../../src/store/contract.js';

/** A store under test. Times are real ones where `pass` has to wait for them. */
export interface StoreUnderTest {
  readonly store: SessionStore;
  /** So many milliseconds pass. */
  pass(ms: number): unknown;
  /** How many times as long everything takes: where time is real a machine may be busy. Default 1. */
  readonly slower?: number;
  /** The same data, opened anew, as by another process; absent where the data ends with the store. */
  readonly again?: () => Promise<SessionStore>;
}

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const textOf = (value: Uint8Array): string => Buffer.from(value).toString();
const block = (from: number, next: number, text = `${from}-${next}`): Block => ({ from, next, bytes: bytes(text) });
/** A word that no other test of the same store uses. */
let words = 0;
function word(): string {
  words += 1;
  return `w${words}`;
}

/** A change that says nothing but who and how long. */
const change = (id: string, fence: string, more: Partial<StoreChange> = {}): StoreChange => ({
  id,
  fence,
  epoch: 1,
  handled: 1,
  first: 1,
  next: 1,
  keepMs: 60_000,
  rememberMs: 60_000,
  ...more,
});
const created = (id: string, fence: string, more: Partial<StoreChange> = {}): StoreChange =>
  change(id, fence, { create: { alias: `alias of ${id}` }, head: bytes(`head of ${id}`), ...more });

export interface ContractOptions {
  /** What it lies in is missing on this machine. */
  readonly skipped?: boolean;
  /** It can be opened anew. */
  readonly reopens?: boolean;
}

export function contract(name: string, open: () => Promise<StoreUnderTest>, options: ContractOptions = {}): void {
  const { skipped = false, reopens = false } = options;
  const opened: SessionStore[] = [];
  afterEach(async () => {
    for (const store of opened.splice(0)) await store.close();
  });
  const begin = async (): Promise<StoreUnderTest & { write: SessionStore['write']; id: string }> => {
    const under = await open();
    opened.push(under.store);
    return { ...under, write: (changes) => under.store.write(changes), id: word() };
  };
  /** What the store has of a session, in words. */
  const seen = async (store: SessionStore, id: string): Promise<unknown> => {
    const found = await store.load(id);
    if (found.outcome === 'unknown') return 'unknown';
    if (found.outcome === 'ended') return ['ended', textOf(found.session.head), found.session.handled];
    const { head, epoch, handled, first, blocks } = found.session;
    return [
      textOf(head),
      epoch,
      handled,
      first,
      ...blocks.map((each) => `${each.from}-${each.next} ${textOf(each.bytes)}`),
    ];
  };

  describe.skipIf(skipped)(`${name}: a store`, () => {
    test('has what it was given, by id and by alias', async () => {
      const { store, write, id } = await begin();
      expect(await store.load(id)).toEqual({ outcome: 'unknown' });
      expect(await store.find(`alias of ${id}`)).toBeUndefined();
      expect(await write([created(id, 'f', { epoch: 3, next: 3, block: block(1, 3) })])).toEqual(['stored']);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 3, 1, 1, '1-3 1-3']);
      expect(await store.find(`alias of ${id}`)).toBe(id);
    });

    test('has bytes of every value, and none', async () => {
      const { store, write, id } = await begin();
      const all = Uint8Array.from({ length: 512 }, (_, index) => index & 255);
      await write([created(id, 'f', { head: all, next: 2, block: { from: 1, next: 2, bytes: all } })]);
      await write([change(id, 'f', { next: 3, block: { from: 2, next: 3, bytes: new Uint8Array(0) } })]);
      const found = await store.load(id);
      if (found.outcome !== 'live') throw new Error(found.outcome);
      expect(Buffer.compare(found.session.head, all)).toBe(0);
      expect(found.session.blocks.map(({ bytes: { length } }) => length)).toEqual([512, 0]);
      expect(Buffer.compare((found.session.blocks[0] as Block).bytes, all)).toBe(0);
    });

    test('writes changes of many sessions in one call, each by itself', async () => {
      const { store, write, id } = await begin();
      const ids = ['a', 'b', 'c'].map((letter) => `${id}${letter}`) as [string, string, string];
      await write(ids.map((each) => created(each, 'f')));
      const outcomes = await write([
        change(ids[0], 'f', { handled: 5 }),
        change(ids[1], 'g', { handled: 5 }),
        change(ids[2], 'f', { handled: 7 }),
        change(`${id}d`, 'f'),
      ]);
      expect(outcomes).toEqual(['stored', 'fenced', 'stored', 'lost']);
      expect(await Promise.all(ids.map(async (each) => ((await seen(store, each)) as unknown[])[2]))).toEqual([
        5, 1, 7,
      ]);
      expect(await write([])).toEqual([]);
    });

    test('puts blocks behind each other, and forgets those that are handled', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { next: 3, block: block(1, 3) })]);
      await write([change(id, 'f', { next: 6, block: block(3, 6) })]);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 1, 1, '1-3 1-3', '3-6 3-6']);
      await write([change(id, 'f', { first: 4, next: 6 })]);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 1, 4, '3-6 3-6']);
      await write([change(id, 'f', { first: 6, next: 7, block: block(6, 7) })]);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 1, 6, '6-7 6-7']);
      await write([change(id, 'f', { first: 7, next: 7 })]);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 1, 7]);
    });

    test('does nothing twice', async () => {
      const { store, write, id } = await begin();
      const changes = [
        created(id, 'f', { next: 3, block: block(1, 3) }),
        change(id, 'f', { next: 5, block: block(3, 5) }),
        change(id, 'f', { first: 2, next: 5, handled: 4, epoch: 9 }),
      ];
      for (const each of changes) {
        expect(await write([each])).toEqual(['stored']);
        const once = await seen(store, id);
        expect(await write([each])).toEqual(['stored']);
        expect(await seen(store, id)).toEqual(once);
      }
    });

    test('never takes an epoch back', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { epoch: 9 })]);
      await write([change(id, 'f', { epoch: 3 })]);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 9, 1, 1]);
    });

    test('notices that messages are missing, and takes all of them again', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { next: 3, block: block(1, 3) })]);
      const before = await seen(store, id);
      expect(await write([change(id, 'f', { handled: 2, next: 9, block: block(5, 9) })])).toEqual(['gap']);
      expect(await write([change(id, 'f', { handled: 2, next: 9 })])).toEqual(['gap']);
      expect(await seen(store, id)).toEqual(before);
      expect(await write([change(id, 'f', { handled: 2, first: 2, next: 9, block: block(2, 9) })])).toEqual(['stored']);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 2, 2, '2-9 2-9']);
      expect(await write([change(id, 'f', { handled: 2, first: 12, next: 14, block: block(12, 14) })])).toEqual([
        'stored',
      ]);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 2, 12, '12-14 12-14']);
    });

    test('another head takes the place of the one before', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f')]);
      await write([change(id, 'f', { head: bytes('another') })]);
      expect(await seen(store, id)).toEqual(['another', 1, 1, 1]);
    });
  });

  describe.skipIf(skipped)(`${name}: fences`, () => {
    test('who claims a session fences everybody else', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { next: 3, block: block(1, 3) })]);
      const claimed = await store.claim(id, { fence: 'g', epoch: 2, keepMs: 60_000 });
      expect(claimed).toMatchObject({ outcome: 'claimed', session: { epoch: 1, handled: 1, first: 1 } });
      expect(await write([change(id, 'f', { handled: 3 })])).toEqual(['fenced']);
      expect(await write([change(id, 'g', { handled: 2, next: 3 })])).toEqual(['stored']);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 2, 2, 1, '1-3 1-3']);
    });

    test('a claim that is made again, since its answer was lost, gives the same', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f')]);
      await store.claim(id, { fence: 'g', epoch: 2, keepMs: 60_000 });
      expect(await store.claim(id, { fence: 'g', epoch: 2, keepMs: 60_000 })).toMatchObject({ outcome: 'claimed' });
      expect(await write([change(id, 'g')])).toEqual(['stored']);
    });

    test('who holds a session holds it on, whatever the epoch', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f')]);
      for (const epoch of [5, 5]) {
        expect(await store.claim(id, { fence: 'g', held: 'f', epoch, keepMs: 60_000 })).toEqual({ outcome: 'held' });
      }
      expect(await write([change(id, 'f')])).toEqual(['stored']);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 5, 1, 1]);
    });

    test('who held it once, and was fenced, claims it as anybody does', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f')]);
      await store.claim(id, { fence: 'g', epoch: 2, keepMs: 60_000 });
      await write([change(id, 'g', { epoch: 2, handled: 8 })]);
      expect(await store.claim(id, { fence: 'h', held: 'f', epoch: 3, keepMs: 60_000 })).toMatchObject({
        outcome: 'claimed',
        session: { epoch: 2, handled: 8 },
      });
      expect(await write([change(id, 'g')])).toEqual(['fenced']);
    });

    test.each([1, 2])('an epoch that is not higher, %s after 2, claims nothing', async (epoch) => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { epoch: 2 })]);
      expect(await store.claim(id, { fence: 'g', epoch, keepMs: 60_000 })).toEqual({ outcome: 'stale' });
      expect(await write([change(id, 'f')])).toEqual(['stored']);
    });

    test('without an epoch everybody may claim', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { epoch: 7 })]);
      expect(await store.claim(id, { fence: 'g', keepMs: 60_000 })).toMatchObject({ outcome: 'claimed' });
      expect(await seen(store, id)).toEqual([`head of ${id}`, 7, 1, 1]);
    });

    test('what is not there cannot be claimed', async () => {
      const { store, id } = await begin();
      expect(await store.claim(id, { fence: 'g', epoch: 1, keepMs: 60_000 })).toEqual({ outcome: 'unknown' });
    });

    test('of many who claim at once one has it in the end, and all others know', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f')]);
      const fences = Array.from({ length: 20 }, (_, index) => `fence ${index}`);
      const claims = await Promise.all(fences.map((fence) => store.claim(id, { fence, epoch: 2, keepMs: 60_000 })));
      expect(claims.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1);
      const outcomes = await Promise.all(fences.map((fence) => write([change(id, fence)])));
      expect(outcomes.flat().filter((outcome) => outcome === 'stored')).toHaveLength(1);
    });

    test('a session that is there already cannot be created by another process, nor one of the same client', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f')]);
      expect(await write([created(id, 'g')])).toEqual(['taken']);
      expect(await write([created(`${id}x`, 'g', { create: { alias: `alias of ${id}` } })])).toEqual(['taken']);
      expect(await store.load(`${id}x`)).toEqual({ outcome: 'unknown' });
    });

    test('the same process begins a new one in its place', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { epoch: 9, handled: 4, first: 5, next: 7, block: block(5, 7) })]);
      expect(await write([created(id, 'f', { head: bytes('new') })])).toEqual(['stored']);
      expect(await seen(store, id)).toEqual(['new', 1, 1, 1]);
    });
  });

  describe.skipIf(skipped)(`${name}: the end`, () => {
    test('a session that is over is remembered: who it was, and how far it came', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { next: 3, block: block(1, 3) })]);
      expect(await write([change(id, 'f', { handled: 6, first: 3, next: 3, end: 'remember' })])).toEqual(['stored']);
      expect(await seen(store, id)).toEqual(['ended', `head of ${id}`, 6]);
      expect(await store.find(`alias of ${id}`)).toBe(id);
      expect(await store.claim(id, { fence: 'g', epoch: 9, keepMs: 60_000 })).toMatchObject({ outcome: 'ended' });
      expect(await write([change(id, 'f')])).toEqual(['lost']);
      expect(await write([created(id, 'g')])).toEqual(['taken']);
    });

    test('or forgotten at once, alias and all', async () => {
      const { store, write, id } = await begin();
      await write([created(id, 'f', { next: 3, block: block(1, 3) })]);
      expect(await write([change(id, 'f', { first: 3, next: 3, end: 'forget' })])).toEqual(['stored']);
      expect([await store.load(id), await store.find(`alias of ${id}`)]).toEqual([{ outcome: 'unknown' }, undefined]);
      expect(await write([created(id, 'g')])).toEqual(['stored']);
    });

    test('it is over when nobody wrote for as long as it was to be kept, and forgotten later', async () => {
      const { store, write, pass, slower = 1, id } = await begin();
      const times = { keepMs: 400 * slower, rememberMs: 600 * slower };
      await write([created(id, 'f', { handled: 3, ...times })]);
      await pass(250 * slower);
      expect(await write([change(id, 'f', { handled: 4, ...times })])).toEqual(['stored']);
      await pass(250 * slower);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 4, 1]);
      await pass(250 * slower);
      expect(await seen(store, id)).toEqual(['ended', `head of ${id}`, 4]);
      expect(await write([change(id, 'f')])).toEqual(['lost']);
      expect(await store.claim(id, { fence: 'g', epoch: 9, keepMs: 60_000 })).toMatchObject({ outcome: 'ended' });
      await pass(700 * slower);
      expect([await store.load(id), await store.find(`alias of ${id}`)]).toEqual([{ outcome: 'unknown' }, undefined]);
    });

    test('a claim keeps it longer', async () => {
      const { store, write, pass, id } = await begin();
      await write([created(id, 'f', { keepMs: 300, rememberMs: 60_000 })]);
      await store.claim(id, { fence: 'g', epoch: 2, keepMs: 60_000 });
      await pass(400);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 2, 1, 1]);
    });

    test('kept for ever, it never is over', async () => {
      const { store, write, pass, id } = await begin();
      await write([created(id, 'f', { keepMs: Number.POSITIVE_INFINITY, rememberMs: 0 })]);
      await store.claim(id, { fence: 'g', keepMs: Number.POSITIVE_INFINITY });
      await pass(300);
      expect(await seen(store, id)).toEqual([`head of ${id}`, 1, 1, 1]);
    });
  });

  if (!reopens) return;
  describe.skipIf(skipped)(`${name}: opened anew`, () => {
    test('a store has all that it had, and fences all the same', async () => {
      const { store, write, again, id } = await begin();
      if (!again) throw new Error('it cannot be opened anew');
      await write([created(id, 'f', { epoch: 3, next: 3, block: block(1, 3) })]);
      await write([change(id, 'f', { epoch: 3, handled: 8, next: 5, block: block(3, 5) })]);
      await write([created(`${id}x`, 'f'), created(`${id}y`, 'f')]);
      await write([change(`${id}x`, 'f', { end: 'remember' }), change(`${id}y`, 'f', { end: 'forget' })]);
      await store.claim(id, { fence: 'g', epoch: 4, keepMs: 60_000 });
      const before = await seen(store, id);
      const other = await again();
      opened.push(other);
      expect(await seen(other, id)).toEqual(before);
      expect(await seen(other, `${id}x`)).toEqual(['ended', `head of ${id}x`, 1]);
      expect(await seen(other, `${id}y`)).toBe('unknown');
      expect(await other.find(`alias of ${id}`)).toBe(id);
      expect(await other.write([change(id, 'f', { next: 5 })])).toEqual(['fenced']);
      expect(await other.write([change(id, 'g', { next: 6, block: block(5, 6) })])).toEqual(['stored']);
    });
  });
}

// The store in a file: the contract of all stores, a crash at every byte, and one process at a time.
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { fileStore } from '../../src/file-store/index.js';
import { JournalFile } from '../../src/file-store/journal.js';
import type { SessionStore, StoreChange } from '../../src/store/contract.js';
import { contract } from '../sessions/contract.js';

const folder = mkdtempSync(join(tmpdir(), 'ninja-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newPath = (): string => {
  files += 1;
  return join(folder, `store${files}`);
};

contract(
  'in a file',
  async () => {
    let now = 1_000_000;
    const options = { path: newPath(), key: false, now: () => now } as const;
    let store = fileStore(options);
    return {
      store: { ...through(() => store), close: () => store.close() },
      pass: (ms: number) => {
        now += ms;
      },
      again: async () => {
        await store.close();
        store = fileStore(options);
        return store;
      },
    };
  },
  { reopens: true },
);

/** Calls go to whatever store there is. */
function through(store: () => SessionStore): SessionStore {
  return {
    find: (alias) => store().find(alias),
    load: (id) => store().load(id),
    claim: (id, claim) => store().claim(id, claim),
    write: (changes) => store().write(changes),
    close: () => store().close(),
  };
}

const change = (more: Partial<StoreChange> = {}): StoreChange => ({
  ...{
    id: 'one',
    fence: 'f',
    epoch: 1,
    handled: 1,
    first: 1,
    next: 1,
    keepMs: Number.POSITIVE_INFINITY,
    rememberMs: 0,
  },
  ...more,
});
const message = (number: number): StoreChange =>
  change({
    next: number + 1,
    block: { from: number, next: number + 1, bytes: Buffer.from(`message ${number}`) },
    ...(number === 1 ? { create: { alias: undefined }, head: Buffer.from('head') } : {}),
  });

/** A file with so many messages, each in a record of its own; and where each record ends. */
async function written(count: number): Promise<{ path: string; ends: number[] }> {
  const path = newPath();
  const store = fileStore({ path, key: false });
  const ends: number[] = [];
  for (let number = 1; number <= count; number += 1) {
    await store.write([message(number)]);
    ends.push(statSync(path).size);
  }
  await store.close();
  return { path, ends };
}

/** What a copy of a file is taken for: how many messages, or what is wrong with it; and what was said of its end. */
async function readAs(bytes: Buffer): Promise<{ messages: number; warnings: string[]; error: string | undefined }> {
  const path = join(folder, 'copy');
  writeFileSync(path, bytes);
  const warnings: string[] = [];
  const store = fileStore({ path, key: false, onWarning: (text) => warnings.push(text) });
  try {
    const found = await store.load('one');
    const blocks = found.outcome === 'live' ? found.session.blocks : [];
    for (const { from, bytes: text } of blocks) expect(String(text)).toBe(`message ${from}`);
    return { messages: blocks.length, warnings, error: undefined };
  } catch (error) {
    return { messages: 0, warnings, error: (error as Error).message };
  } finally {
    await store.close();
  }
}

describe('a crash', () => {
  test('at every byte leaves what was whole by then: half a record is cut off, and told', async () => {
    const { path, ends } = await written(2);
    const bytes = readFileSync(path);
    for (let length = 8; length < bytes.length; length += 1) {
      const whole = ends.filter((end) => end <= length).length;
      const end = whole === 0 ? 8 : (ends[whole - 1] as number);
      const { messages, warnings, error } = await readAs(bytes.subarray(0, length));
      expect([error, messages], `${length} bytes`).toEqual([undefined, whole]);
      expect(warnings, `${length} bytes`).toHaveLength(length === end ? 0 : 1);
      if (length > end) expect(warnings[0]).toContain(`ended in ${length - end} bytes of a record`);
    }
  });

  test('what was cut off is gone from the file, and new records stand in its place', async () => {
    const { path, ends } = await written(3);
    truncateSync(path, (ends[2] as number) - 1);
    const store = fileStore({ path, key: false, onWarning: () => {} });
    await store.write([message(3)]);
    await store.write([message(4)]);
    await store.close();
    expect(await readAs(readFileSync(path))).toEqual({ messages: 4, warnings: [], error: undefined });
  });

  test('while the file is written anew leaves the old one', async () => {
    const { path } = await written(3);
    writeFileSync(`${path}.new`, 'half of a new one');
    const store = fileStore({ path, key: false });
    expect(await store.load('one')).toMatchObject({ outcome: 'live' });
    await store.close();
    expect(existsSync(`${path}.new`)).toBe(false);
  });
});

describe('a file that was changed is never believed', () => {
  test('in any byte, the last record as well', async () => {
    const { path } = await written(3);
    const bytes = readFileSync(path);
    for (let at = 0; at < bytes.length; at += 1) {
      const copy = Buffer.from(bytes);
      copy[at]! ^= 1 << (at % 8);
      const { error } = await readAs(copy);
      expect(error, `byte ${at}`).toMatch(/^the session store cannot be believed: .*copy, byte \d+: /);
    }
  });

  test.each([
    [
      'a record is missing',
      (bytes: Buffer, ends: number[]) => Buffer.concat([bytes.subarray(0, ends[0]), bytes.subarray(ends[1])]),
    ],
    [
      'a record is there twice',
      (bytes: Buffer, ends: number[]) => Buffer.concat([bytes.subarray(0, ends[1]), bytes.subarray(ends[0])]),
    ],
    [
      'two records have changed places',
      (bytes: Buffer, ends: number[]) =>
        Buffer.concat([bytes.subarray(0, ends[0]), bytes.subarray(ends[1], ends[2]), bytes.subarray(ends[0], ends[1])]),
    ],
    ['its beginning is cut', (bytes: Buffer) => bytes.subarray(0, 7)],
    ['it is empty', () => Buffer.alloc(0)],
    ['something stands behind it', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(100, 7)])],
  ])('%s', async (_, change) => {
    const { path, ends } = await written(3);
    const { error, messages } = await readAs(change(readFileSync(path), ends));
    expect([error?.slice(0, 38), messages]).toEqual(['the session store cannot be believed: ', 0]);
  });

  test('it says so each time, and leaves the file as it is', async () => {
    const { path } = await written(2);
    const bytes = readFileSync(path);
    bytes[20]! ^= 1;
    writeFileSync(path, bytes);
    const store = fileStore({ path, key: false });
    for (const ask of [() => store.load('one'), () => store.write([message(3)]), () => store.find('a')]) {
      await expect(ask()).rejects.toMatchObject({ code: 'NINJA_STORE_CORRUPT' });
    }
    await store.close();
    expect(readFileSync(path).equals(bytes)).toBe(true);
    expect(existsSync(`${path}.lock`)).toBe(false);
  });
});

describe('one process at a time', () => {
  test('a second one is refused, and told which has it', async () => {
    const path = newPath();
    const store = fileStore({ path, key: false });
    await store.write([message(1)]);
    const other = fileStore({ path, key: false });
    await expect(other.load('one')).rejects.toMatchObject({
      code: 'NINJA_STORE_LOCKED',
      message: expect.stringContaining(`process ${process.pid} on `),
    });
    await other.close();
    expect(await store.write([message(2)])).toEqual(['stored']);
    await store.close();
    expect((await other.load('one').catch((error) => error)).code).toBe('NINJA_STORE_FAILED');
    const third = fileStore({ path, key: false });
    expect(await third.load('one')).toMatchObject({ outcome: 'live' });
    await third.close();
  });

  test('a lock whose process is gone is taken over', async () => {
    const { path } = await written(1);
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    const store = fileStore({ path, key: false });
    await store.load('one');
    const lock = JSON.parse(readFileSync(`${path}.lock`, 'utf8'));
    await store.close();
    writeFileSync(`${path}.lock`, JSON.stringify({ ...lock, pid: dead }));
    const next = fileStore({ path, key: false });
    expect(await next.load('one')).toMatchObject({ outcome: 'live' });
    expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8')).pid).toBe(process.pid);
    await next.close();
  });

  test.skipIf(!existsSync('/proc/self/stat')).each([
    ['another process has its number now', { started: '1' }, true],
    ['the system was started anew', { boot: 'another' }, true],
    ['another system has it', { boot: 'another', host: 'elsewhere' }, false],
    ['it lives', {}, false],
  ])('a lock is stale or not: %s', async (_, difference, stale) => {
    const { path } = await written(1);
    const store = fileStore({ path, key: false });
    await store.load('one');
    const lock = JSON.parse(readFileSync(`${path}.lock`, 'utf8'));
    await store.close();
    writeFileSync(`${path}.lock`, JSON.stringify({ ...lock, ...difference }));
    const next = fileStore({ path, key: false });
    const found = await next.load('one').catch((error: { code: string }) => error.code);
    expect(found).toEqual(stale ? expect.objectContaining({ outcome: 'live' }) : 'NINJA_STORE_LOCKED');
    await next.close();
    rmSync(`${path}.lock`, { force: true });
  });

  test('a lock that says nothing holds', async () => {
    const { path } = await written(1);
    writeFileSync(`${path}.lock`, '');
    const store = fileStore({ path, key: false });
    await expect(store.load('one')).rejects.toThrow('does not say by whom');
    await store.close();
  });

  test.each([
    ['written to', (path: string) => appendFileSync(path, 'x')],
    [
      'replaced',
      (path: string) => {
        const bytes = readFileSync(path);
        rmSync(path);
        writeFileSync(path, bytes);
      },
    ],
    ['removed', (path: string) => rmSync(path)],
  ])('a file that was %s by somebody else is not written to any more', async (_, meddle) => {
    const path = newPath();
    const store = fileStore({ path, key: false });
    await store.write([message(1)]);
    meddle(path);
    await expect(store.write([message(2)])).rejects.toMatchObject({ code: 'NINJA_STORE_LOCKED' });
    await store.close();
  });
});

describe('a disk that fails', () => {
  test.each(['write', 'datasync'] as const)(
    'in %s: the file is written anew before anything is answered',
    async (name) => {
      const path = newPath();
      const { file } = await JournalFile.open(path, () => {});
      await file.append(Buffer.from('one'), () => []);
      const { handle } = file as unknown as { handle: Record<string, unknown> };
      handle[name] = async () => {
        throw new Error('no space left on device');
      };
      const all = () => [Buffer.from('all that there is')];
      await expect(file.append(Buffer.from('two'), all)).rejects.toThrow('no space left on device');
      await file.append(Buffer.from('three'), all);
      await file.append(Buffer.from('four'), all);
      await file.close();
      const again = await JournalFile.open(path, () => {});
      expect(again.payloads.map(String)).toEqual(['all that there is', 'four']);
      await again.file.close();
    },
  );
});

describe('the file', () => {
  test('is for its owner alone, and says nothing of what is sealed', async () => {
    const path = newPath();
    const store = fileStore({ path, key: new Uint8Array(32).fill(1) });
    await store.write([message(1)]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(store.sealer).toBeDefined();
    await store.close();
  });

  test('is written anew when it has grown, and has all that it had', async () => {
    const path = newPath();
    const store = fileStore({ path, key: false });
    const bytes = Buffer.alloc(100_000, 1);
    await store.write([message(1)]);
    for (let number = 2; number <= 40; number += 1) {
      const first = Math.max(1, number - 1);
      await store.write([change({ first, next: number + 1, block: { from: number, next: number + 1, bytes } })]);
    }
    expect(statSync(path).size).toBeLessThan(2_000_000);
    await store.close();
    const again = fileStore({ path, key: false });
    const found = await again.load('one');
    expect(found.outcome === 'live' && found.session.blocks.map(({ from }) => from)).toEqual([39, 40]);
    await again.close();
  });

  test('where it cannot be written anew the old one stays whole', async () => {
    const path = newPath();
    const { file } = await JournalFile.open(path, () => {});
    await file.append(Buffer.from('one'), () => []);
    // Nothing can be opened there.
    mkdirSync(`${path}.new`);
    await expect(file.rewrite([Buffer.from('all that there is')])).rejects.toThrow();
    await file.close();
    rmSync(`${path}.new`, { recursive: true });
    const again = await JournalFile.open(path, () => {});
    expect(again.payloads.map(String)).toEqual(['one']);
    await again.file.close();
  });

  test('what is asked at once goes in one record', async () => {
    const path = newPath();
    const store = fileStore({ path, key: false });
    await store.write([message(1)]);
    const before = statSync(path).size;
    const answers = await Promise.all(Array.from({ length: 50 }, () => store.write([change({ next: 2 })])));
    expect(answers.flat()).toEqual(Array(50).fill('stored'));
    const grown = statSync(path).size - before;
    await store.write([change({ next: 2 })]);
    // Fifty times a head of 24 bytes less.
    expect(grown).toBeLessThan((statSync(path).size - before - grown) * 50 - 49 * 24);
    await store.close();
  });

  test('cannot be made: it says so each time, and goes on when it can', async () => {
    const path = join(folder, 'no such folder', 'store');
    const store = fileStore({ path, key: false });
    await expect(store.load('one')).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(store.load('one')).rejects.toMatchObject({ code: 'ENOENT' });
    await store.close();
  });

  test('needs a path and a key, or the word that there is none', () => {
    expect(() => fileStore({ path: '', key: false })).toThrow('path must be the path of a file, got none');
    expect(() => fileStore({ path: 'x' } as never)).toThrow('key must be 32 bytes');
  });
});

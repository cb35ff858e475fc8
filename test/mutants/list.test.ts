import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
// @ts-expect-error: a plain module, since the runner is one
import { mutants, simulated } from './list.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

// `npm run mutants` plants them; here only that each can still be planted.
test('every planted bug still fits the code, and names the test that catches it', () => {
  expect(mutants.length).toBeGreaterThanOrEqual(30);
  for (const [name, file, before, after] of [...mutants, ...simulated] as string[][]) {
    const source = readFileSync(`${root}/${file}`, 'utf8');
    expect(source.split(before as string).length - 1, `${name}: how often its text stands in ${file}`).toBe(1);
    expect(after, name).not.toBe(before);
  }
  for (const [name, , , , testFile, title] of mutants as string[][]) {
    expect(existsSync(`${root}/${testFile}`), `${name}: ${testFile}`).toBe(true);
    expect(title, name).not.toBe('');
  }
});

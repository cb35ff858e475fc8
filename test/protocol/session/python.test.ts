// The peer in Python reads and writes frames as the vectors have them. Its conversations: test/real/session-python.test.ts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { noPython } from '../../real/support.js';
import vectors from './vectors.json' with { type: 'json' };

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ninja-tcp-vectors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(path: string): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync('python3', [`${here}peer.py`, '--vectors', path], { encoding: 'utf8' });
  return { status, text: stdout || stderr };
}

describe.skipIf(noPython)('the peer in Python (needs python3)', () => {
  test('agrees with every vector', () => {
    const { frames, data } = vectors;
    expect(check(`${here}vectors.json`)).toEqual({
      status: 0,
      text: `${frames.length} frames and ${data.length} messages are as drawn\n`,
    });
  });

  test.each(vectors.frames.map(({ name, what }, at) => [name, what, at] as const))(
    'would notice a wrong byte of %s: %s',
    (_, what, at) => {
      const frames = vectors.frames.map((vector, place) =>
        place === at ? { ...vector, hex: `${vector.hex.slice(0, -1)}${vector.hex.endsWith('0') ? '1' : '0'}` } : vector,
      );
      const path = join(folder, `${at}.json`);
      writeFileSync(path, JSON.stringify({ ...vectors, frames }));
      const { status, text } = check(path);
      expect(status).toBe(1);
      expect(text).toContain(what);
    },
  );
});

// The command for larger worlds, on a world that is small.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const run = (...options: string[]): { status: number | null; stdout: string } =>
  spawnSync(process.execPath, [fileURLToPath(new URL('run.mjs', import.meta.url)), ...options], { encoding: 'utf8' });

test('the command walks the world that it is told, and says what it saw', () => {
  const { status, stdout } = run('--up', '1', '--breaks', '1', '--closes', 'client');
  expect(stdout).toMatch(/^\d+ states, \d+ transitions, \d+ at the end; .+\nnothing is lost/);
  expect(status).toBe(0);
});

test('the command fails where something is wrong, and shows the way there', () => {
  const { status, stdout } = run('--up', '1', '--breaks', '1', '--most', '5');
  expect(stdout).toMatch(/more than 5 states, as by\n1\. the client dials/);
  expect(status).toBe(1);
});

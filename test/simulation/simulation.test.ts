/** Seeds of the whole simulation for a fixed time, in processes of their own: see run.mjs for the same by hand. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { hash } from '../../src/testing/random.js';
import { simulate } from './world.js';

const CI = process.env.CI === 'true';
const SECONDS = Number(process.env.NINJA_SIMULATION_SECONDS ?? (CI ? 30 : 20));
/** In CI at least so many, however slow the machine: always the first ones, so that a red run can be repeated. */
const LEAST = CI ? 350 : 1;
/** The same with sessions: some 10^6 messages and 10^4 breaks. */
const SESSION_SECONDS = CI ? 25 : 10;
const SESSION_LEAST = CI ? 300 : 1;
const VIRTUAL_MINUTES = 5;
/** A seed that was begun is finished; the bundle has to be made; and a slow machine has the least to do. */
const PATIENCE = 150;

interface Failure {
  readonly seed: number;
  readonly problems: readonly string[];
  readonly trace: readonly string[];
  readonly replay: string;
}

interface Summary {
  readonly seeds: number;
  readonly twice: number;
  readonly virtualMs: number;
  readonly shortestMs: number;
  readonly seconds: number;
  readonly seedsPerSecond: number;
  readonly virtualHoursPerSecond: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failed: readonly Failure[];
}

function run(...args: string[]): Promise<Summary> {
  const script = fileURLToPath(new URL('run.mjs', import.meta.url));
  // Coverage of child processes is nobody's aim here, and would cost most of the time.
  const { NODE_V8_COVERAGE: _, ...env } = process.env;
  const child = spawn(process.execPath, [script, '--json', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      if (stdout === '') reject(new Error(`the simulation ended with code ${code}:\n${stderr}`));
      else resolve(JSON.parse(stdout) as Summary);
    });
  });
}

function wordsOf({ seed, problems, trace, replay }: Failure): string {
  return `seed ${seed}:\n${trace.join('\n')}\n  ${problems.join('\n  ')}\nreplay: ${replay}\n`;
}

describe('simulation', () => {
  test(`no seed breaks a promise, for ${SECONDS} s`, { timeout: 1000 * (SECONDS + PATIENCE) }, async ({ annotate }) => {
    const summary = await run(
      '--seconds',
      String(SECONDS),
      '--least',
      String(LEAST),
      '--seeds',
      '100000',
      '--jobs',
      '2',
      '--twice',
      '25',
    );
    const { seeds, twice, seedsPerSecond, virtualHoursPerSecond, counts } = summary;
    const words =
      `${seeds} seeds (${twice} of them twice), ${seedsPerSecond.toFixed(1)} seeds/s, ` +
      `${virtualHoursPerSecond.toFixed(2)} virtual hours per second`;
    console.log(`simulation: ${words}`);
    await annotate(words);
    expect(summary.failed.map(wordsOf).join('\n')).toBe('');
    expect(seeds).toBeGreaterThanOrEqual(LEAST);
    expect(summary.shortestMs).toBeGreaterThanOrEqual(VIRTUAL_MINUTES * 60_000);
    // Whatever is never met proves nothing.
    if (seeds < 50) return;
    for (const what of ['stale', 'peersStale', 'disconnected', 'failed', 'live', 'dropped', 'unknown']) {
      expect(counts[what], what).toBeGreaterThan(seeds / 50);
    }
    expect(counts.arrived).toBeGreaterThan(100 * seeds);
    expect(twice).toBeGreaterThan(0);
  });

  test('with sessions not one message is lost, doubled, reordered or invented', {
    timeout: 1000 * (SESSION_SECONDS + PATIENCE),
  }, async ({ annotate }) => {
    const summary = await run(
      '--sessions',
      '--seconds',
      String(SESSION_SECONDS),
      '--least',
      String(SESSION_LEAST),
      '--seeds',
      '100000',
      '--jobs',
      '2',
      '--twice',
      '50',
    );
    const { seeds, seconds } = summary;
    const { arrived = 0, breaks = 0, resumed = 0 } = summary.counts;
    const words = `${seeds} seeds, ${arrived} messages arrived, ${breaks} breaks, ${resumed} resumes, ${seconds.toFixed(0)} s`;
    console.log(`simulation with sessions: ${words}`);
    await annotate(words);
    expect(summary.failed.map(wordsOf).join('\n')).toBe('');
    expect(seeds).toBeGreaterThanOrEqual(SESSION_LEAST);
    // Whatever is never met proves nothing.
    expect(arrived).toBeGreaterThan(1000 * seeds);
    expect(breaks).toBeGreaterThan(15 * seeds);
    expect(resumed).toBeGreaterThan(10 * seeds);
  });

  test('in this process, with real turns of the event loop, a seed gives the trace of the bundle', {
    timeout: 60_000,
  }, async () => {
    const [{ counts, failed }, { trace, problems }] = await Promise.all([
      run('--seed', '7', '--trace'),
      simulate(7, true),
    ]);
    expect([failed, problems]).toEqual([[], []]);
    expect(counts.traceDigest).toBe(hash(trace.join('\n')));
  });

  test('two processes give the same trace of a seed, byte for byte', { timeout: 60_000 }, async () => {
    const [one, other] = await Promise.all([run('--seed', '7', '--trace'), run('--seed', '7', '--trace')]);
    const digest = one.counts.traceDigest;
    expect(digest).toBeGreaterThan(0);
    expect(other.counts.traceDigest).toBe(digest);
  });
});

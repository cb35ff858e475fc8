/** So many cases of the fuzz suite, in processes of their own: see run.mjs for the same by hand, and for longer. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const CI = process.env.CI === 'true';
const CASES = Number(process.env.NINJA_FUZZ_CASES ?? (CI ? 205_000 : 40_000));
/** In CI always the same cases, so that a red run tells of the change, not of luck. */
const SEED = CI ? 1 : Math.floor(Math.random() * 2 ** 31);

interface Summary {
  readonly seed: number;
  readonly cases: number;
  readonly seconds: number;
  readonly targets: Readonly<Record<string, number>>;
  readonly met: Readonly<Record<string, number>>;
  readonly failed: readonly {
    readonly target: string;
    readonly problems: readonly string[];
    readonly replay: string;
  }[];
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
      if (stdout === '') reject(new Error(`the fuzz suite ended with code ${code}:\n${stderr}`));
      else resolve(JSON.parse(stdout) as Summary);
    });
  });
}

/** Whatever is never met proves nothing; in a small run, what is rare may be missing. */
const FEW = 100_000;
const MET = [
  ...['connecting.greeting', 'connected.live', 'connected.draining', 'stale', 'disconnected.failed'].map(
    (state) => `connection ${state}`,
  ),
  'connection closing, and waiting for another line',
  ...['connected.live', 'connected.draining', 'stale', 'detached.waiting', 'detached.draining', 'disposed'].map(
    (state) => `peer ${state}`,
  ),
  ...['listening', 'paused.waiting', 'paused.rebinding', 'draining', 'disposed'].map((state) => `server ${state}`),
  ...['delivered messages', 'refused a client', 'told NINJA_HANDLER_FAILED'].map((what) => `server ${what}`),
  ...['TRUNCATED', 'FRAME_TOO_LARGE', 'FRAME_TIMEOUT', 'FRAME_BUDGET', 'STALE', 'RESET'].map(
    (code) => `server peer ended by NINJA_${code}`,
  ),
  ...['sent messages', 'whose listener threw', 'lost by NINJA_STALE', 'lost by NINJA_FRAME_TOO_LARGE'].map(
    (what) => `client ${what}`,
  ),
  'options taken',
  'options refused',
  'framings taken',
  'framings refused',
];

describe('fuzz', () => {
  test(`no case of ${CASES} breaks a promise`, { timeout: 600_000 }, async ({ annotate }) => {
    const summary = await run('--cases', String(CASES), '--seed', String(SEED), '--jobs', '2');
    const { cases, seed, seconds, targets, met, failed } = summary;
    const each = Object.entries(targets).map(([name, count]) => `${name} ${count}`);
    const words = `${cases} cases in ${seconds.toFixed(1)} s, seed ${seed}: ${each.join(', ')}`;
    console.log(`fuzz: ${words}`);
    await annotate(words);
    const failures = failed.map(
      ({ target, problems, replay }) => `${target}: ${problems.join('\n')}\nreplay: ${replay}`,
    );
    expect(failures.join('\n\n')).toBe('');
    expect(cases).toBeGreaterThanOrEqual(CASES);
    if (cases < FEW) return;
    for (const what of MET) expect(met[what], what).toBeGreaterThan(0);
  });
});

import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { FlightDump } from '../../src/index.js';
import { echo, stage } from '../connection/stage.js';
import { Program, suite } from './program.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const cache = `${root}node_modules/.cache/ninja-tcp`;
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(`${cache}/replay-`);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A line that is lost once, and closed: on virtual time, so that every figure is known. */
async function recorded(): Promise<FlightDump> {
  const at = stage();
  const server = await at.serve(echo);
  const connection = at.dial({ flightRecorder: true, name: "the 'till'" });
  await at.clock.runUntil(connection.connected({ proven: true }));
  for (const peer of server.peers) void peer.dispose();
  await at.clock.runUntil(() => connection.substate === 'waiting');
  await at.clock.runUntil(connection.connected({ proven: true }));
  await at.clock.runUntil(connection.dispose());
  await at.clock.runUntil(server.dispose());
  return connection.flightRecorder?.dump() as FlightDump;
}

const dump = await recorded();

function file(name: string, content: unknown): string {
  const path = `${folder}/${name}`;
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function run(...args: string[]): Promise<{ code: number | string; stdout: string; stderr: string }> {
  const program = new Program('replay', ...args);
  program.child.stdin.end();
  const code = await program.end;
  return { code, stdout: program.stdout, stderr: program.stderr };
}

const good = file('good.json', dump);
const elsewhere = structuredClone(dump) as unknown as { steps: { entered: { to: string }[] }[] };
(elsewhere.steps[1]?.entered[0] as { to: string }).to = 'stale';
const bad = file('bad.json', elsewhere);

suite('ninja-tcp replay', () => {
  it('shows each step with its time, what it led to and what was done', async () => {
    const { code, stdout, stderr } = await run(good);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.split('\n');
    expect(lines[0]).toBe(`the 'till' (connection): ${dump.steps.length} steps`);
    expect(lines[1]).toMatch(/^recorded by ninja-tcp \S+ on Node v\S+, dumped at 2026-01-01T00:00:0/);
    expect(lines.slice(3, 11)).toEqual([
      '        0.0 ms  start',
      '                → disconnected.idle',
      '                shutGate, stop no socket',
      '        0.0 ms  connect',
      '                disconnected.idle → connecting.dialing',
      '                announce connecting, start socket-1, set connectTimeout 5000 ms',
      '        2.0 ms  socket.opened',
      '                connecting.dialing → connecting.greeting',
    ]);
    expect(stdout).toContain('  after backoff\n                disconnected.waiting → connecting.dialing\n');
    expect(stdout.trimEnd().endsWith(`All ${dump.steps.length} steps went as recorded.`)).toBe(true);
  });

  it('tells the first difference, and exits with 1', async () => {
    const { code, stdout } = await run(bad);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `step 2 of ${dump.steps.length} is not as recorded: the states entered: recorded [{"to":"stale"`,
    );
  });

  it('speaks JSON', async () => {
    const { code, stdout } = await run(good, '--json');
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(code).toBe(0);
    expect(lines).toHaveLength(dump.steps.length + 1);
    expect(lines[2]).toMatchObject({ type: 'step', afterMs: 2, words: 'socket.opened', state: 'connected.unproven' });
    expect(lines.at(-1)).toMatchObject({ type: 'end', difference: null, left: [] });
    const wrong = (await run(bad, '--json')).stdout.trimEnd().split('\n').at(-1) as string;
    expect(JSON.parse(wrong)).toMatchObject({ type: 'end', difference: { step: 1, field: 'entered' } });
  });

  it('with --step goes on at Enter', async () => {
    const program = new Program('replay', good, '--step');
    await program.until('stdout', /dumped at/);
    program.child.stdin.write('\n');
    await program.until('stdout', /ms {2}start\n.*\n.*\n/);
    expect(program.stdout).not.toContain('  connect\n');
    program.child.stdin.write('\n');
    await program.until('stdout', / {2}connect\n/);
    program.child.stdin.end();
    expect(await program.end).toBe(0);
    expect(program.stdout).toContain('as recorded');
  });

  it.each([
    ['a file that is not there', () => `${folder}/nothing.json`, /nothing\.json cannot be read: ENOENT/],
    ['what is no JSON', () => file('torn.json', '{"format": 1,'), /torn\.json: a dump must be JSON: /],
    ['what is no dump', () => file('other.json', { ...dump, format: 7 }), /other\.json: format must be 1, got 7\n$/],
  ])('says what is wrong with %s', async (_name, path, words) => {
    const { code, stdout, stderr } = await run(path());
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(words);
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('lets no control characters of a file onto the terminal', async () => {
    const { stdout } = await run(file('painted.json', { ...dump, name: '\u001b[31mred\u0007' }));
    expect(stdout.split('\n')[0]).toMatch(/^\?\[31mred\? \(connection\)/);
  });

  it.each([
    [[], 'replay needs FILE.'],
    [['x', '--as-test', '--json'], '--as-test is given without --json and --step.'],
    [['x', '--step', '--json'], '--step is given without --json.'],
    [['x', '--out', 'y'], '--out is for --as-test.'],
  ])('refuses %j', async (args, sentence) => {
    const { code, stderr } = await run(...args);
    expect(code).toBe(2);
    expect(stderr.split('\n')[0]).toBe(`ninja-tcp: ${sentence}`);
  });

  it('makes no test of what goes another way already', async () => {
    const { code, stdout, stderr } = await run(bad, '--as-test');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('step 2 of');
  });

  describe('--as-test', () => {
    /** Runs the test that was written, against the sources; with `plant`, after one change in the plan. */
    async function runTest(plant: readonly [string, string] | undefined): Promise<{ passed: number; failed: string }> {
      const name = plant ? 'planted' : 'as-it-is';
      const alias = { 'ninja-tcp/testing': `${root}src/testing/index.ts` };
      const transform = plant
        ? `transform: (code, id) => id.endsWith('/connection.machine.ts') ? code.replace(${JSON.stringify(plant[0])}, ${JSON.stringify(plant[1])}) : undefined`
        : '';
      writeFileSync(
        `${folder}/${name}.config.mjs`,
        `export default { root: ${JSON.stringify(folder)}, resolve: { alias: ${JSON.stringify(alias)} }, plugins: [{ name: 'plant', enforce: 'pre', ${transform} }], test: { include: ['written.test.ts'], reporters: [['json', { outputFile: ${JSON.stringify(`${folder}/${name}.result.json`)} }]] } };`,
      );
      await new Promise((resolve) => {
        const args = [`${root}node_modules/vitest/vitest.mjs`, 'run', '--config', `${folder}/${name}.config.mjs`];
        execFile(process.execPath, args, { cwd: folder }, resolve);
      });
      const result = JSON.parse(readFileSync(`${folder}/${name}.result.json`, 'utf8'));
      const messages = result.testResults.flatMap(({ assertionResults }: { assertionResults: object[] }) =>
        assertionResults.flatMap((one) => (one as { failureMessages: string[] }).failureMessages),
      );
      return { passed: result.numPassedTests, failed: messages.join('\n') };
    }

    it('writes a test that passes, and that a changed plan fails', async () => {
      const path = `${folder}/written.test.ts`;
      expect(await run(good, '--as-test', '--out', path)).toEqual({ code: 0, stdout: '', stderr: '' });
      const source = readFileSync(path, 'utf8');
      expect((await run(good, '--as-test')).stdout).toBe(source);
      expect(source).toContain("test('the \\'till\\': ");
      expect(await runTest(undefined)).toEqual({ passed: 1, failed: '' });
      const changed = await runTest([
        "after: { backoff: { target: '#connecting' } }",
        "after: { backoff: { target: 'idle' } }",
      ]);
      expect(changed.passed).toBe(0);
      expect(changed.failed).toContain('the states entered: recorded');
    });
  });
});

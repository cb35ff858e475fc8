import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { isAlive, Program, suite } from './program.js';

const MINUTE = 60_000;
const packageFile = fileURLToPath(new URL('../../package.json', import.meta.url));

function serverPids(program: Program): number[] {
  return [...program.stdout.matchAll(/as process (\d+)/g)].map(([, pid]) => Number(pid));
}

suite('ninja-tcp demo', () => {
  it('heals from a stopped and from a killed server, and leaves no process behind', { timeout: MINUTE }, async () => {
    const program = new Program('demo', '--json', packageFile);
    expect(await program.end).toBe(0);
    const lines = program.stdout.trimEnd().split('\n');
    const findings = JSON.parse(lines.at(-1) as string);
    expect(Object.keys(findings)).toEqual([
      'sent',
      'echoed',
      'outOfOrder',
      'duplicated',
      'unknown',
      'attempts',
      'detectedAfterMs',
      'healedAfterMs',
    ]);
    expect(findings).toMatchObject({ outOfOrder: 0, duplicated: 0 });
    expect(findings.sent).toBeGreaterThan(1000);
    expect(findings.sent - findings.echoed).toBeLessThanOrEqual(findings.unknown);
    expect(findings.attempts).toBeGreaterThanOrEqual(3);
    expect(findings.detectedAfterMs).toBeGreaterThanOrEqual(3000);
    expect(findings.healedAfterMs).toBeGreaterThanOrEqual(0);
    const happened = lines.filter((line) => /^\d\d:\d\d:\d\d {2}/.test(line)).join('\n');
    expect(happened).toMatch(/SIGSTOP.*stale: silent for.*SIGCONT.*has healed.*SIGKILL.*has healed/s);
    expect(program.stdout).toMatch(/\n {2}detection {2}after 3,\d+ ms of silence\n/);
    expect(serverPids(program)).toHaveLength(2);
    expect(serverPids(program).filter(isAlive)).toEqual([]);
    expect(program.stderr).toBe('');
  });

  it('takes its server with it on SIGINT, also while that is stopped', { timeout: MINUTE }, async () => {
    const program = new Program('demo', packageFile);
    await program.until('stdout', /SIGSTOP/);
    program.child.kill('SIGINT');
    expect(await program.end).toBe(130);
    expect(program.stdout).toMatch(/\nSIGINT: the demo is broken off\.\n$/);
    expect(serverPids(program)).toHaveLength(1);
    expect(serverPids(program).filter(isAlive)).toEqual([]);
  });
});

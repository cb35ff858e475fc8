// Runs tests of real faults that the ordinary run leaves out.
//   npm run faults -- [RUNS]   each outage RUNS times (5); writes what was measured into docs/reconnecting.md
//   npm run test:long          what takes minutes
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const [what, count = '5'] = process.argv.slice(2);
const { env, files } = {
  faults: { env: { NINJA_FAULTS: count }, files: ['test/real/outages'] },
  long: { env: { NINJA_LONG: '1' }, files: ['test/real/blocked-process', 'test/session/flood'] },
}[what];

// The report of the ordinary run stays as it is.
const report = `node_modules/.cache/ninja-tcp/${what}.json`;
const args = [`${root}node_modules/vitest/vitest.mjs`, 'run', '--config', '.config/vitest.config.ts'];
const { status } = spawnSync(process.execPath, [...args, ...files], {
  cwd: root,
  env: { ...process.env, NINJA_REPORT: report, ...env },
  stdio: 'inherit',
});
process.exit(status ?? 1);

// Reads the JSON reports of the last `npm test` and `npm run runtimes`: names the skipped and failed tests and ends with the
// line `N passed, N failed, N skipped`. Fails when a test failed, when none ran, or when a report is missing.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cache = new URL('../node_modules/.cache/ninja-tcp/', import.meta.url);

const count = { passed: 0, failed: 0, skipped: 0 };
let missing = false;

function resultsOf(file, what) {
  try {
    const { testResults } = JSON.parse(readFileSync(new URL(file, cache), 'utf8'));
    if (testResults.length > 0) return testResults;
    console.log(`no results of ${what}`);
  } catch (error) {
    console.log(`no report of ${what}: ${error.message}`);
  }
  missing = true;
  return [];
}

for (const suite of [...resultsOf('tests.json', 'the tests'), ...resultsOf('runtimes.json', 'the runtimes')]) {
  const name = suite.name.startsWith(root) ? relative(root, suite.name) : suite.name;
  for (const test of suite.assertionResults) {
    const kind = test.status === 'passed' || test.status === 'failed' ? test.status : 'skipped';
    count[kind] += 1;
    if (kind !== 'passed') console.log(`${kind}: ${name} > ${test.fullName}`);
  }
  // A file that cannot be loaded has no tests, yet failed.
  if (suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed')) {
    count.failed += 1;
    console.log(`failed: ${name} ${suite.message ?? ''}`.trimEnd());
  }
}

console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`);
process.exit(count.failed > 0 || count.passed === 0 || missing ? 1 : 0);

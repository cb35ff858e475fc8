// Reads the JSON report of the last `npm test`: names the skipped and failed tests and ends with the line
// `N passed, N failed, N skipped`. Fails when a test failed, when none ran, or when there is no report.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const file = new URL('../node_modules/.cache/ninja-tcp/tests.json', import.meta.url);

let results = [];
try {
  results = JSON.parse(readFileSync(file, 'utf8')).testResults;
} catch (error) {
  console.log(`no report of the tests: ${error.message}`);
}

const count = { passed: 0, failed: 0, skipped: 0 };
for (const suite of results) {
  const name = relative(root, suite.name);
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
process.exit(count.failed > 0 || count.passed === 0 ? 1 : 0);

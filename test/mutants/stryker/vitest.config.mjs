// The tests that a run of Stryker may use: NINJA_STRYKER_TESTS, from run.mjs. No real clocks, processes or ports among them.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';

const at = (path) => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

const tests = process.env.NINJA_STRYKER_TESTS?.split(' ') ?? [];

/** In the order in which run.mjs names them. */
class AsNamed extends BaseSequencer {
  sort(specs) {
    const place = ({ moduleId }) => tests.findIndex((test) => moduleId === at(test));
    return specs.toSorted((one, other) => place(one) - place(other));
  }
}

/**
 * Stryker counts failed tests. A file that cannot be loaded has none, and ends the run: its mutant would pass for a
 * survivor. So such a file gets a test, which failed.
 */
const loads = {
  onTestRunEnd(modules) {
    for (const { task } of modules) {
      if (task.result?.state !== 'fail' || task.tasks.length > 0) continue;
      const { errors } = task.result;
      const result = { state: 'fail', errors, duration: 0 };
      task.tasks.push({
        type: 'test',
        id: `${task.id}_0`,
        name: 'can be loaded',
        mode: 'run',
        file: task,
        meta: {},
        result,
      });
    }
  },
};

export default defineConfig({
  root: at(''),
  resolve: {
    alias: [
      { find: /^ninja-tcp$/, replacement: at('src/index.ts') },
      { find: /^ninja-tcp\/testing$/, replacement: at('src/testing/index.ts') },
      { find: /^ninja-tcp\/machines$/, replacement: at('machines/index.ts') },
    ],
  },
  test: {
    environment: 'node',
    // One process for all files of a run: the library is loaded once for each mutant, and not once for each file.
    isolate: false,
    include: tests,
    sequence: { sequencer: AsNamed },
    reporters: [loads],
    // A promise that a mutant leaves unsettled is waited for so long: no test here takes a second.
    testTimeout: 10_000,
  },
});

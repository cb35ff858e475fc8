import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const at = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));
const cache = 'node_modules/.cache/ninja-tcp';

export default defineConfig({
  root: at(''),
  resolve: {
    alias: [
      { find: /^ninja-tcp$/, replacement: at('src/index.ts') },
      { find: /^ninja-tcp\/testing$/, replacement: at('src/testing/index.ts') },
      { find: /^ninja-tcp\/opentelemetry$/, replacement: at('src/opentelemetry/index.ts') },
      { find: /^ninja-tcp\/redis$/, replacement: at('src/redis/index.ts') },
      { find: /^ninja-tcp\/file-store$/, replacement: at('src/file-store/index.ts') },
      { find: /^ninja-tcp\/machines$/, replacement: at('machines/index.ts') },
      { find: /^ninja-tcp\/inspector$/, replacement: at('src/inspector/index.ts') },
    ],
  },
  test: {
    environment: 'node',
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['default', ['json', { outputFile: process.env.NINJA_REPORT ?? `${cache}/tests.json` }]],
    // Tests with real clocks, processes and networks come last and one file at a time: on two cores they disturb each other.
    projects: [
      {
        extends: true,
        test: {
          name: 'quick',
          include: ['test/**/*.test.ts'],
          exclude: ['test/real/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'real',
          include: ['test/real/**/*.test.ts'],
          maxWorkers: 1,
          fileParallelism: false,
          // Within a file those that say so run side by side: they wait for most of the time.
          maxConcurrency: 6,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    coverage: {
      enabled: process.env.NINJA_COVERAGE === '1',
      provider: 'v8',
      include: ['src/**/*.ts', 'machines/**/*.ts'],
      // The page runs in a browser: what of it can be pure is measured by its own tests' failing, not by lines.
      exclude: ['src/cli/**', 'src/inspector/page/**'],
      reporter: ['text-summary', 'json-summary'],
      reportsDirectory: `${cache}/coverage`,
      thresholds: { lines: 90 },
    },
  },
});

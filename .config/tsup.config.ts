import { readFile, writeFile } from 'node:fs/promises';
import { defineConfig, type Options } from 'tsup';

const doors = {
  index: 'src/index.ts',
  'testing/index': 'src/testing/index.ts',
  'opentelemetry/index': 'src/opentelemetry/index.ts',
  'redis/index': 'src/redis/index.ts',
  'file-store/index': 'src/file-store/index.ts',
  'machines/index': 'machines/index.ts',
  'inspector/index': 'src/inspector/index.ts',
};

const common: Options = {
  outDir: 'dist',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  // Shared modules go into chunks, so that every door of one format hands out the same classes.
  splitting: true,
  removeNodeProtocol: false,
  skipNodeModulesBundle: true,
  silent: true,
  // Several builds share dist and run at once: .config/setup.mjs removes afterwards what is left of older ones.
  clean: false,
};

const scripts: Options[] = [
  { ...common, name: 'esm', format: 'esm', entry: { ...doors, 'cli/main': 'src/cli/main.ts' } },
  // Without `treeshake` tsup splits CommonJS with Sucrase, which loses static blocks and slows down `?.` and `??`
  // without a word; with it Rollup does it, correctly.
  { ...common, name: 'cjs', format: 'cjs', entry: doors, treeshake: 'safest' },
];

const types: Options = {
  ...common,
  name: 'types',
  format: ['esm', 'cjs'],
  entry: doors,
  dts: { only: true, compilerOptions: { ignoreDeprecations: '6.0' } },
};

/** The inspector's page: static files for a browser, beside the library and imported by nothing. */
const page: Options = {
  ...common,
  name: 'page',
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  entry: { 'inspector/page': 'src/inspector/page/main.ts' },
  outExtension: () => ({ js: '.js' }),
  splitting: false,
  sourcemap: false,
  minify: true,
  // Written, not copied: what is older than the build is swept out of dist.
  onSuccess: async () => writeFile('dist/inspector/index.html', await readFile('src/inspector/page/index.html')),
};

const style: Options = {
  ...page,
  name: 'style',
  format: 'esm',
  entry: { 'inspector/page': 'src/inspector/page/style/page.css' },
  onSuccess: async () => {},
};

const built = [...scripts, page, style];

export default defineConfig(process.env.NINJA_BUILD === 'js' ? built : [...built, types]);

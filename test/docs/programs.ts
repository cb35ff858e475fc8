/** Runs the programs of the documentation, as a user would: each in a process of its own, against the built package. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'tsup';
import ts from 'typescript';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a program has to print: `// → words` in its source, in order; `…` stands for anything. Its port is changed. */
export function expectedOf(source: string): string[] {
  return [...source.replaceAll('65432', '…').matchAll(/\/\/ → (.*)$/gm)].map(([, words]) => words as string);
}

const pattern = (words: string): RegExp =>
  new RegExp(
    `^${words
      .split('…')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*')}$`,
  );

/** Compares line by line; `(zero or more times)` behind an expected line means that. @returns what is wrong, if anything */
export function compare(printed: readonly string[], expected: readonly string[]): string | undefined {
  let at = 0;
  for (const words of expected) {
    const repeated = words.endsWith(' (zero or more times)');
    const wanted = pattern(words.replace(' (zero or more times)', ''));
    if (repeated) while (at < printed.length && wanted.test(printed[at] as string)) at += 1;
    else if (at < printed.length && wanted.test(printed[at] as string)) at += 1;
    else return `expected '${words}', printed '${printed[at] ?? 'nothing more'}'`;
  }
  return at < printed.length ? `printed '${printed[at]}', which nobody expected` : undefined;
}

export interface Outcome {
  readonly code: number | null;
  readonly printed: readonly string[];
  readonly complaints: string;
}

/** A port that nobody has at the moment. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address ? address.port : 0;
}

/** A folder in which `ninja-tcp` is installed, for a while. */
export class Workshop {
  readonly folder: string;

  constructor() {
    const cache = `${root}node_modules/.cache/ninja-tcp`;
    mkdirSync(cache, { recursive: true });
    this.folder = mkdtempSync(`${cache}/programs-`);
  }

  /** Builds what is in src now: dist may be older. Programs find certificates beside them. */
  async install(): Promise<void> {
    cpSync(`${root}test/real/certificates`, `${this.folder}/certificates`, { recursive: true });
    const home = `${this.folder}/node_modules/ninja-tcp`;
    mkdirSync(home, { recursive: true });
    cpSync(`${root}package.json`, `${home}/package.json`);
    await build({
      config: false,
      silent: true,
      format: 'esm',
      target: 'node20',
      platform: 'node',
      splitting: true,
      skipNodeModulesBundle: true,
      outDir: `${home}/dist`,
      entry: {
        index: `${root}src/index.ts`,
        'testing/index': `${root}src/testing/index.ts`,
        'opentelemetry/index': `${root}src/opentelemetry/index.ts`,
        'redis/index': `${root}src/redis/index.ts`,
        'file-store/index': `${root}src/file-store/index.ts`,
        'machines/index': `${root}machines/index.ts`,
        'inspector/index': `${root}src/inspector/index.ts`,
      },
    });
    // The page's own scripts have tests in a browser: here it is only asked for.
    cpSync(`${root}src/inspector/page/index.html`, `${home}/dist/inspector/index.html`);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** @param onPrint called with all that was printed so far */
  async run(name: string, source: string, onPrint?: (all: string, pid: number) => void): Promise<Outcome> {
    const { outputText } = ts.transpileModule(source.replaceAll('65432', `${await freePort()}`), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
    });
    const file = `${this.folder}/${name}.mjs`;
    writeFileSync(file, outputText);
    const child = spawn(process.execPath, [file], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 15_000,
    });
    let printed = '';
    let complaints = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
      onPrint?.(printed, child.pid ?? 0);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaints += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, printed: printed.split('\n').slice(0, -1), complaints };
  }
}

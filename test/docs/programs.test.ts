import { mkdirSync, writeFileSync } from 'node:fs';
import ts from 'typescript';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Block, blocksOf, examples, pages, programOf, read } from './pages.js';
import { compare, expectedOf, root, Workshop } from './programs.js';

const workshop = new Workshop();
beforeAll(() => workshop.install());
afterAll(() => workshop.remove());

const sourceOf = (example: string): string => read(`docs/examples/${example}`);
/** Blocks that are files of docs/examples are run as such. */
const known = new Set(examples.map((example) => `${sourceOf(example).trim()}\n`));
const blocks = pages.flatMap(blocksOf).filter(({ tag, code }) => tag === 'ts' && !known.has(code));
const runnable = blocks.filter(({ notRun }) => notRun === undefined);

async function runs(name: string, source: string): Promise<void> {
  let signalled = false;
  const { code, printed, complaints } = await workshop.run(name.replace(/\W/g, '-'), source, (all, pid) => {
    // A program that waits for a signal says so.
    if (signalled || !all.startsWith('ready\n')) return;
    signalled = true;
    process.kill(pid, 'SIGTERM');
  });
  // The runner of node:test has words of its own.
  const told = source.includes("'node:test'") ? [] : printed;
  expect({ complaints, code, wrong: compare(told, expectedOf(source)) }).toEqual({
    complaints: '',
    code: 0,
    wrong: undefined,
  });
}

describe('docs/examples', () => {
  test.concurrent.each(examples)('%s runs, prints what it says, and ends by itself', async (example) => {
    await runs(example, sourceOf(example));
  });

  test.each(examples)('%s is shown or linked on some page', (example) => {
    const shown = pages.filter(
      (page) => read(page).includes(`example ${example} -->`) || read(page).includes(`/${example})`),
    );
    expect(shown).not.toEqual([]);
  });
});

describe('blocks of TypeScript in the pages', () => {
  test.concurrent.each(runnable)('$name runs', async (block: Block) => {
    await runs(block.name, programOf(block));
  });

  test('all of them are sound under strict TypeScript', () => {
    const folder = `${workshop.folder}/types`;
    mkdirSync(folder, { recursive: true });
    const files = blocks.map((block, place) => {
      const file = `${folder}/block-${place}.mts`;
      writeFileSync(file, programOf(block));
      return file;
    });
    const config = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile).config;
    const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [] }, ts.sys, root);
    const program = ts.createProgram(files, { ...options, noUnusedLocals: false, rootDir: root, pathsBasePath: root });
    const complaints = files.flatMap((file, place) =>
      ts
        .getPreEmitDiagnostics(program, program.getSourceFile(file))
        .map(({ messageText }) => `${blocks[place]?.name}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`),
    );
    expect(complaints).toEqual([]);
  }, 60_000);
});

test('the comparison itself sees what is wrong', () => {
  expect(compare(['a', 'b'], ['a', 'b'])).toBeUndefined();
  expect(compare(['a 12 ms'], ['a … ms'])).toBeUndefined();
  expect(compare(['a'], ['b'])).toContain("expected 'b'");
  expect(compare(['a'], ['a', 'b'])).toContain('nothing more');
  expect(compare(['a', 'b'], ['a'])).toContain('nobody expected');
  expect(compare(['a', 'a', 'b'], ['a (zero or more times)', 'b'])).toBeUndefined();
});

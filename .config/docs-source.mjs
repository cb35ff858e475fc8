// What the documentation is made from: the tables and statecharts of the library itself, and the comments in its source.
// No build is needed: these files import nothing but xstate, each other and types, so each is translated by itself.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

export const root = fileURLToPath(new URL('..', import.meta.url));
const drawing = ['chart-plan', 'chart-svg', 'chart-mermaid'];
const compilerOptions = {
  module: ts.ModuleKind.ESNext,
  target: ts.ScriptTarget.ES2022,
  verbatimModuleSyntax: true,
};
const cache = `${root}node_modules/.cache/ninja-tcp`;

/** The values that tables and pictures are made from: of options, errors, metrics, machines and what draws them. */
export async function load() {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(`${cache}/docs-`);
  try {
    const files = [
      'src/options.ts',
      'src/errors.ts',
      ...drawing.map((name) => `src/inspector/${name}.ts`),
      'src/opentelemetry/table.ts',
      ...readdirSync(`${root}machines`)
        .filter((name) => name.endsWith('.ts'))
        .map((name) => `machines/${name}`),
    ];
    for (const file of files) translate(file, folder);
    const load = (name) => import(pathToFileURL(`${folder}/${name}.mjs`).href);
    const modules = await Promise.all(['options', 'errors', 'table', 'index', ...drawing].map(load));
    return Object.assign({}, ...modules);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function translate(file, folder) {
  const { outputText } = ts.transpileModule(readFileSync(root + file, 'utf8'), { compilerOptions });
  const name = file.replace(/^.*\//, '').replace(/\.ts$/, '.mjs');
  writeFileSync(`${folder}/${name}`, outputText.replace(/(from '\.\/[^']+)\.js'/g, "$1.mjs'"));
}

/**
 * The exports of some files of the library, by path, with whatever they import translated beside them: for what is made by
 * running it.
 */
export async function loadWithImports(paths) {
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(`${cache}/docs-`);
  try {
    // It grows meanwhile.
    const todo = new Set(paths);
    for (const path of todo) {
      const text = readFileSync(root + path, 'utf8');
      const { outputText } = ts.transpileModule(text, { compilerOptions });
      const target = `${folder}/${path.replace(/\.ts$/, '.mjs')}`;
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, outputText.replace(/(from '\.[^']+)\.js'/g, "$1.mjs'"));
      for (const [, to] of outputText.matchAll(/from '(\.[^']+)\.js'/g)) todo.add(`${join(dirname(path), to)}.ts`);
    }
    return await Promise.all(
      paths.map((path) => import(pathToFileURL(`${folder}/${path.replace(/\.ts$/, '.mjs')}`).href)),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const sources = new Map();

function parsed(file) {
  if (!sources.has(file)) {
    const text = readFileSync(root + file, 'utf8');
    sources.set(file, ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  }
  return sources.get(file);
}

/** The words of a declaration's comment. */
function wordsOf(node) {
  return ts
    .getJSDocCommentsAndTags(node)
    .map(({ comment }) => (typeof comment === 'string' ? comment : ts.getTextOfJSDocComment(comment)))
    .join(' ')
    .trim();
}

function statementOf(file, name) {
  const source = parsed(file);
  const found = source.statements.find((statement) =>
    ts.isVariableStatement(statement)
      ? statement.declarationList.declarations.some((one) => one.name.getText() === name)
      : statement.name?.getText() === name,
  );
  if (!found) throw new Error(`${file} has no ${name}`);
  return found;
}

/** The comment of a declaration. */
export function commentOf(file, name) {
  return wordsOf(statementOf(file, name));
}

/** The members of an exported object literal or interface, in order: `[name, comment, type]`. */
export function membersOf(file, name) {
  const statement = statementOf(file, name);
  const members = ts.isVariableStatement(statement)
    ? literalOf(statement.declarationList.declarations[0].initializer).properties
    : statement.members;
  return members.map((member) => {
    const words = wordsOf(member);
    if (words === '') throw new Error(`${file}: ${name}.${member.name.getText()} has no comment`);
    return { name: member.name.getText(), words, type: member.type?.getText() };
  });
}

function literalOf(expression) {
  return ts.isObjectLiteralExpression(expression) ? expression : literalOf(expression.expression);
}

/** What a comment before a member of a list says, in a table of rows such as `layouts`: name of the row's first → words. */
export function rowWordsOf(file, name, member) {
  const source = parsed(file);
  const { initializer } = statementOf(file, name).declarationList.declarations[0];
  const one = literalOf(initializer).properties.find((property) => property.name.getText() === member);
  const fields = one.initializer.properties.find((property) => property.name.getText() === 'fields');
  return new Map(
    fields.initializer.elements.map((row) => {
      const { text } = source;
      const start = row.getFullStart();
      const comments = [
        ...(ts.getTrailingCommentRanges(text, start) ?? []),
        ...(ts.getLeadingCommentRanges(text, start) ?? []),
      ];
      const words = comments.map(({ pos, end }) => text.slice(pos, end).replace(/^\/\*\*\s*|\s*\*\/$/g, '')).join(' ');
      const field = row.elements[0].text;
      if (words === '') throw new Error(`${file}: ${name}.${member}.${field} has no comment`);
      return [field, words];
    }),
  );
}

// House rules that no other tool checks. Time and chance come through the environment, files stay short,
// exports have names, nothing is left half done.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const maxLines = 300;
const globals = new Set([
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'randomBytes',
  'randomUUID',
  'getRandomValues',
]);
const globalObjects = new Set(['globalThis', 'global', 'window', 'self', 'timers', 'crypto']);
const members = new Set(['process.nextTick', 'process.hrtime', 'Date.now', 'performance.now', 'Math.random']);
const mayTouchTime = /^src\/(socket\/node(-clock)?\.ts$|(testing|inspector|cli)\/)/;

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const filesOf = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => `${entry.parentPath}/${entry.name}`.replaceAll('\\', '/'))
        .sort()
    : [];

const isCode = (file) => /\.[cm]?[jt]sx?$/.test(file);
const isText = (file) => isCode(file) || /\.(html|css|md|json|py|lua|sh)$/.test(file);

let problems = 0;
const report = (file, line, message) => {
  problems += 1;
  console.error(`${file}:${line}: ${message}`);
};

/** The name of a use of time or chance, or undefined. `clock.setTimeout(…)` and `this.clock.now()` are not one. */
const impure = (node) => {
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
    const name = node.expression.text;
    if (globals.has(name)) return `${name}()`;
    if (name === 'Date') return 'Date()';
  }
  // With an argument `new Date(ms)` only formats a time that is already known.
  if (ts.isNewExpression(node) && node.expression.getText() === 'Date' && !node.arguments?.length) return 'new Date()';
  if (ts.isPropertyAccessExpression(node)) {
    const of = node.expression.getText().replace(/^(globalThis|global)\./, '');
    if (members.has(`${of}.${node.name.text}`)) return `${of}.${node.name.text}`;
    if (globalObjects.has(of) && globals.has(node.name.text)) return `${of}.${node.name.text}`;
  }
  // Handed on by name: `delay = setTimeout`, `{ now: setTimeout }`, `wait(queueMicrotask)`.
  if (ts.isIdentifier(node) && globals.has(node.text)) {
    const { parent } = node;
    const handedOn =
      (ts.isCallExpression(parent) && parent.arguments.includes(node)) ||
      ((ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent) || ts.isParameter(parent)) &&
        parent.initializer === node) ||
      (ts.isBinaryExpression(parent) && parent.right === node);
    if (handedOn) return node.text;
  }
  return undefined;
};

const checkSyntax = (file, text) => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const visit = (node) => {
    const line = () => source.getLineAndCharacterOfPosition(node.getStart()).line + 1;
    if (ts.isExportDeclaration(node) && (!node.exportClause || ts.isNamespaceExport(node.exportClause))) {
      report(file, line(), 'no `export *`: name what is exported');
    }
    const use = mayTouchTime.test(file) ? undefined : impure(node);
    if (use) report(file, line(), `${use}: time and chance come through the environment`);
    ts.forEachChild(node, visit);
  };
  visit(source);
};

const library = [...filesOf('src'), ...filesOf('machines')];
const all = [...library, ...filesOf('test')].filter(isText);

for (const file of all) {
  const text = readFileSync(file, 'utf8');
  const lines = text.split('\n');
  lines.forEach((line, index) => {
    if (/\b(TODO|FIXME)\b/.test(line)) report(file, index + 1, 'finish it, or write it into docs/inside/decisions.md');
    if (line.includes('.only(')) report(file, index + 1, '.only( hides the other tests');
  });
  if (!library.includes(file)) continue;
  const count = lines.length - (text.endsWith('\n') ? 1 : 0);
  if (count > maxLines) report(file, maxLines + 1, `${count} lines, at most ${maxLines}: split it`);
  if (isCode(file)) checkSyntax(file, text);
}

if (all.length === 0) report('.', 0, 'no files found');
console.log(`checks: ${all.length} files, ${problems} problem${problems === 1 ? '' : 's'}`);
process.exit(problems ? 1 : 0);

// Writes the generated parts of README.md and docs/: whatever stands between `<!-- generated: NAME -->` and
// `<!-- end -->`. NAME is a table or picture made from the library itself, or `example FILE` for a file of docs/examples.
// The pictures of docs/images and what they are drawn from.
// And the default of an option inside a line: between `<!-- default: OPTION -->` and `<!-- /default -->`.
//   --check   compares instead, and exits 1 with the names of the files that are out of date
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pictures } from './charts.mjs';
import { diagnostics } from './docs-diagnostics.mjs';
import { protocol } from './docs-protocol.mjs';
import { load, root } from './docs-source.mjs';
import { charts } from './docs-states.mjs';
import { defaultsOf, tables } from './docs-tables.mjs';

const MARKED = /(<!-- generated: (.+?) -->\n)([\s\S]*?)(<!-- end -->)/g;
const DEFAULT = /(<!-- default: ([\w.]+) -->)(.*?)(<!-- \/default -->)/g;

const values = await load();
const parts = { ...tables(values), ...charts(values), ...diagnostics(values), ...(await protocol()) };
const defaults = defaultsOf(values);
const used = new Set();
const problems = [];

function partOf(name, file) {
  const example = /^example (\S+)$/.exec(name)?.[1];
  if (example) {
    const path = `docs/examples/${example}`;
    if (existsSync(root + path)) return `\`\`\`ts\n${readFileSync(root + path, 'utf8').trim()}\n\`\`\``;
  } else if (name in parts) {
    used.add(name);
    return parts[name];
  }
  problems.push(`${file}: there is nothing to generate by the name '${name}'`);
  return '';
}

function defaultOf(name, file) {
  if (!defaults.has(name)) problems.push(`${file}: there is no option '${name}'`);
  return defaults.get(name);
}

const pages = [
  'README.md',
  ...readdirSync(`${root}docs`, { recursive: true })
    .map((name) => `docs/${name.replaceAll('\\', '/')}`)
    .filter((name) => name.endsWith('.md')),
];
const check = process.argv.includes('--check');

for (const file of pages) {
  const before = readFileSync(root + file, 'utf8');
  const after = before
    .replace(MARKED, (_, open, name, _old, close) => `${open}\n${partOf(name, file)}\n\n${close}`)
    .replace(DEFAULT, (_, open, name, _old, close) => `${open}${defaultOf(name, file)}${close}`);
  if (after === before) continue;
  if (check) problems.push(`${file}: its generated parts are out of date: npm run docs`);
  else {
    writeFileSync(root + file, after);
    console.log(`docs: wrote ${file}`);
  }
}
for (const [file, text] of await pictures(values)) {
  if (existsSync(root + file) && readFileSync(root + file, 'utf8') === text) continue;
  if (check) problems.push(`${file}: is out of date: npm run docs`);
  else {
    mkdirSync(`${root}docs/images`, { recursive: true });
    writeFileSync(root + file, text);
    console.log(`docs: wrote ${file}`);
  }
}
for (const name of Object.keys(parts)) {
  if (!used.has(name)) problems.push(`no page has '<!-- generated: ${name} -->'`);
}
for (const problem of problems) console.error(`docs: ${problem}`);
process.exit(problems.length > 0 ? 1 : 0);

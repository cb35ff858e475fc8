// The table of README.md, and the report for the landing run.

const MARKED = /(<!-- measured: runtimes -->\n)([\s\S]*?)(<!-- \/measured -->)/;

/** The page with this table in it. */
export function marked(page, table) {
  if (!MARKED.test(page)) throw new Error('README.md has no `<!-- measured: runtimes -->`');
  return page.replace(MARKED, (_, open, _old, close) => `${open}\n${table}\n\n${close}`);
}

const rowsOf = (page) =>
  [...(MARKED.exec(page)?.[2] ?? '').matchAll(/^\| (.+) \|$/gm)].map(([, cells]) => cells.split(' | ')).slice(2);

/** The runtimes of the table, with the line of versions: `Node 26`, `Bun 1`. */
export const runtimesOf = (page) => rowsOf(page).map(([name]) => name);

/** The name of a check, without how the package was loaded. */
export const bare = (name) => name.replace(/^by (import|require): /, '');

/** What the table says does not hold on this runtime; '' where it does not name it. */
export const cellOf = (page, title) => rowsOf(page).find(([name]) => name.split(' ')[0] === title)?.[2] ?? '';

/** @param groups `{ title: 'Node 26.10.0', rows: { name, failure }[] }`, the tarball first */
export function tableOf([tarball, ...groups]) {
  for (const { title, rows } of [tarball, ...groups.filter((group) => group.title.startsWith('Node '))]) {
    const broken = rows.find(({ failure }) => failure !== null);
    if (broken) throw new Error(`${title}: '${broken.name}' has to hold: it is not to be told, but to be mended`);
  }
  const lines = groups.map(({ title, rows }) => {
    if (rows.length === 0) throw new Error(`${title}: the table is that of all runtimes`);
    const [name, version] = title.split(' ');
    const broken = new Set(rows.filter(({ failure }) => failure !== null).map((row) => bare(row.name)));
    return `| ${name} ${version.split('.')[0]} | ${version} | ${[...broken].join('; ') || 'nothing found'} |`;
  });
  return ['| Runtime | Tried with | What does not hold there |', '| --- | --- | --- |', ...lines].join('\n');
}

/** As vitest reports its tests. A runtime that could not be had is one skipped test. */
export function vitestReport(groups) {
  const testResults = groups.map(({ title, rows }) => ({
    name: `npm run runtimes > ${title}`,
    assertionResults:
      rows.length === 0
        ? [{ fullName: 'all checks', status: 'skipped' }]
        : rows.map(({ name, failure, isTold }) => ({
            fullName: name,
            status: failure === null ? 'passed' : isTold ? 'skipped' : 'failed',
          })),
  }));
  return { testResults };
}

// Tables, as Markdown: good to read on the console too.
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, notation: 'compact' });
const number = (value) => (Math.abs(value) < 1000 ? Number(value.toPrecision(3)).toString() : short.format(value));

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** `ours / reference`, or `ours - raw`. */
const sign = ({ aim }) => (aim?.addAtMost === undefined ? '/' : '−');

function aimWords({ aim }) {
  if (aim === undefined) return '';
  if (aim.atLeast !== undefined) return `≥ ${aim.atLeast}`;
  if (aim.atMost !== undefined) return `≤ ${aim.atMost}`;
  return `≤ + ${aim.addAtMost}`;
}

const verdict = ({ reached }) => (reached === undefined ? '' : reached ? 'yes' : '**no**');

/** One table for each group of rows. */
export function tableOf(rows) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => {
      const own = rows.filter((row) => row.group === group);
      return `**${group}**\n\n${table(
        ['What', 'Against', 'Ratio', 'Least … most', 'Aim', 'Reached', 'Ours', 'Theirs', 'Unit'],
        own.map((row) => [
          row.what,
          `${row.ours} ${sign(row)} ${row.other}`,
          number(row.figure.median),
          `${number(row.figure.least)} … ${number(row.figure.most)}`,
          aimWords(row),
          verdict(row),
          number(row.values.ours.median),
          number(row.values.other.median),
          row.unit,
        ]),
      )}`;
    })
    .join('\n\n');
}

// What the benchmark says, as Markdown: good to read on the console too.
import { cliffs, workOf } from './suites/growth.mjs';

const compact = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, notation: 'compact' });
const number = (value) => (Math.abs(value) < 1000 ? `${Number(value.toPrecision(3))}` : compact.format(value));

const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** `ours / reference`, or `ours − raw`. */
const against = ({ ours, other, aim }) => `${ours} ${aim?.addAtMost === undefined ? '/' : '−'} ${other}`;

function aimWords({ aim }) {
  if (aim === undefined) return '';
  if (aim.atLeast !== undefined) return `≥ ${aim.atLeast}`;
  return aim.atMost === undefined ? `≤ ${aim.addAtMost}` : `≤ ${aim.atMost}`;
}

const verdict = ({ reached }) => (reached === undefined ? '' : reached ? 'yes' : '**no**');

/** One table for each group of rows. */
export function tablesOf(rows) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  return groups
    .map((group) => {
      const own = rows.filter((row) => row.group === group);
      return `**${group}**\n\n${table(
        ['What', 'Compared', 'Median', 'Least … most', 'Aim', 'Reached', 'The first', 'The second', 'Unit'],
        own.map((row) => [
          row.what,
          against(row),
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

function machineWords({ cpus, cpu, system, node, date, load, rounds, peers, skipped, failures }) {
  const others = Object.entries(peers).map(([name, version]) => `${name} ${version}`);
  const words = [
    `Measured on ${date} with Node ${node} on ${system}, ${cpus} × ${cpu}; ${rounds} rounds.`,
    load > cpus / 2 ? `**The machine was busy with other work (load ${load.toFixed(1)}): distrust the figures.**` : '',
    others.length > 0 ? `Compared with: ${others.join(', ')}.` : '',
    skipped.length > 0 ? `Not measured, since it was not there: ${skipped.join(', ')}.` : '',
    ...failures.map((failure) => `**A round failed:** ${failure}.`),
  ];
  return words.filter((word) => word !== '').join(' ');
}

/** What did not come out as it was to, one line each. */
function notReached(rows) {
  const missed = rows.filter(({ reached }) => reached === false);
  if (missed.length === 0) return 'All aims are reached.';
  const lines = missed.map(
    (row) => `- ${row.group}: ${row.what} (${against(row)}): ${number(row.figure.median)}, the aim is ${aimWords(row)}`,
  );
  return `**Where we are not as far as we want to be**\n\n${lines.join('\n')}`;
}

/** The rule that ten times the work costs at most twelve times the time, for each plot. */
export function growthWords(plots) {
  return plots.map(({ id, title, lines }) => {
    const ours = lines.find(({ name }) => name === 'ours');
    const found = cliffs(ours.points, workOf[id]);
    if (found.length === 0) return { good: true, words: `${title}: no cliff` };
    const places = found.map(
      ({ from, to, times, allowed }) => `from ${from} to ${to}: ${number(times)} times, allowed ${number(allowed)}`,
    );
    return { good: false, words: `${title}: **a cliff** ${places.join('; ')}` };
  });
}

export function reconnectWords({ count, microseconds, client, server }) {
  const each = (bytes) => `${bytes.toFixed(1)} bytes`;
  return (
    `**Reconnects.** Over ${count.toLocaleString('en')} reconnects in a row, of ${number(microseconds)} µs each, the heap of the ` +
    `client grew by ${each(client)} a reconnect, that of the server by ${each(server)} (median of the slopes, after garbage collection).`
  );
}

export function soakWords({ minutes, messages, client, server }) {
  const each = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;
  return (
    `**Minutes.** Over ${minutes} minutes at full speed, ${messages.toLocaleString('en')} messages of 128 B, the heap of the client ` +
    `grew by ${each(client)} a minute, that of the server by ${each(server)} (median of the slopes, after garbage collection).`
  );
}

/** The measured part of docs/performance.md. */
export function page({ machine, rows, plots, reconnects, soak }) {
  const parts = [machineWords(machine), tablesOf(rows), notReached(rows)];
  if (plots.length > 0) {
    parts.push(
      '**Growth.** Ten times the work may cost at most twelve times the time:',
      growthWords(plots)
        .map(({ words }) => `- ${words}`)
        .join('\n'),
      ...plots.map(({ id, title }) => `![${title}](benchmarks/${id}.svg)`),
    );
  }
  if (reconnects) parts.push(reconnectWords(reconnects));
  if (soak) parts.push(soakWords(soak));
  return parts.join('\n\n');
}

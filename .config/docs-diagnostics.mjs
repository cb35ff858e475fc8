// The tables of diagnostics channels and of metrics.
import { commentOf, membersOf } from './docs-source.mjs';
import { table } from './docs-tables.mjs';

const SOURCE = 'src/diagnostics.ts';
const COMMON = 'Diagnosed';
/** Payloads that have the common fields too. */
const without = new Set(['MessagePassed']);

function fields(name) {
  return table(
    ['Field', 'Type', 'What it says'],
    membersOf(SOURCE, name).map((member) => [`\`${member.name}\``, `\`${member.type}\``, member.words]),
  );
}

function channels(interfaceName, headingOf) {
  return membersOf(SOURCE, interfaceName).map(({ name, words, type }) =>
    [
      `### ${headingOf(name.replaceAll("'", ''))}`,
      '',
      words,
      '',
      `\`${type}\`: ${commentOf(SOURCE, type)}${without.has(type) ? '' : ' It has the common fields, and'}`,
      '',
      fields(type),
    ].join('\n'),
  );
}

/** The generated parts of docs/diagnostics.md, by name. */
export function diagnostics({ metricTable }) {
  return {
    'diagnostics channels': [
      ...channels('DiagnosticChannels', (name) => name),
      ...channels('DiagnosticTracingChannels', (name) => `${name} (tracing channel)`),
    ].join('\n\n'),
    'common fields of diagnostics': fields(COMMON),
    metrics: table(
      ['Metric', 'Kind', 'Unit', 'Attributes', 'What it says'],
      Object.entries(metricTable).map(([name, { kind, unit, attributes, words }]) => [
        `\`${name}\``,
        kind,
        `\`${unit}\``,
        attributes.map((attribute) => `\`${attribute}\``).join(', '),
        words,
      ]),
    ),
  };
}

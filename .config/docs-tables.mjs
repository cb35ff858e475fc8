// The tables of options and errors.
import { commentOf, membersOf } from './docs-source.mjs';

const OPTIONS = 'src/options.ts';
const MiB = 2 ** 20;
const KiB = 2 ** 10;

const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
export const table = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

/** As people say it: `8 MiB`, `3000 ms`, `0 (off)`. */
function amount(value, { unit, also }) {
  if (value === also?.[0]) return `${value} (${also[1]})`;
  if (unit === 'bytes' && value % MiB === 0) return `${value / MiB} MiB`;
  if (unit === 'bytes' && value % KiB === 0) return `${value / KiB} KiB`;
  return `${value} ${unit}`;
}

const bounds = ({ min, max, also }) => {
  const range = `${min} … ${max === 2 ** 31 - 1 ? '2^31-1' : max}`;
  return also ? `${range}; ${also[0]} (${also[1]})` : range;
};

/** The default is told in the comment where it is no plain number; the words move into its own column. */
const SAID = /(^|\.|;) ?(?:[Tt]he default is|Default:?) (.+?)\.(?=$| [A-Z`])/;

function withDefault(words) {
  const said = SAID.exec(words);
  if (!said) return { words, otherwise: undefined };
  const [whole, before, value] = said;
  return {
    words: words.replace(whole, before && '.').trim(),
    otherwise: /^(true|false|\d+)$/.test(value) ? `\`${value}\`` : value,
  };
}

function numbers(values, name) {
  return membersOf(OPTIONS, name).map((member) => {
    const rule = values[name][member.name];
    const { words, otherwise } = withDefault(member.words);
    if (rule.default === undefined && !otherwise) throw new Error(`${member.name}: the comment must tell the default`);
    return {
      name: member.name,
      words,
      otherwise: rule.default === undefined ? otherwise : amount(rule.default, rule),
      bounds: bounds(rule),
      unit: rule.unit,
    };
  });
}

function choices(name) {
  return membersOf(OPTIONS, name).map((member) => ({
    name: member.name,
    type: member.type.replace(' | undefined', ''),
    required: !member.type.includes('undefined'),
    ...withDefault(member.words),
  }));
}

/** All options: `{ line: { numbers, choices }, connection, server, recorder }`. */
function optionsOf(values) {
  return {
    line: { numbers: numbers(values, 'lineNumbers'), choices: choices('LineChoices') },
    connection: { numbers: numbers(values, 'connectionNumbers'), choices: choices('ConnectOptions') },
    server: { numbers: numbers(values, 'serverNumbers'), choices: choices('ListenOptions') },
    recorder: { numbers: numbers(values, 'recorderNumbers'), choices: choices('RecorderChoices') },
    session: {
      numbers: [
        ...numbers(values, 'sessionNumbers'),
        ...numbers(values, 'windowNumbers').map((one) => ({ ...one, name: `window.${one.name}` })),
      ],
      choices: choices('SessionChoices'),
    },
    clientSession: { numbers: [], choices: choices('ClientSessionOptions') },
    serverSession: { numbers: numbers(values, 'sessionServerNumbers'), choices: choices('ServerSessionOptions') },
  };
}

function optionTables({ numbers, choices }) {
  return [
    ...(numbers.length === 0
      ? []
      : [
          table(
            ['Option', 'Default', 'Unit', 'Bounds', 'What it says'],
            numbers.map((one) => [`\`${one.name}\``, one.otherwise, one.unit, one.bounds, one.words]),
          ),
          '',
        ]),
    table(
      ['Option', 'Default', 'Type', 'What it says'],
      choices.map((one) => [
        `\`${one.name}\``,
        one.otherwise ?? (one.required ? 'required' : 'none'),
        `\`${one.type}\``,
        one.words,
      ]),
    ),
  ].join('\n');
}

/** The default of each number, by name, as a sentence may say it. */
export function defaultsOf(values) {
  const groups = optionsOf(values);
  return new Map(
    [groups.line, groups.connection, groups.server, groups.session, groups.serverSession]
      .flatMap(({ numbers }) => numbers)
      .map(({ name, otherwise, unit }) => [
        name,
        /^\d+,/.test(otherwise) ? otherwise.replace(',', ` ${unit},`) : otherwise,
      ]),
  );
}

/** What most programs look at first. */
const SHORT = [
  'host',
  'port',
  'path',
  'tls',
  'framing',
  'emptyFrames',
  'staleAfter',
  'heartbeatInterval',
  'connectTimeout',
  'backoff',
  'maxAttempts',
  'onConnect',
  'whenDisconnected',
  'ttl',
  'maxFrameLength',
  'highWaterMark',
  'outboxBytes',
  'inboxBytes',
  'discardIncoming',
  'copy',
  'drainTimeout',
  'maxConnections',
  'signal',
];

const firstSentence = (words) => words.replace(/(?<=\w|\)|`)[.;:] [A-Za-z`].*$/, '.').replace(/(?<![.)])$/, '.');

function shortTable(groups) {
  const all = [groups.connection, groups.line, groups.server].flatMap(({ numbers, choices }) => [
    ...choices,
    ...numbers,
  ]);
  return table(
    ['Option', 'Default', 'In short'],
    SHORT.map((name) => {
      const one = all.find((option) => option.name === name);
      if (!one) throw new Error(`the short table names an option that is not there: ${name}`);
      return [
        `\`${name}\``,
        one.otherwise ?? (one.required ? 'required' : 'none'),
        firstSentence(one.words).replace('..', '.'),
      ];
    }),
  );
}

const CONCLUDE = {
  notSent: 'Not sent: no byte of the message was handed to a socket.',
  unknown: 'Unknown: what was written on this line may or may not have arrived.',
  refused: 'Refused: the call was turned down, nothing was accepted.',
};

function errors({ errorTable }) {
  return Object.entries(errorTable)
    .map(([code, { when, outcome, cure }]) =>
      [
        `## ${code}`,
        '',
        `- **When:** ${when}`,
        `- **What may be concluded:** ${CONCLUDE[outcome]}`,
        `- **Cure:** ${cure}`,
      ].join('\n'),
    )
    .join('\n\n');
}

/** `notSent`, `unknown`, `refused`, as the comment of the type says it. */
function outcomes() {
  const comment = commentOf('src/errors.ts', 'Outcome');
  return comment.slice(comment.indexOf('- '));
}

/** The generated parts that are tables, by name. */
export function tables(values) {
  const groups = optionsOf(values);
  return {
    'options of a line': optionTables(groups.line),
    'options of a connection': optionTables(groups.connection),
    'options of a server': optionTables(groups.server),
    'options of the flight recorder': optionTables(groups.recorder),
    'options of a session': optionTables(groups.session),
    "options of a client's session": optionTables(groups.clientSession),
    "options of a server's sessions": optionTables(groups.serverSession),
    'options in short': shortTable(groups),
    outcomes: outcomes(),
    errors: errors(values),
  };
}

import type { AnyStateMachine } from 'xstate';
import { connectionMachine, peerMachine, serverMachine, sessionMachine } from '../../machines/index.js';
import { mermaidOf } from '../inspector/chart-mermaid.js';
import { planOf } from '../inspector/chart-plan.js';
import { plain, statelyOf } from '../inspector/chart-stately.js';
import { svgOf } from '../inspector/chart-svg.js';
import { charts } from '../inspector/charts.js';
import { connectionNumbers, lineNumbers } from '../options.js';
import { type Command, UsageError } from './arguments.js';

type Name = keyof typeof charts;

const machines: Readonly<Record<Name, AnyStateMachine>> = {
  connection: connectionMachine,
  peer: peerMachine,
  server: serverMachine,
  session: sessionMachine,
};

/** What the delays are by default. The backoff depends on chance: this is what it is at most after the first failure. */
const delays = {
  silence: lineNumbers.staleAfter.default,
  connectTimeout: connectionNumbers.connectTimeout.default,
  drainTimeout: lineNumbers.drainTimeout.default,
  discardTimeout: lineNumbers.discardTimeout.default,
  backoff: 150,
  resumeWindow: 120_000,
};

const formats: Readonly<Record<string, (name: Name) => string>> = {
  stately: (name) => statelyOf(machines[name], delays),
  json: (name) => `${JSON.stringify(plain(machines[name]), null, 2)}\n`,
  mermaid: (name) => `${mermaidOf(planOf(machines[name]))}\n`,
  svg: (name) => svgOf(charts[name]),
};

const list = (words: Readonly<Record<string, unknown>>): string => Object.keys(words).join(', ');

export const exportCommand: Command = {
  name: 'export',
  operands: '[connection|peer|server|session]',
  mostOperands: 1,
  summary: 'Prints a statechart, as a module for Stately, as JSON, as Mermaid or as a picture.',
  options: {
    format: { value: 'FORMAT', help: 'stately, json, mermaid or svg (default stately)' },
  },
  details: [
    'stately: a module with every name in it; paste it into the editor of Stately Studio, or run it.\njson: the plan alone, as createMachine() of XState takes it. mermaid: a stateDiagram-v2.\nsvg: the picture, for light and dark.',
  ],

  async run({ operands: [name = 'connection'], values }) {
    const format = values.get('format') ?? 'stately';
    if (!Object.hasOwn(machines, name)) throw new UsageError(`there is no statechart '${name}': ${list(machines)}.`);
    const write = Object.hasOwn(formats, format) ? formats[format] : undefined;
    if (!write) throw new UsageError(`--format must be one of ${list(formats)}, got '${format}'.`);
    process.stdout.write(write(name as Name));
    return 0;
  },
};

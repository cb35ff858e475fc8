/** A statechart as a module of its own, which Stately Studio takes as it stands, and any program with XState runs. */
import type { AnyStateMachine } from 'xstate';

/** What guards say in an ordinary life; all others say false. Without the library behind them they cannot know better. */
const HOLDS = new Set(['fromThisEpoch', 'nothingToGreet', 'nothingHeld', 'heardInTime']);

/** @param delays milliseconds by the name of the delay; those that are not in it become a second */
export function statelyOf(machine: AnyStateMachine, delays: Readonly<Record<string, number>>): string {
  const names = (kind: 'actions' | 'guards' | 'delays' | 'actors') => Object.keys(machine.implementations[kind]);
  const section = (kind: string, lines: readonly string[]) =>
    lines.length > 0 ? [`  ${kind}: {`, ...lines.map((line) => `    ${line},`), '  },'] : [];
  return [
    "import { fromCallback, setup } from 'xstate';",
    '',
    `// The statechart '${machine.id}' of ninja-tcp. What its names do belongs to the library; here they do nothing.`,
    'export const machine = setup({',
    ...section(
      'actors',
      names('actors').map((name) => `${key(name)}: fromCallback(() => {})`),
    ),
    ...section(
      'actions',
      names('actions').map((name) => `${key(name)}: () => {}`),
    ),
    ...section(
      'guards',
      names('guards').map((name) => `${key(name)}: () => ${HOLDS.has(name)}`),
    ),
    ...section(
      'delays',
      names('delays').map((name) => `${key(name)}: ${delays[name] ?? 1000}`),
    ),
    `}).createMachine(${literal(plain(machine), '')});`,
    '',
  ].join('\n');
}

/** The plan as it was written, without the one function in it, which makes the first context. */
export function plain(machine: AnyStateMachine): unknown {
  return JSON.parse(JSON.stringify(machine.config));
}

const key = (name: string): string => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : quote(name));

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\n', '\\n')}'`;
}

/** A value as source text: on one line where it fits. */
function literal(value: unknown, indent: string): string {
  if (typeof value === 'string') return quote(value);
  if (typeof value !== 'object' || value === null) return String(value);
  const inner = `${indent}  `;
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  const parts = (within: string) =>
    Array.isArray(value)
      ? value.map((one) => literal(one, within))
      : Object.entries(value).map(([name, one]) => `${key(name)}: ${literal(one, within)}`);
  const line = Array.isArray(value) ? `[${parts('').join(', ')}]` : `{ ${parts('').join(', ')} }`;
  if (!line.includes('\n') && indent.length + line.length < 100) return line;
  return [open, ...parts(inner).map((part) => `${inner}${part},`), `${indent}${close}`].join('\n');
}

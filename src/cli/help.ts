import { type Command, help, type OptionWords } from './arguments.js';

/** `ninja-tcp echo [--port PORT] [--host HOST]` */
export function usageOf({ name, operands, options }: Command): string {
  const words = Object.entries(options).map(([option, { value }]) => `[--${option}${value ? ` ${value}` : ''}]`);
  return ['ninja-tcp', name, ...(operands ? [operands] : []), ...words].join(' ');
}

/** The usage line of the program as a whole. */
export function usageOfAll(commands: readonly Command[]): string {
  return `ninja-tcp ${commands.map(({ name }) => name).join(' | ')}, --help, --version`;
}

function columns(rows: readonly (readonly [left: string, right: string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

function optionRows(options: Readonly<Record<string, OptionWords>>): string[] {
  return columns(
    Object.entries(options).map(([name, words]) => [`--${name}${words.value ? ` ${words.value}` : ''}`, words.help]),
  );
}

/** What `ninja-tcp COMMAND --help` says. */
export function helpOf(command: Command): string {
  return [
    `Usage: ${usageOf(command)}`,
    '',
    command.summary,
    ...command.details.flatMap((paragraph) => ['', paragraph]),
    '',
    'Options:',
    ...optionRows({ ...command.options, help }),
    '',
  ].join('\n');
}

/** What `ninja-tcp --help` says. */
export function helpOfAll(commands: readonly Command[]): string {
  return [
    'ninja-tcp: TCP connections that hand over whole messages and heal themselves',
    '',
    'Usage:',
    ...columns(commands.map((command) => [usageOf(command), ''])).map((row) => row.trimEnd()),
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...optionRows({ help: { help: 'show this help, or that of a command' }, version: { help: 'show the version' } }),
    '',
    'Every message is preceded by its length: 4 bytes, big-endian.',
    'Exit codes: 0 all went well, 1 it did not, 2 the call could not be understood.',
    '',
  ].join('\n');
}

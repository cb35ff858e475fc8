import { parseArgs } from 'node:util';

/** The call cannot be understood. The message is a sentence that names what is wrong with it. */
export class UsageError extends Error {}

/** An option as people write it and read about it. */
export interface OptionWords {
  /** What stands behind it, such as `PORT`; absent for a flag. */
  readonly value?: string;
  readonly help: string;
}

/** Where the program lies. */
export interface Home {
  /** The file that runs as `ninja-tcp`. */
  readonly file: string;
  /** The folder of the package, with package.json and README.md. */
  readonly folder: URL;
}

/** One command, as it is described and run. */
export interface Command {
  readonly name: string;
  /** What it is given besides options, such as `HOST PORT`. */
  readonly operands: string;
  readonly mostOperands: number;
  readonly summary: string;
  readonly options: Readonly<Record<string, OptionWords>>;
  /** Paragraphs for its own help. */
  readonly details: readonly string[];
  /** @returns the exit code */
  run(given: Given, home: Home): Promise<number>;
}

/** What was given to a command. */
export interface Given {
  readonly operands: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly values: ReadonlyMap<string, string>;
}

/** A rule for a whole number. The numbers of the library's own options fit in. */
export interface WholeRule {
  readonly min: number;
  readonly max: number;
  readonly unit?: string;
  /** One value outside that is allowed, and what it means. */
  readonly also?: readonly [value: number, meaning: string];
}

export const help: OptionWords = { help: 'show this help' };

/**
 * Reads what stands behind the name of a command. `parseArgs` itself only splits: its own complaints are long, and
 * their words change from one Node to the next.
 *
 * @throws UsageError
 */
export function read(args: readonly string[], command: Command): Given {
  const known: Readonly<Record<string, OptionWords>> = { ...command.options, help };
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: {
      ...Object.fromEntries(
        Object.entries(known).map(([name, { value }]) => [name, { type: value ? 'string' : 'boolean' } as const]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
  });
  const operands: string[] = [];
  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (const token of tokens) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const words = Object.hasOwn(known, token.name) ? known[token.name] : undefined;
    if (!words) throw new UsageError(`${command.name} has no option '${token.rawName}'.`);
    if (!words.value) {
      if (token.value !== undefined) throw new UsageError(`${token.rawName} takes no value, got '${token.value}'.`);
      flags.add(token.name);
    } else {
      if (token.value === undefined) throw new UsageError(`${token.rawName} must be followed by ${words.value}.`);
      values.set(token.name, token.value);
    }
  }
  const tooMany = operands[command.mostOperands];
  if (tooMany !== undefined && !flags.has('help')) {
    throw new UsageError(`${command.name} takes ${command.operands || 'options only'}; '${tooMany}' is too much.`);
  }
  return { operands, flags, values };
}

/** @throws UsageError naming option, rule and value */
export function whole(name: string, text: string, { min, max, unit, also }: WholeRule): number {
  // Number() would take '', ' 5', '0x10' and '1e3' as well.
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if ((value >= min && value <= max) || value === also?.[0]) return value;
  const range = `a whole number${unit ? ` of ${unit}` : ''} from ${min} to ${max}`;
  throw new UsageError(`${name} must be ${range}${also ? `, or ${also[0]} (${also[1]})` : ''}, got '${text}'.`);
}

/** The number behind an option, or undefined where it was not given. @throws UsageError */
export function wholeOption(given: Given, option: string, rule: WholeRule): number | undefined {
  const text = given.values.get(option);
  return text === undefined ? undefined : whole(`--${option}`, text, rule);
}

/** @throws UsageError naming option, rule and value */
export function hostName(name: string, text: string): string {
  if (text.trim() === text && text !== '') return text;
  throw new UsageError(`${name} must be a name or an address, got '${text}'.`);
}

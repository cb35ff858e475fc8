import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { messageOf } from '../errors.js';
import { DumpError, parseDump, type Replay, replay } from '../testing/index.js';
import { type Command, type Given, UsageError } from './arguments.js';
import { testOf } from './replay-test.js';
import { endLines, headOf, stepLines } from './replay-words.js';

/** No dump is longer, bytes: so much is read at most. */
const LONGEST = 256 * 2 ** 20;

/** @returns what became of it, or what to complain about */
async function replayed(file: string): Promise<Replay | string> {
  try {
    const text = await readFile(file, 'utf8');
    if (text.length > LONGEST) return `${file} is longer than ${LONGEST / 2 ** 20} MiB`;
    return replay(parseDump(text));
  } catch (error) {
    return error instanceof DumpError ? `${file}: ${error.message}` : `${file} cannot be read: ${messageOf(error)}`;
  }
}

/** Waits for Enter; at the end of the input nobody waits any more. */
function enterKey(): { wait(): Promise<void>; end(): void } {
  const input = createInterface({ input: process.stdin });
  const lines = input[Symbol.asyncIterator]();
  return {
    wait: async () => void (await lines.next()),
    end: () => input.close(),
  };
}

async function show(told: Replay, step: boolean): Promise<void> {
  const say = (lines: readonly string[]) => void process.stdout.write(`${lines.join('\n')}\n`);
  say([...headOf(told), '']);
  const key = step ? enterKey() : undefined;
  let from = told.dump.start.chart?.state;
  for (const one of told.steps) {
    await key?.wait();
    say(stepLines(one, from));
    from = one.entered.at(-1)?.to ?? from;
  }
  key?.end();
  say(['', ...endLines(told)]);
}

function showJson({ steps, difference, left, dump }: Replay): void {
  const lines = [
    ...steps.map((step) => ({ type: 'step', ...step })),
    { type: 'end', name: dump.name, steps: steps.length, difference: difference ?? null, left },
  ];
  for (const line of lines) process.stdout.write(`${JSON.stringify(line)}\n`);
}

function fileOf({ operands, flags, values }: Given): string {
  const [file] = operands;
  if (file === undefined) throw new UsageError('replay needs FILE.');
  if (flags.has('as-test') && (flags.has('json') || flags.has('step'))) {
    throw new UsageError('--as-test is given without --json and --step.');
  }
  if (flags.has('json') && flags.has('step')) throw new UsageError('--step is given without --json.');
  if (values.has('out') && !flags.has('as-test')) throw new UsageError('--out is for --as-test.');
  return file;
}

export const replayCommand: Command = {
  name: 'replay',
  operands: 'FILE',
  mostOperands: 1,
  summary: 'show step by step what a flight recorder has written down',
  options: {
    'as-test': { help: 'write a test for vitest that demands the same once more' },
    out: { value: 'FILE', help: 'where to write the test (default: standard output)' },
    json: { help: 'one object of JSON a line: each step, then the end' },
    step: { help: 'wait for Enter before each step' },
  },
  details: [
    'FILE is what `connection.flightRecorder.dump()` gave, as JSON. The real statechart is given the same\nevents at the same times, on a virtual clock; nothing is dialled. `--as-test` makes a test of it.',
    'Exit code 0 when it goes as recorded, 1 when it goes another way, which is told, or FILE is no dump.',
  ],
  async run(given: Given): Promise<number> {
    const file = fileOf(given);
    const told = await replayed(file);
    if (typeof told === 'string') {
      process.stderr.write(`ninja-tcp: ${told}\n`);
      return 1;
    }
    const { flags, values } = given;
    if (flags.has('as-test')) {
      // What goes another way already cannot be demanded.
      if (told.difference) {
        process.stderr.write(`ninja-tcp: ${endLines(told).join(' ')}\n`);
        return 1;
      }
      const out = values.get('out');
      if (out === undefined) process.stdout.write(testOf(told));
      else await writeFile(out, testOf(told));
    } else if (flags.has('json')) showJson(told);
    else await show(told, flags.has('step'));
    return told.difference ? 1 : 0;
  },
};

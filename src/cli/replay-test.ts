import type { Replay } from '../testing/index.js';

/** A text as a literal of TypeScript, single quotes. */
function quoted(text: string): string {
  const inner = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'");
  return `'${inner.replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')}'`;
}

/** A dump as a literal. */
function literal(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}

/** `socket.failed → disconnected.waiting (NINJA_RESET)`, one for each state that was entered. */
function transitions({ steps }: Replay): string[] {
  return steps.flatMap(({ entered }) =>
    entered.map(({ to, cause, reason }) => `${cause} → ${to}${reason ? ` (${reason.code})` : ''}`),
  );
}

/** A test for vitest and `ninja-tcp/testing` that does the same once more, and demands that it goes the same way. */
export function testOf(replay: Replay): string {
  const { dump } = replay;
  const told = transitions(replay);
  const title = `${dump.name}: ${dump.steps.length} steps, to ${replay.steps.at(-1)?.state ?? 'nowhere'}`;
  return [
    '// Made by `ninja-tcp replay --as-test`: what a statechart did, and has to do again.',
    "import { replay } from 'ninja-tcp/testing';",
    "import { expect, test } from 'vitest';",
    '',
    `const dump = ${literal(dump)};`,
    '',
    `test(${quoted(title)}, () => {`,
    '  const { steps, difference } = replay(dump);',
    '  const transitions = steps.flatMap(({ entered }) =>',
    `    entered.map(({ to, cause, reason }) => \`\${cause} → \${to}\${reason ? \` (\${reason.code})\` : ''}\`),`,
    '  );',
    '  expect(difference?.message).toBeUndefined();',
    '  expect(transitions).toEqual([',
    ...told.map((one) => `    ${quoted(one)},`),
    '  ]);',
    '});',
    '',
  ].join('\n');
}

/**
 * The rows of the transition tables are sentences, and the sentences are the tests:
 *
 *     <state>[ <circumstance>], <event> → <state>[, <claim>]…
 *
 * Whatever the grammar does not know is an error, so that a slip of the pen cannot pass.
 */
export interface Sentence {
  readonly text: string;
  /** The situation before: a state, and perhaps a circumstance. */
  readonly from: string;
  readonly fromState: string;
  readonly event: string;
  readonly to: string;
  readonly claims: readonly string[];
}

export function parse(text: string): Sentence {
  const [before, after, ...rest] = text.split(' → ');
  const [from, event, ...more] = (before ?? '').split(', ');
  const [to, ...claims] = (after ?? '').split(', ');
  if (!from || !event || !to || rest.length > 0 || more.length > 0) throw new Error(`not a sentence: ${text}`);
  return { text, from, fromState: from.split(' ')[0] as string, event, to, claims };
}

/** What the history should name as the cause: `close with nothing held` is `close`, `after silence unheard` `after silence`. */
export function causeIn(event: string): string {
  const [first, second] = event.split(' ');
  return first === 'after' ? `after ${second}` : (first as string);
}

/** The rows, one a line; empty lines and headings (`# …`) are for people. */
export function rows(table: string): Sentence[] {
  return table
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parse);
}

/** The entry of that name; an unknown name is an error in the table. */
export function known<T>(things: Readonly<Record<string, T>>, name: string): T {
  const thing = things[name];
  if (thing === undefined) throw new Error(`the grammar does not know '${name}'`);
  return thing;
}

export type Claim<Bench> = readonly [RegExp, (bench: Bench, ...words: string[]) => void];

/** Checks a claim by the one rule that knows its words. */
export function check<Bench>(claims: readonly Claim<Bench>[], bench: Bench, claim: string): void {
  for (const [pattern, rule] of claims) {
    const match = pattern.exec(claim);
    if (!match) continue;
    rule(bench, ...match.slice(1));
    return;
  }
  throw new Error(`the grammar does not know the claim '${claim}'`);
}

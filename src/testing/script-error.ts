import { comparison, type Pattern } from './bytes.js';

/** Where a script did not go as it was written. */
export interface ScriptPlace {
  /** The connection, from 1. */
  readonly connection: number;
  /** The step of its script, from 1. */
  readonly step: number;
  /** How many steps that script has. */
  readonly steps: number;
  /** The step in words: `expect 9 bytes`. */
  readonly words: string;
}

/** What was expected, and what came instead. */
export interface ScriptDifference {
  readonly pattern: Pattern;
  readonly got: Buffer;
  /** The place within what was expected, from 0. */
  readonly place: number;
  /** How many bytes of the connection came before what was expected; without those that were taken no notice of. */
  readonly before: number;
}

/** The other side did not do what the script says. */
export class ScriptError extends Error {
  override readonly name = 'ScriptError';
  /** The connection, from 1. */
  readonly connection: number;
  /** The step of its script, from 1. */
  readonly step: number;
  /** The offset of the first wrong or missing byte within what was expected; undefined where it is not about bytes. */
  readonly offset: number | undefined;
  /** The same within all that came on this connection; heartbeats that were taken no notice of do not count. */
  readonly streamOffset: number | undefined;
  readonly expected: Buffer | undefined;
  /** What came from the beginning of what was expected on. */
  readonly got: Buffer | undefined;

  constructor(place: ScriptPlace, what: string, difference?: ScriptDifference) {
    const head = `connection ${place.connection}, step ${place.step} of ${place.steps} (${place.words}): ${what}`;
    super(difference ? `${head}\n${comparison(difference.pattern, difference.got, difference.place)}` : head);
    this.connection = place.connection;
    this.step = place.step;
    this.offset = difference?.place;
    this.streamOffset = difference && difference.before + difference.place;
    this.expected = difference?.pattern.bytes;
    this.got = difference?.got;
  }
}

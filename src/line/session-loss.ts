import { NinjaTcpError } from '../errors.js';

/** What becomes of a delivery whose session is lost. */
export function lossOf(code: string, outcome: 'unknown' | 'notSent'): NinjaTcpError {
  const what =
    outcome === 'unknown' ? 'it was written, and nobody can say whether it was handled' : 'it was not written';
  const why = code === 'ABANDONED' ? 'the session was given up by this side' : `the session was lost (${code})`;
  return new NinjaTcpError('NINJA_SESSION_LOST', `${why}: ${what}`, undefined, outcome);
}

/** Behind an absence of ours at least so much of a deadline is left, milliseconds: what waited unread is read first. */
const GRACE = 1000;

/**
 * The beginning of a time that has to leave out an absence of ours. Moved by the absence, not begun anew: a program that
 * is away now and then must find out nevertheless.
 *
 * @param since when the time began, @param late how long we were away until `now`, all in milliseconds
 */
export function excused(since: number, timeout: number, late: number, now: number): number {
  return Math.min(now, Math.max(since + late, now - timeout + Math.min(timeout, GRACE)));
}

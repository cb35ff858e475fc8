import { targetWords } from '../target.js';
import type { ConnectionLine } from './connection-line.js';
import type { Line, Step } from './line.js';

/** `12:03:07`, in local time. */
const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export function timeOfDay(wall: number): string {
  return clockFormat.format(wall);
}

/** `3,012 ms` */
export function millis(ms: number): string {
  return `${Math.max(0, Math.round(ms)).toLocaleString('en-GB')} ms`;
}

/** `1 message held` */
function heldWords({ outbox }: Line): string {
  return `${outbox.messages} ${outbox.messages === 1 ? 'message' : 'messages'} held`;
}

/** What holds of any line that is up: `; last byte 210 ms ago; reading paused: inbox full, nobody takes`. */
export function lineWords(line: Line): string {
  const heard = line.heardThisEpoch ? `last byte ${millis(line.watch.silentForMs())} ago` : 'no byte yet';
  const words = [heard];
  if (line.readingPaused) words.push('reading paused: inbox full, nobody takes');
  if (line.outbox.messages > 0) words.push(heldWords(line));
  if (line.settings.staleAfter === 0) words.push('silence is not watched');
  else words.push(`next check in ${millis(line.watch.nextCheckIn())}`);
  return words.join('; ');
}

/** `till 7 disconnected (waiting) since 12:03:07: no byte for 3012 ms at 12:03:07; attempt 4 in 812 ms` */
export function connectionWords(name: string, line: ConnectionLine, step: Step): string {
  const { at, epoch, reason, failures = 0, retryInMs = 0 } = step;
  const [state, substate] = step.to.split('.');
  const begin = `${name} ${state}${substate ? ` (${substate})` : ''} since ${timeOfDay(at)}`;
  const where = line.endpoints.size > 1 ? ` at ${targetWords(line.endpoints.current)}` : '';
  const held = line.outbox.messages > 0 ? `; ${heldWords(line)}` : '';
  if (state === 'connected') return `${begin}, epoch ${epoch}${where}; ${lineWords(line)}`;
  if (state === 'connecting') return `${begin}, epoch ${epoch}, attempt ${failures + 1}${where}${held}`;
  const why = reason ? `: ${reason.message} at ${timeOfDay(reason.at)}` : '';
  const next = substate === 'waiting' ? `; attempt ${failures + 1} in ${millis(at + retryInMs - line.wallNow())}` : '';
  return `${begin}${why}${next}${held}`;
}

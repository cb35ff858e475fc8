import type { Reason } from '../errors.js';
import { targetWords } from '../target.js';
import type { ConnectionLine } from './connection-line.js';
import type { Line, Step } from './line.js';
import type { PeerLine } from './peer-line.js';
import type { SessionView } from './session-view.js';

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
function heldWords(messages: number): string {
  return `${counted(messages)} held`;
}

function counted(messages: number): string {
  return `${messages} ${messages === 1 ? 'message' : 'messages'}`;
}

/** What waits for the next line, of a session what it has numbered already too: `; 2 messages held`. */
function waitingWords({ outbox, side }: Line): string {
  const messages = outbox.messages + (side?.core.retainedMessages ?? 0);
  return messages > 0 ? `; ${heldWords(messages)}` : '';
}

/** `session 5f3a91c0, resumed 3 times, 12 messages kept` */
function sessionWords({ fingerprint, resumes, retained }: SessionView): string {
  const words = [`session ${fingerprint}`];
  if (resumes > 0) words.push(`resumed ${resumes === 1 ? 'once' : `${resumes} times`}`);
  if (retained.messages > 0) words.push(`${counted(retained.messages)} kept`);
  return words.join(', ');
}

/** What holds of any line that is up: `; last byte 210 ms ago; reading paused: inbox full, nobody takes`. */
function lineWords(line: Line): string {
  const heard = line.heardThisEpoch ? `last byte ${millis(line.watch.silentForMs())} ago` : 'no byte yet';
  const words = [heard];
  if (line.readingPaused) words.push('reading paused: inbox full, nobody takes');
  if (line.outbox.messages > 0) words.push(heldWords(line.outbox.messages));
  if (line.side) words.push(sessionWords(line.side.view));
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
  const held = waitingWords(line);
  if (state === 'connected') return `${begin}, epoch ${epoch}${where}; ${lineWords(line)}`;
  if (state === 'connecting') return `${begin}, epoch ${epoch}, attempt ${failures + 1}${where}${held}`;
  const why = reason ? `: ${reason.message} at ${timeOfDay(reason.at)}` : '';
  const next = substate === 'waiting' ? `; attempt ${failures + 1} in ${millis(at + retryInMs - line.wallNow())}` : '';
  return `${begin}${why}${next}${held}`;
}

/** `peer 1 10.0.0.2:49153 detached (waiting) since 12:03:07: no byte for 3012 ms; over in 118,000 ms; 2 messages held` */
export function peerWords(name: string, line: PeerLine, { to, at }: Step, reason: Reason | undefined): string {
  const [state, substate] = to.split('.');
  const begin = `${name} ${state}${substate ? ` (${substate})` : ''} since ${timeOfDay(at)}`;
  if (state === 'connected') return `${begin}; ${lineWords(line)}`;
  const why = reason ? `: ${reason.message}` : '';
  const { side } = line;
  if (state !== 'detached' || !side) return `${begin}${why}`;
  return `${begin}${why}; over in ${millis(side.core.expiresAt - line.now())}${waitingWords(line)}`;
}

/** What is wrong, in words: for somebody at three in the morning who sees nothing but this page. */
import { type ErrorCode, errorTable } from '../../errors.js';
import { type Attempt, attemptsOf, outcome } from './attempts.js';
import { type Cause, causeOf } from './causes.js';
import { systemCode } from './errno.js';
import type { Detail, Passed, Snapshot } from './wire.js';
import { bytes, count, millis, plural, span, timeOfDay } from './words.js';

export interface Fact {
  readonly name: string;
  readonly value: string;
}

export interface Verdict {
  readonly mood: 'good' | 'busy' | 'warn' | 'bad' | 'calm';
  /** What is the matter, in a few words. */
  readonly headline: string;
  /** Why we think so. */
  readonly because: string;
  /** What helps; undefined where nothing needs to. */
  readonly help: string | undefined;
  /** Codes, errors and counts, the most telling first. */
  readonly facts: readonly Fact[];
  /** What the last attempts came to, newest first. */
  readonly attempts: readonly string[];
  /** Where nothing will happen by itself: what it waits for. */
  readonly waitsFor: string;
}

/** Pending bytes that a healthy line does not show for longer than a moment. */
const MUCH = 256 * 1024;
/** A loss is worth a word for so long. */
const LATELY = 60_000;
/** So many losses within that time are no accident. */
const OFTEN = 3;

export function verdictOf({ snapshot, history, now }: Pick<Detail, 'snapshot' | 'history' | 'now'>): Verdict {
  const attempts = attemptsOf(history);
  return {
    ...judge(snapshot, attempts, now),
    facts: factsOf(snapshot),
    attempts: snapshot.kind === 'connection' ? attempts.slice(-4).reverse().map(attemptWords) : [],
    waitsFor: waitsFor(snapshot),
  };
}

type Judgement = Pick<Verdict, 'mood' | 'headline' | 'because' | 'help'>;

function judge(snapshot: Snapshot, attempts: readonly Attempt[], now: number): Judgement {
  const { state, substate } = snapshot;
  if (snapshot.kind === 'server') return judgeServer(snapshot);
  if (state === 'connected' && substate !== 'draining') return judgeUp(snapshot, attempts, now);
  if (state === 'connected') {
    const left =
      snapshot.pending.bytes > 0 ? `${bytes(snapshot.pending.bytes)} are still to go.` : 'All was handed over.';
    return { mood: 'busy', headline: 'It is being closed', because: `close() was called. ${left}`, help: undefined };
  }
  const cause = because(snapshot, attempts);
  if (state === 'detached') return judgeDetached(snapshot, cause);
  if (state === 'disposed') {
    const asked = snapshot.reason?.code === 'NINJA_DISPOSED';
    if (asked || !cause) return calm('It has ended', snapshot.reason?.message ?? 'It was closed.');
    return { mood: snapshot.reason?.code === 'NINJA_CLOSED_BY_PEER' ? 'calm' : 'bad', ...cause };
  }
  if (state === 'disconnected' && substate === 'idle') {
    return calm('No line is wanted', snapshot.reason ? `${snapshot.reason.message}.` : 'connect() was not called yet.');
  }
  if (!cause) {
    return { mood: 'busy', headline: 'The first attempt is running', because: dialWords(snapshot), help: undefined };
  }
  if (state === 'connecting') {
    const { headline } = cause;
    const again = `Trying again: ${headline.charAt(0).toLowerCase()}${headline.slice(1)}`;
    return { mood: 'warn', ...cause, headline: again, because: `${dialWords(snapshot)} Before: ${cause.because}` };
  }
  return { mood: substate === 'failed' || state === 'stale' ? 'bad' : 'warn', ...cause };
}

function because(snapshot: Snapshot, attempts: readonly Attempt[]): Cause | undefined {
  const { reason, error } = snapshot;
  if (!reason) return undefined;
  const endpoint = snapshot.kind === 'connection' ? snapshot.endpoint : undefined;
  const known = causeOf({ code: reason.code, message: reason.message, below: error?.cause, endpoint, attempts });
  return { help: errorTable[reason.code as ErrorCode]?.cure, ...known };
}

function dialWords(snapshot: Snapshot): string {
  if (snapshot.kind !== 'connection') return '';
  const what = snapshot.substate === 'greeting' ? 'Is greeting' : 'Dials';
  return `${what} ${snapshot.endpoint}, attempt ${count(snapshot.attempt)}.`;
}

function judgeUp(
  snapshot: Exclude<Snapshot, { kind: 'server' }>,
  attempts: readonly Attempt[],
  now: number,
): Judgement {
  const { pending, inbox, substate } = snapshot;
  if (snapshot.readingPaused) {
    return {
      mood: 'warn',
      headline: 'This program does not take its messages',
      because: `The inbox is full: ${plural(inbox.messages, 'message')}, ${bytes(inbox.bytes)}. Reading is paused, so the other side will soon be unable to write.`,
      help: 'Take faster: look at what the reader of this line waits for. `discardIncoming: true` is for programs that only send.',
    };
  }
  if (pending.bytes >= MUCH) {
    return {
      mood: 'warn',
      headline: 'The other side reads too slowly',
      because: `${bytes(pending.bytes)} are accepted and not taken by the network yet; ${bytes(snapshot.sent.bytesPerSecond)} a second get through.`,
      help: 'See why the other side does not read. Where it takes nothing at all, the line is given up after `writeStallTimeout`.',
    };
  }
  if (substate === 'unproven') return judgeUnproven(attempts);
  const heard = snapshot.lastHeardAt === undefined ? '' : `Last byte ${span(now - snapshot.lastHeardAt)} ago. `;
  const { reason } = snapshot;
  const lost = attempts.filter(
    (one) => outcome(one) === 'lost' && now - (one.endedAt ?? 0) < LATELY && one.code !== 'NINJA_DISCONNECTED',
  ).length;
  if (reason && now - reason.at < LATELY && lost >= OFTEN) {
    const cause = because(snapshot, attempts);
    return {
      mood: 'warn',
      headline: 'The line is live, and does not last',
      because: `${heard}It was lost ${count(lost)} times within a minute, at ${timeOfDay(reason.at)} for the last time: ${reason.message}.`,
      help: cause?.help,
    };
  }
  const lately =
    reason && now - reason.at < LATELY
      ? `It was lost at ${timeOfDay(reason.at)} (${reason.message}) and has healed.`
      : '';
  return {
    mood: 'good',
    headline: 'The line is live',
    because: `${heard}${lately}`.trim() || 'The other side speaks.',
    help: undefined,
  };
}

function judgeDetached({ substate }: Snapshot, cause: Cause | undefined): Judgement {
  const kept = 'What is sent meanwhile is kept, until the client comes back or its session is given up.';
  return {
    mood: 'warn',
    headline: substate === 'draining' ? 'It is being closed, and its client is away' : 'Its client is away',
    because: `${cause?.because ?? 'The line was lost.'} ${kept}`,
    help: undefined,
  };
}

function judgeUnproven(attempts: readonly Attempt[]): Judgement {
  const silent = attempts.filter((one) => outcome(one) === 'no byte').length;
  if (silent === 0) {
    return {
      mood: 'busy',
      headline: 'Open, and nothing heard yet',
      because: 'TCP is open; the first byte of the other side will prove that somebody is there.',
      help: undefined,
    };
  }
  return {
    mood: 'warn',
    headline: 'It opens, and nobody speaks',
    because: `TCP opened, but ${plural(silent, 'attempt')} before got no byte either: the process behind the port may be stopped or hang.`,
    help: errorTable.NINJA_STALE.cure,
  };
}

function judgeServer(snapshot: Extract<Snapshot, { kind: 'server' }>): Judgement {
  const { state, reason, address } = snapshot;
  const where = address ? ` on ${address}` : '';
  if (state === 'listening') {
    const refused =
      snapshot.refused > 0 ? ` ${plural(snapshot.refused, 'socket was', 'sockets were')} turned away.` : '';
    return {
      mood: 'good',
      headline: `It listens${where}`,
      because: `${plural(snapshot.peers, 'peer')} now, ${count(snapshot.accepted)} since it began.${refused}`,
      help: undefined,
    };
  }
  const cause = because(snapshot, []);
  if (state === 'paused')
    return {
      mood: 'warn',
      headline: 'It accepts nobody for a moment',
      because: cause?.because ?? 'Accepting is paused.',
      help: errorTable.NINJA_SERVER_FULL.cure,
    };
  if (cause && reason?.code !== 'NINJA_DISPOSED') return { mood: 'bad', ...cause };
  if (state === 'draining')
    return {
      mood: 'busy',
      headline: 'It is being closed',
      because: `${plural(snapshot.peers, 'peer')} drain; no new ones are accepted.`,
      help: undefined,
    };
  if (state === 'disposed') return calm('It has ended', reason?.message ?? 'It was closed.');
  return {
    mood: 'busy',
    headline: 'It is not open yet',
    because: state === 'binding' ? 'The system is asked for the port.' : 'listen() was not called yet.',
    help: undefined,
  };
}

function calm(headline: string, words: string): Judgement {
  return { mood: 'calm', headline, because: words, help: undefined };
}

function factsOf(snapshot: Snapshot): Fact[] {
  const facts: Fact[] = [];
  const add = (name: string, value: string | undefined) => value !== undefined && facts.push({ name, value });
  const { reason, error } = snapshot;
  add('Reason', reason?.code);
  add('System error', reason && systemCode(`${error?.cause ?? ''} ${error?.message ?? ''} ${reason.message}`));
  if (snapshot.kind !== 'server' && snapshot.session) {
    const { fingerprint, state: place, resumes, retained } = snapshot.session;
    add('Session', `${fingerprint}, ${place}`);
    add('Resumed', resumes > 0 ? plural(resumes, 'time') : undefined);
    add('Kept until handled', retained.messages > 0 ? plural(retained.messages, 'message') : undefined);
  }
  if (snapshot.kind === 'connection') {
    add('Endpoint', snapshot.endpoint);
    if (snapshot.failures > 0) add('Failures in a row', count(snapshot.failures));
    add('Epoch', count(snapshot.epoch));
  } else if (snapshot.kind === 'peer') {
    add(
      'From',
      snapshot.remoteAddress === undefined ? undefined : `${snapshot.remoteAddress}:${snapshot.remotePort ?? ''}`,
    );
  } else {
    add('Address', snapshot.address);
    add('Turned away', snapshot.refused > 0 ? count(snapshot.refused) : undefined);
  }
  return facts;
}

function attemptWords(one: Attempt): string {
  const name = `Epoch ${count(one.epoch)}`;
  const lived = one.endedAt === undefined ? '' : span(one.endedAt - (one.openedAt ?? one.from));
  switch (outcome(one)) {
    case 'dialing':
      return `${name} dials since ${timeOfDay(one.from)}`;
    case 'up':
      return `${name} is up since ${timeOfDay(one.openedAt ?? one.from)}${one.liveAt === undefined ? ', no byte yet' : ''}`;
    case 'no line':
      return `${name} got no line in ${lived}: ${why(one)}`;
    case 'no byte':
      return `${name} opened, got no byte in ${lived}: ${why(one)}`;
    case 'dropped at once':
      return `${name} opened, ended ${lived} later before a byte came: ${why(one)}`;
    default:
      return `${name} was live, lost after ${lived}: ${why(one)}`;
  }
}

/** So much of a message tells one attempt from another; all of it stands above. */
const SHORT = 90;

function why({ message, code }: Attempt): string {
  const words = message ?? code ?? 'given up';
  return words.length > SHORT ? `${words.slice(0, SHORT)}…` : words;
}

function waitsFor({ kind, state, substate }: Snapshot): string {
  const place = `${state}.${substate ?? ''}`;
  if (place === 'disconnected.failed') return 'Nothing by itself: it gave up. connect() begins anew.';
  if (place === 'disconnected.idle') return 'Nothing by itself: it waits for connect().';
  if (state === 'disposed') return 'Nothing any more: this is the end.';
  if (state === 'listening') return 'It waits for clients.';
  if (state === 'closed') return 'Nothing by itself: it waits for listen().';
  if (state === 'detached') return 'It waits for its client.';
  if (state === 'connected') return 'It stays until it is closed: silence is not watched.';
  return kind === 'server' ? 'It waits for the system.' : 'It waits for the network.';
}

/** A history in words, for the lead of a table: `42 transitions since 12:03:07`. */
export function historyWords(history: readonly Passed[]): string {
  const [first] = history;
  return first ? `${plural(history.length, 'transition')} since ${timeOfDay(first.at)}` : 'Nothing happened yet';
}

/** `in 812 ms`, or `now`. */
export function dueWords(at: number, now: number): string {
  return at <= now ? 'now' : `in ${millis(at - now)}`;
}

/** From a reason, the error below it and the pattern of the last attempts to what probably is the matter. */
import { type ErrorCode, errorTable } from '../../errors.js';
import { type Attempt, outcome } from './attempts.js';
import { otherWayRound, strangeBytes, systemCode } from './errno.js';
import { bytes, span } from './words.js';

export interface Clue {
  readonly code: string;
  readonly message: string;
  /** The error below, in words. */
  readonly below: string | undefined;
  readonly endpoint: string | undefined;
  readonly attempts: readonly Attempt[];
}

export interface Cause {
  readonly headline: string;
  readonly because: string;
  readonly help: string | undefined;
}

type Known = Omit<Cause, 'help'> & { readonly help?: string };

export function causeOf(clue: Clue): Known {
  const { code, message } = clue;
  const own = byCode[code]?.(clue);
  if (own) return own;
  const when = errorTable[code as ErrorCode]?.when;
  return { headline: sentence(message), because: when ?? message };
}

function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const at = ({ endpoint }: Clue) => (endpoint ? ` at ${endpoint}` : '');

const byCode: Readonly<Record<string, (clue: Clue) => Known>> = {
  NINJA_CONNECT_FAILED: connectFailed,
  NINJA_CONNECT_TIMEOUT: (clue) => ({
    headline: `Nothing answers${at(clue)}`,
    because: `${wasLive(clue)}No answer came to the dial, not even a refusal: the machine is off, a cable or route is down, or a firewall swallows it.`,
    help: 'Ping the machine; look at cable, route and firewall between. It is retried by itself.',
  }),
  NINJA_CERTIFICATE: certificate,
  NINJA_TLS_FAILED: ({ message }) => ({
    headline: 'The two sides have no TLS in common',
    because: sentence(message),
  }),
  NINJA_NOT_TLS: (clue) => ({
    headline: `The other side speaks no TLS${at(clue)}: wrong port?`,
    because: `${sentence(clue.message)}. This side wants TLS, and was answered in the clear: another service has this port, TLS is not switched on there, or a proxy has nothing behind it.`,
    help: 'Check the port, and `tls` on both sides. It is retried by itself.',
  }),
  NINJA_STALE: stale,
  NINJA_CLOSED_BY_PEER: (clue) =>
    dropped(clue, 'The other side closed the line', 'It sent its FIN between two messages.'),
  NINJA_RESET: (clue) => dropped(clue, 'The line was reset', sentence(clue.below ?? clue.message)),
  NINJA_TRUNCATED: (clue) => dropped(clue, 'The other side closed in mid-message', sentence(clue.message)),
  NINJA_FRAME_TOO_LARGE: strange,
  NINJA_FRAME_INVALID: strange,
  NINJA_WRITE_STALL: ({ message }) => ({
    headline: 'The other side does not read',
    because: `It may well speak, but ${message}.`,
  }),
  NINJA_FRAME_TIMEOUT: ({ message }) => ({
    headline: 'A message was begun and never finished',
    because: sentence(message),
  }),
  NINJA_GAVE_UP: ({ message }) => ({ headline: 'It gave up', because: sentence(message) }),
  NINJA_LISTEN_FAILED: ({ message, below }) => {
    const code = systemCode(`${below ?? ''} ${message}`);
    const words: Record<string, string> = {
      EADDRINUSE: 'The port is taken by another program',
      EACCES: 'This program may not open that port',
      EADDRNOTAVAIL: 'This machine has no such address',
    };
    return { headline: (code && words[code]) ?? 'It cannot listen', because: sentence(message) };
  },
  NINJA_HANDLER_FAILED: ({ message, below }) => ({
    headline: 'Code of this program threw',
    because: sentence(below ? `${message}: ${below}` : message),
  }),
};

/** What the system says of a certificate: headline and cure. */
const certificates: readonly (readonly [RegExp, string, string])[] = [
  [
    /CERT_HAS_EXPIRED/,
    'The certificate of the other side has expired',
    'Renew it on the other side; or set the clock of this machine, if that is wrong. Then call `connect()`: it does not try again by itself.',
  ],
  [
    /CERT_NOT_YET_VALID/,
    'The certificate of the other side is not valid yet',
    'Look at the clocks of both machines. Then call `connect()`: it does not try again by itself.',
  ],
  [
    /ALTNAME_INVALID/,
    'The certificate is for another host',
    'Check the host; or set `servername` of the option `tls`. Then call `connect()`: it does not try again by itself.',
  ],
  [
    /UNABLE_TO_(VERIFY|GET_ISSUER)|SELF_SIGNED/,
    'The certificate of the other side is signed by somebody unknown',
    'If you trust it, put its authority into `ca` of the option `tls`. Then call `connect()`: it does not try again by itself.',
  ],
  [
    /does not accept our certificate/,
    'The other side does not accept our certificate',
    'Look at `cert` and `key` of the option `tls`, and whom the other side trusts. Then call `connect()`: it does not try again by itself.',
  ],
];

function certificate({ message, below }: Clue): Known {
  const text = `${message} ${below ?? ''}`;
  const [, headline = 'A certificate is not accepted', help] = certificates.find(([sign]) => sign.test(text)) ?? [];
  return { headline, because: `${sentence(message)}.`, ...(help && { help }) };
}

const REFUSED = 'The machine answered, and refuses: no program has this port open.';

/** What the system says of a failed dial: headline (`@` is where, `$` the host alone), explanation, cure. */
const dials: Readonly<Record<string, readonly [string, string, string]>> = {
  ECONNREFUSED: ['Nobody listens@', REFUSED, 'Start the server, or mend the port. It is retried by itself.'],
  ENOTFOUND: [
    'No such host name: $',
    'The name servers answered, and know no address for it.',
    'Check the spelling of the host, and DNS. It is retried by itself.',
  ],
  EAI_AGAIN: [
    'The name servers do not answer',
    'The name $ could not be looked up at all.',
    'Look at the network and at DNS of this machine. It is retried by itself.',
  ],
  EHOSTUNREACH: [
    'The machine cannot be reached@',
    'The network says that there is no way to it: it is off, or a cable or route is down.',
    'Look at the machine, its cable and the route. It is retried by itself.',
  ],
  ENETUNREACH: [
    'The network is down',
    'This machine has no route there: its own cable or interface may be down.',
    'Look at the network of this machine. It is retried by itself.',
  ],
  ETIMEDOUT: [
    'Nothing answers@',
    'No answer came to the dial, not even a refusal: the machine is off, or a firewall swallows it.',
    'Ping the machine; look at cable, route and firewall. It is retried by itself.',
  ],
  ENOENT: [
    'No such socket file@',
    'Nothing listens on that path.',
    'Start the server, or mend the path. It is retried by itself.',
  ],
  EACCES: [
    'Not permitted@',
    'The system does not let this program connect there.',
    'Look at the permissions of the socket file, or at a local firewall.',
  ],
};

function connectFailed(clue: Clue): Known {
  const text = `${clue.below ?? ''} ${clue.message}`;
  // A dial of several addresses tells of each.
  const code = Object.keys(dials).find((one) => text.includes(one));
  const known = code === undefined ? undefined : dials[code];
  if (!known) return { headline: `The dial failed${at(clue)}`, because: sentence(clue.below ?? clue.message) };
  const [headline, because, help] = known;
  const host = clue.endpoint?.replace(/:\d+$/, '') ?? 'unknown';
  const filled = (words: string) => words.replace('@', at(clue)).replace('$', () => host);
  return { headline: filled(headline), because: `${wasLive(clue)}${filled(because)}`, help };
}

/** The story before this failure: a line that was live, went silent, and now cannot be dialled. */
function wasLive({ attempts }: Clue): string {
  const last = attempts.findLast((one) => outcome(one) === 'lost');
  return last?.code === 'NINJA_STALE' ? 'The line fell silent first. ' : '';
}

/** Attempts at the end of the history that all came to the same. */
function sameEnds(attempts: readonly Attempt[], what: ReturnType<typeof outcome>): number {
  const over = attempts.filter((one) => one.endedAt !== undefined);
  const odd = over.findLastIndex((one) => outcome(one) !== what);
  return over.length - 1 - odd;
}

function stale(clue: Clue): Known {
  const silent = sameEnds(clue.attempts, 'no byte');
  if (silent > 0) {
    return {
      headline: 'It opens, and nobody speaks',
      because: `TCP opens, yet ${silent > 1 ? `the last ${silent} lines` : 'the last line'} brought no byte (${clue.message}): the process behind the port is stopped or hangs.`,
      help: 'Look at the server process: stopped (state T), in a debugger, or blocked? Or it never speaks first: then let it send empty frames, or set `staleAfter: 0`.',
    };
  }
  return {
    headline: 'The other side fell silent',
    because: `The line was live, then there was ${clue.message}, and no FIN or reset came: a pulled cable, a lost route, or a stopped process. The next attempts will tell.`,
    help: 'It is dialled again by itself. Look at cable and route, and at the server process. If the other side is silent when idle, let it send empty frames, or set `staleAfter: 0`.',
  };
}

function dropped(clue: Clue, headline: string, because: string): Known {
  const early = sameEnds(clue.attempts, 'dropped at once');
  if (early === 0) return { headline, because };
  const last = clue.attempts.findLast((one) => one.endedAt !== undefined);
  const after = last ? span((last.endedAt ?? 0) - (last.openedAt ?? 0)) : 'at once';
  const lines = early === 1 ? 'The last line ended' : `The last ${early} lines ended`;
  return {
    headline: 'It accepts, then drops the line at once',
    because: `${lines} ${after} after opening, before a byte came. The other side turns us away: it is full, blocks this address, wants TLS, or a proxy has nothing behind it.`,
    help: 'Look into the log of the other side, and at what stands between: proxy, balancer, allow list.',
  };
}

function strange(clue: Clue): Known {
  const seen = strangeBytes(clue.message);
  const { protocol, text, announced, limit } = seen;
  if (protocol === 'text') {
    return {
      headline: 'The other side speaks text: wrong port, or garbage',
      because: `Where a length should stand came “${text}”.`,
    };
  }
  if (protocol) {
    return {
      headline: `That is ${protocol}, not our framing: wrong port?`,
      because: `Where a length should stand came “${text}”, as ${protocol} begins.`,
      help: 'Check host and port.',
    };
  }
  const turned = otherWayRound(seen);
  if (turned !== undefined && turned < 65_536) {
    return {
      headline: 'The length is written the other way round',
      because: `Read as little-endian the header says ${bytes(turned)}, which makes sense; as big-endian ${bytes(announced ?? 0)}, over the limit.`,
      help: 'Check `endian` of the framing on both sides.',
    };
  }
  if (announced !== undefined && limit !== undefined && announced > limit && announced <= limit * 16) {
    return {
      headline: 'A message is longer than allowed',
      because: `A header announces ${bytes(announced)}; \`maxFrameLength\` is ${bytes(limit)}.`,
      help: 'Raise `maxFrameLength` on this side, or let the other side send smaller messages.',
    };
  }
  const would =
    announced === undefined || limit === undefined || seen.bytes.length === 0
      ? sentence(clue.message)
      : `Read as a length, the bytes ${hexOf(seen.bytes)} announce ${bytes(announced)}; \`maxFrameLength\` is ${bytes(limit)}`;
  return {
    headline: 'Garbage where a length should stand',
    because: `${would}. Another framing, a bug of the other side, or a stream that lost its place.`,
    help: 'Check `framing` on both sides; look at the first bytes.',
  };
}

function hexOf(bytes: readonly number[]): string {
  const more = bytes.length > 8 ? ' …' : '';
  return `${bytes
    .slice(0, 8)
    .map((one) => one.toString(16).padStart(2, '0'))
    .join(' ')}${more}`;
}

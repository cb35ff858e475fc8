/** What errors below ours mean, and what first bytes of a stranger look like. */

/** The code of the system's error within a text: `ECONNREFUSED`, `DEPTH_ZERO_SELF_SIGNED_CERT`. */
export function systemCode(text: string): string | undefined {
  return /\b(E[A-Z][A-Z0-9_]{3,}|UNABLE_TO_[A-Z_]+|[A-Z]+_[A-Z_]*CERT[A-Z_]*|CERT_[A-Z_]+)\b/.exec(text)?.[1];
}

export interface Strange {
  /** The length that its header would announce. */
  readonly announced: number | undefined;
  readonly limit: number | undefined;
  readonly bytes: readonly number[];
  readonly text: string;
  /** The protocol that begins like this. */
  readonly protocol: string | undefined;
}

/** Reads the words with which a framing refuses a header. */
export function strangeBytes(message: string): Strange {
  const announced = /announced (?:a message of )?(-?\d+) bytes/.exec(message)?.[1];
  const limit = /maxFrameLength is (\d+)/.exec(message)?.[1];
  const [, hex = '', text = ''] = /went on with ((?:[0-9a-f]{2} ?)+)\("(.*)"\)/.exec(message) ?? [];
  const bytes = hex
    .split(' ')
    .filter(Boolean)
    .map((one) => Number.parseInt(one, 16));
  return {
    announced: announced === undefined ? undefined : Number(announced),
    limit: limit === undefined ? undefined : Number(limit),
    bytes,
    text,
    protocol: protocolOf(bytes, text),
  };
}

const beginnings: readonly (readonly [RegExp, string])[] = [
  [/^HTTP\//, 'HTTP'],
  [/^(GET|POST|PUT|HEAD|OPTIONS|PRI) /, 'HTTP'],
  [/^SSH-/, 'SSH'],
  [/^220[ -]/, 'SMTP or FTP'],
  [/^(\+OK|\* OK)/, 'mail (POP3 or IMAP)'],
  [/^(-ERR|-NOAUTH|\+PONG)/, 'Redis'],
  [/^(INFO|PING|\+OK)\b/, 'NATS'],
  [/^AMQP/, 'AMQP'],
  [/^RFB /, 'VNC'],
];

function protocolOf(bytes: readonly number[], text: string): string | undefined {
  for (const [pattern, name] of beginnings) if (pattern.test(text)) return name;
  // A TLS record: handshake or alert, then its version.
  if ((bytes[0] === 0x16 || bytes[0] === 0x15) && bytes[1] === 3) return 'TLS';
  const head = text.slice(0, 4);
  return bytes.length >= 4 && /^[\x20-\x7e]{4}$/.test(head) && bytes.slice(0, 4).every((one) => one >= 32)
    ? 'text'
    : undefined;
}

/** The announced length, were it meant the other way round; undefined where that makes no sense either. */
export function otherWayRound({ bytes, limit }: Strange): number | undefined {
  const [a, b, c, d] = bytes;
  if (a === undefined || b === undefined || c === undefined || d === undefined || limit === undefined) return undefined;
  const length = a + b * 256 + c * 65_536 + d * 16_777_216;
  return length > 0 && length <= limit ? length : undefined;
}

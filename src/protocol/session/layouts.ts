/**
 * The frames of the session protocol NTS/1, declared once. Each is the payload of an ordinary frame (a length and so many
 * bytes), so that none is ever cut: `type u8 · flags u8 · fields`, all big-endian.
 *
 * ```text
 * 00 00 00 0b  10 00 00 00 00 01  68 65 6c 6c 6f
 * length 11    DATA  seq 1        "hello"
 * ```
 *
 * What a later version may add: HELLO is the only frame that a peer of an older version ever reads from a newer one, since
 * the two agree on a version by it. So its flags and unknown TLVs are passed over, and its layout stays. In all other
 * frames flags must be 0, lengths must be exact, and types that are not listed here are errors: whoever wants more
 * of them announces a higher version. An unknown code of a refusal is taken as its `retryable` says.
 */
import type { Kind, Kinds, Tlv } from './wire.js';

/** The version that is spoken here. */
export const VERSION = 1;

/** Before a message; and the longest HELLO or RESUME that is read, its TLVs included. Bytes. */
import { SESSION_HEAD } from '../../options.js';

export { LONGEST_HANDSHAKE as MAX_HANDSHAKE, SESSION_HEAD as DATA_HEAD } from '../../options.js';

/** A field: its name, its kind, the least number it may be. */
export type Field = readonly [name: string, kind: Kind, least?: number];

export interface Layout {
  readonly type: number;
  readonly fields: readonly Field[];
  /** TLVs follow the fields. */
  readonly tlvs?: boolean;
  /** The last 32 bytes are an HMAC-SHA256; of a refusal only where the session is known. */
  readonly mac?: 'always' | 'may';
}

/** Offsets of the fields are sums of sizes; test/protocol/session/vectors.json has each frame in hex. */
export const layouts = {
  /**
   * From the client: a new session, please.
   *
   * ```text
   * 01 00  4e 4a 54 31  01 01  00 80 00 00  00 80 00 00  00 01 00 00  00 00 03 e8  00 01 d4 c0  … 16 …  TLVs
   *        "NJT1"       versions maxFrame     window: bytes, messages   heartbeat    resume       client instance
   * ```
   */
  HELLO: {
    type: 0x01,
    fields: [
      /** `NJT1`: by it a server that also serves plain peers tells the two apart. */
      ['magic', 'magic'],
      /** The lowest version that the client speaks. */
      ['verMin', 'u8', 1],
      /** The highest. */
      ['verMax', 'u8', 1],
      /** The longest message that the client takes, bytes, without the 6 before it. */
      ['maxFrame', 'u32', 1],
      /** How much the client takes unacknowledged: bytes of messages … */
      ['windowBytes', 'u32', 1],
      /** … and messages. */
      ['windowMessages', 'u32', 1],
      /** How often the client writes when it has nothing to say, ms; 0 for never. */
      ['heartbeatMs', 'u32'],
      /** How long the client wishes its session to be kept without a socket, ms. */
      ['resumeMs', 'u32'],
      /** By chance, and made for this one session: the server tells by it that a HELLO came twice. */
      ['clientInstance', 'bytes16'],
    ],
    tlvs: true,
  },
  /**
   * From the server: here it is. The secret is all zero where there is no TLS.
   *
   * ```text
   * 02 00  01  … 16 …  … 32 …  00 00 00 01  00 80 00 00  00 80 00 00  00 01 00 00  00 00 03 e8  00 01 d4 c0  … 16 …
   *        ver session secret  epoch        maxFrame     window: bytes, messages   heartbeat    granted      server
   * ```
   */
  WELCOME: {
    type: 0x02,
    fields: [
      /** The version that will be spoken: within those of HELLO. */
      ['version', 'u8', 1],
      /** By chance. Names the session in each RESUME. */
      ['sessionId', 'bytes16'],
      /** By chance. The key of all MACs; all zero where there is no TLS. */
      ['secret', 'bytes32'],
      /** The number of this socket in the session; the client counts on from here. 1, where the session is new. */
      ['epoch', 'u32', 1],
      /** The longest message that the server takes, bytes, without the 6 before it. */
      ['maxFrame', 'u32', 1],
      /** How much the server takes unacknowledged: bytes of messages … */
      ['windowBytes', 'u32', 1],
      /** … and messages. */
      ['windowMessages', 'u32', 1],
      /** How often the server writes when it has nothing to say, ms; 0 for never. */
      ['heartbeatMs', 'u32'],
      /** How long the session is kept without a socket, ms: granted, and never more than was wished. */
      ['resumeMs', 'u32'],
      /** By chance, for each process: another one means that the server was started anew, or is another one. */
      ['serverInstance', 'bytes16'],
    ],
  },
  /**
   * From the client on another socket: this session, please. The MAC is over "NTS/1 RESUME c" and all bytes before it.
   *
   * ```text
   * 03 00  4e 4a 54 31  01  … 16 …  00 00 00 02  .. .. 00 05  .. .. 00 01  .. .. 00 09  … 16 …  TLVs  … 32 …
   *        "NJT1"       ver session epoch        rxNext u64   txFirst u64  txNext u64   nonce         MAC
   * ```
   */
  RESUME: {
    type: 0x03,
    fields: [
      /** `NJT1`, as in HELLO. */
      ['magic', 'magic'],
      /** The version that WELCOME named. */
      ['version', 'u8', 1],
      /** As in WELCOME. */
      ['sessionId', 'bytes16'],
      /** Higher than in every earlier RESUME of this session, also those that failed. */
      ['epoch', 'u32', 1],
      /** The number of the message that the client expects: all below were received. */
      ['rxNext', 'u64', 1],
      /** The lowest number that the client still keeps: all below were acknowledged. */
      ['txFirst', 'u64', 1],
      /** Behind the highest number that the client ever wrote on any socket. */
      ['txNext', 'u64', 1],
      /** By chance, for this RESUME: the answer is bound to it. */
      ['nonce', 'bytes16'],
    ],
    tlvs: true,
    mac: 'always',
  },
  /**
   * From the server: go on. The MAC is over "NTS/1 RESUMED s", the session's id, the client's nonce, and all bytes before.
   *
   * ```text
   * 04 00  00 00 00 02  .. .. 00 09  .. .. 00 03  .. .. 00 05  … 32 …
   *        epoch        rxNext u64   txFirst u64  txNext u64   MAC
   * ```
   */
  RESUMED: {
    type: 0x04,
    fields: [
      /** As in RESUME. */
      ['epoch', 'u32', 1],
      /** The number of the message that the server expects: all below were received. */
      ['rxNext', 'u64', 1],
      /** The lowest number that the server still keeps. */
      ['txFirst', 'u64', 1],
      /** Behind the highest number that the server ever wrote on any socket. */
      ['txNext', 'u64', 1],
    ],
    mac: 'always',
  },
  /**
   * From the server: no. `lastHandled` counts only with a MAC (over "NTS/1 REFUSED s", the session's id, the nonce, all bytes before).
   * The nonce is the client's, all zero in answer to a HELLO.
   *
   * ```text
   * 05 00  02   00        00 00 00 00   .. .. 00 08      … 16 …  … 32, or nothing …
   *        code retryable retryAfterMs  lastHandled u64  nonce   MAC
   * ```
   */
  REFUSED: {
    type: 0x05,
    fields: [
      /** Why: see the table of codes. */
      ['code', 'u8', 1],
      /** 1: not now, but perhaps later. 0: never. */
      ['retryable', 'u8'],
      /** When to ask again, ms; 0 where nothing is said of it. */
      ['retryAfterMs', 'u32'],
      /** The highest number of the client's messages that was handled; 0 for none. Counts only under a MAC. */
      ['lastHandled', 'u64'],
      /** That of the RESUME; all zero in answer to a HELLO. */
      ['nonce', 'bytes16'],
    ],
    mac: 'may',
  },
  /** `11 00 · next u64`: everything below is handled. */
  ACK: { type: 0x11, fields: [/** Everything below this number is handled. */ ['next', 'u64', 1]] },
  /** `12 00 · nonce u32 · next u64`: are you there? The nonce is one more than in the PING before. An acknowledgement too. */
  PING: {
    type: 0x12,
    fields: [
      /** One more than in the PING before: the answer repeats it. */
      ['nonce', 'u32'],
      /** As in ACK. */
      ['next', 'u64', 1],
    ],
  },
  /**
   * `13 00 · nonce u32 · next u64`: the answer, with the nonce of the question, which was asked on this socket. Each is answered
   * once, in order; that one is passed over is no error, since the later answer says more. An acknowledgement too.
   */
  PONG: {
    type: 0x13,
    fields: [
      /** That of the PING. */
      ['nonce', 'u32'],
      /** As in ACK. */
      ['next', 'u64', 1],
    ],
  },
  /** `1d 00`: I am about to leave. Changes nothing by itself. */
  DRAIN: { type: 0x1d, fields: [] },
  /** `1e 00 · last u64`: all of mine up to `last` is handled, and no more will come. */
  BYE: { type: 0x1e, fields: [/** The highest number that this side ever used; 0 for none. */ ['last', 'u64']] },
  /** `1f 00`: all of mine is handled too; the session is over. */
  BYE_OK: { type: 0x1f, fields: [] },
} as const satisfies Record<string, Layout>;

/** `10 00 · seq u32 · message`: the lower half of the message's number. Written and read without the table. */
export const DATA = 0x10;

/** Bytes before a message in the default framing: its length, and the head of DATA. */
export const HEADERS = 4 + SESSION_HEAD;

type Layouts = typeof layouts;
export type FrameName = keyof Layouts;
type FieldOf<Name extends FrameName> = Layouts[Name]['fields'][number];
type WithTlvs<Name extends FrameName> = Layouts[Name] extends { tlvs: true }
  ? { readonly tlvs: readonly Tlv[] }
  : unknown;

/** What a frame says, by name; what is told to one's MAC is not part of it. */
export type Fields<Name extends FrameName> = {
  readonly [Each in FieldOf<Name> as Each[1] extends 'magic' ? never : Each[0]]: Kinds[Each[1]];
} & WithTlvs<Name>;

/** A frame that came. */
export type Frame = {
  [Name in FrameName]: { readonly name: Name; readonly mac: Uint8Array | undefined } & Fields<Name>;
}[FrameName];
export type FrameOf<Name extends FrameName> = Extract<Frame, { name: Name }>;

/** Why a session is refused, as it stands in REFUSED. */
export const refusalCodes = {
  /** The server knows no such session. For good, but it may be the wrong server: it cannot vouch for it. */
  UNKNOWN: 1,
  /** The session has ended: its resume window is over, or it was given up. For good. */
  EXPIRED: 2,
  /** One side needs messages that the other does not keep any more. For good. */
  HISTORY_LOST: 3,
  /** One side has numbers that the other never wrote. For good. */
  SEQ_AHEAD: 4,
  /** The MAC of the RESUME is wrong. For good. */
  BAD_MAC: 5,
  /** A later RESUME came already, or a HELLO for a session that was used, or ended. For good. */
  STALE_EPOCH: 6,
  /** Somebody else asks than who opened the session. For good. */
  PRINCIPAL: 7,
  /** No version that both speak. For good. */
  VERSION: 8,
  /** Not now. */
  BUSY: 9,
  /** The server is about to leave: it opens no session, but resumes those that it has. Not now. */
  DRAINING: 10,
  /** There are too many sessions, or too much is kept for them. Not now. */
  LIMIT: 11,
} as const;
export type RefusalCode = keyof typeof refusalCodes;

/** The name of a code; of one that nobody knows here, its number. */
export function refusalName(code: number): string {
  const known = Object.entries(refusalCodes).find(([, value]) => value === code);
  return known ? known[0] : `code ${code}`;
}

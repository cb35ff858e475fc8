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
/** Bytes that a message is longer in a session. */
export const DATA_HEAD = 6;
/** Bytes of the longest HELLO or RESUME that is read, its TLVs included: one that nobody vouches for must cost little. */
export const MAX_HANDSHAKE = 16 * 1024;

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
      ['magic', 'magic'],
      ['verMin', 'u8', 1],
      ['verMax', 'u8', 1],
      ['maxFrame', 'u32', 1],
      ['windowBytes', 'u32', 1],
      ['windowMessages', 'u32', 1],
      ['heartbeatMs', 'u32'],
      ['resumeMs', 'u32'],
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
      ['version', 'u8', 1],
      ['sessionId', 'bytes16'],
      ['secret', 'bytes32'],
      ['epoch', 'u32', 1],
      ['maxFrame', 'u32', 1],
      ['windowBytes', 'u32', 1],
      ['windowMessages', 'u32', 1],
      ['heartbeatMs', 'u32'],
      ['resumeMs', 'u32'],
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
      ['magic', 'magic'],
      ['version', 'u8', 1],
      ['sessionId', 'bytes16'],
      ['epoch', 'u32', 1],
      ['rxNext', 'u64', 1],
      ['txFirst', 'u64', 1],
      ['txNext', 'u64', 1],
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
      ['epoch', 'u32', 1],
      ['rxNext', 'u64', 1],
      ['txFirst', 'u64', 1],
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
      ['code', 'u8', 1],
      ['retryable', 'u8'],
      ['retryAfterMs', 'u32'],
      ['lastHandled', 'u64'],
      ['nonce', 'bytes16'],
    ],
    mac: 'may',
  },
  /** `11 00 · next u64`: everything below is handled. */
  ACK: { type: 0x11, fields: [['next', 'u64', 1]] },
  /** `12 00 · nonce u32 · next u64`: are you there? An acknowledgement too. */
  PING: {
    type: 0x12,
    fields: [
      ['nonce', 'u32'],
      ['next', 'u64', 1],
    ],
  },
  /** `13 00 · nonce u32 · next u64`: the answer, with the nonce of the question. An acknowledgement too. */
  PONG: {
    type: 0x13,
    fields: [
      ['nonce', 'u32'],
      ['next', 'u64', 1],
    ],
  },
  /** `1d 00`: I am about to leave. Changes nothing by itself. */
  DRAIN: { type: 0x1d, fields: [] },
  /** `1e 00 · last u64`: all of mine up to `last` is handled, and no more will come. */
  BYE: { type: 0x1e, fields: [['last', 'u64']] },
  /** `1f 00`: all of mine is handled too; the session is over. */
  BYE_OK: { type: 0x1f, fields: [] },
} as const satisfies Record<string, Layout>;

/** `10 00 · seq u32 · message`: the lower half of the message's number. Written and read without the table. */
export const DATA = 0x10;

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
  UNKNOWN: 1,
  EXPIRED: 2,
  HISTORY_LOST: 3,
  SEQ_AHEAD: 4,
  BAD_MAC: 5,
  STALE_EPOCH: 6,
  PRINCIPAL: 7,
  VERSION: 8,
  BUSY: 9,
  DRAINING: 10,
  LIMIT: 11,
} as const;
export type RefusalCode = keyof typeof refusalCodes;

/** The name of a code; of one that nobody knows here, its number. */
export function refusalName(code: number): string {
  const known = Object.entries(refusalCodes).find(([, value]) => value === code);
  return known ? known[0] : `code ${code}`;
}

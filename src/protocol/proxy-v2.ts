import { formatAddress } from '../addresses.js';
import { NinjaTcpError } from '../errors.js';

/** What every header of version 2 begins with. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const VERSION_1 = Buffer.from('PROXY ');
/** Signature, version and command, family, length. */
const FIXED = 16;
/** The longest header that is believed: 16 bytes, addresses of up to 216, and what a proxy adds (TLVs), which is skipped. */
export const MAX_PROXY_HEADER = 4096;

const LOCAL = 0x20;
const PROXY = 0x21;
const UNSPECIFIED = 0x00;
/** Families of streams, with the length of one address and of one port. */
const families: Readonly<Record<number, { readonly address: number; readonly port: number }>> = {
  17: { address: 4, port: 2 },
  33: { address: 16, port: 2 },
  49: { address: 108, port: 0 },
};

/** Who the proxy speaks for. */
export interface ProxyHeader {
  /** Undefined where it speaks for itself (LOCAL: a health check), or does not say. */
  readonly client: { readonly address: string | undefined; readonly port: number | undefined } | undefined;
  /** Its own length, bytes: what follows belongs to the client. */
  readonly length: number;
}

function refuse(why: string): never {
  throw new NinjaTcpError('NINJA_PROXY_HEADER', `no PROXY header of version 2: ${why}`);
}

/**
 * Reads the header of the PROXY protocol, version 2, from what has come so far.
 *
 * ```
 * 0d 0a 0d 0a 00 0d 0a 51 55 49 54 0a   signature
 * 21                                    version 2, PROXY (20: LOCAL)
 * 11                                    TCP over IPv4 (21: IPv6, 31: a Unix domain socket)
 * 00 0c                                 length of what follows
 * 0a 00 00 07 7f 00 00 01               from 10.0.0.7 to 127.0.0.1
 * c0 00 ff 98                           from port 49152 to 65432; TLVs may follow
 * ```
 *
 * @returns undefined where more bytes are needed
 * @throws NinjaTcpError `NINJA_PROXY_HEADER`, as soon as it cannot be one
 */
export function readProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  const seen = Math.min(bytes.length, SIGNATURE.length);
  if (bytes.compare(SIGNATURE, 0, seen, 0, seen) !== 0) return refuseOther(bytes);
  if (bytes.length < FIXED) return undefined;
  const command = bytes.readUInt8(12);
  if (command !== LOCAL && command !== PROXY) refuse(`version and command are 0x${hex(bytes, 12, 13)}`);
  const length = FIXED + bytes.readUInt16BE(14);
  if (length > MAX_PROXY_HEADER) refuse(`it is ${length} bytes long, at most ${MAX_PROXY_HEADER} are taken`);
  const family = bytes.readUInt8(13);
  // Who speaks for itself may write what it likes there.
  const sizes = command === PROXY && family !== UNSPECIFIED ? families[family] : { address: 0, port: 0 };
  if (!sizes) return refuse(`address family and protocol are 0x${hex(bytes, 13, 14)}`);
  const needed = FIXED + 2 * (sizes.address + sizes.port);
  if (length < needed) refuse(`it is ${length} bytes long, its addresses alone need ${needed}`);
  if (bytes.length < length) return undefined;
  if (sizes.address === 0) return { client: undefined, length };
  const source = bytes.subarray(FIXED, FIXED + sizes.address);
  const client =
    sizes.port === 0
      ? { address: textOf(source), port: undefined }
      : { address: formatAddress(source), port: bytes.readUInt16BE(FIXED + 2 * sizes.address) };
  return { client, length };
}

/** The path of a Unix domain socket, which ends at its first zero; the client's end has none as a rule. */
function textOf(bytes: Buffer): string | undefined {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end) || undefined;
}

function refuseOther(bytes: Buffer): undefined {
  const seen = Math.min(bytes.length, VERSION_1.length);
  if (bytes.compare(VERSION_1, 0, seen, 0, seen) !== 0) refuse(`it begins with ${hex(bytes, 0, 16)}`);
  // It begins like one of version 1; let it say so in full.
  if (bytes.length < VERSION_1.length) return undefined;
  return refuse('it is one of version 1, in text; let the proxy send version 2 (haproxy: send-proxy-v2)');
}

function hex(bytes: Buffer, from: number, to: number): string {
  return (bytes.toString('hex', from, Math.min(to, bytes.length)).match(/../g) ?? []).join(' ');
}

/** MACs of the session protocol. Chance comes from outside; the rest is arithmetic. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { MAC_LENGTH } from './wire.js';

/** What the session needs of cryptography; a simulation brings its own chance, and may bring cheaper arithmetic. */
export interface SessionCrypto {
  /** HMAC-SHA256, 32 bytes, over the parts behind each other. */
  hmac(secret: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
  /** Whether two of the same length are equal, in a time that does not tell where they differ. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** So many bytes that nobody can guess. */
  random(length: number): Uint8Array;
}

/** Node's, with the chance of the environment, which must be a cryptographic one outside of simulations. */
export function sessionCrypto(random: (length: number) => Uint8Array): SessionCrypto {
  return {
    hmac(secret, parts) {
      const hmac = createHmac('sha256', secret);
      for (const part of parts) hmac.update(part);
      return hmac.digest();
    },
    equal: (a, b) => timingSafeEqual(a, b),
    random,
  };
}

/** The secret where there is no TLS: it would be read on the way anyhow. */
export const NO_SECRET: Uint8Array = new Uint8Array(MAC_LENGTH);
/** In a refusal of a HELLO, which has no nonce. */
export const NO_NONCE: Uint8Array = new Uint8Array(16);

const labels = {
  RESUME: Buffer.from('NTS/1 RESUME c'),
  RESUMED: Buffer.from('NTS/1 RESUMED s'),
  REFUSED: Buffer.from('NTS/1 REFUSED s'),
} as const;
export type SealedName = keyof typeof labels;

/** What both sides know of a session, and nobody else. */
export interface Keys {
  readonly sessionId: Uint8Array;
  readonly secret: Uint8Array;
}

/** Of a RESUME the id and the nonce stand in the frame itself; the answers are bound to them. */
function macOf(crypto: SessionCrypto, name: SealedName, keys: Keys, nonce: Uint8Array, bytes: Uint8Array): Uint8Array {
  const before = bytes.subarray(0, bytes.length - MAC_LENGTH);
  const parts = name === 'RESUME' ? [labels[name], before] : [labels[name], keys.sessionId, nonce, before];
  return crypto.hmac(keys.secret, parts);
}

/** Writes the MAC into the last 32 bytes of a frame; gives the frame. */
export function seal(crypto: SessionCrypto, name: SealedName, keys: Keys, nonce: Uint8Array, bytes: Buffer): Buffer {
  bytes.set(macOf(crypto, name, keys, nonce, bytes), bytes.length - MAC_LENGTH);
  return bytes;
}

/** Whether the MAC at the end of a frame, which has one, is that of the holder of the secret. */
export function isSealed(
  crypto: SessionCrypto,
  name: SealedName,
  keys: Keys,
  nonce: Uint8Array,
  bytes: Uint8Array,
): boolean {
  return crypto.equal(macOf(crypto, name, keys, nonce, bytes), bytes.subarray(bytes.length - MAC_LENGTH));
}

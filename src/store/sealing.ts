/** Sealing of what lies in a store: AES-256-GCM. Chance comes from outside. */
import { createCipheriv, createDecipheriv, createHash, createHmac } from 'node:crypto';
import { NinjaTcpError } from '../errors.js';

/** So many bytes that nobody can guess. */
export type RandomBytes = (length: number) => Uint8Array;

export interface Sealer {
  /** @param place where it lies: what was sealed for one place does not open at another one */
  seal(plain: Uint8Array, place: string, random: RandomBytes): Uint8Array;
  /** @throws NinjaTcpError `NINJA_STORE_CORRUPT` where it was changed, lies elsewhere, or was sealed by another key */
  open(sealed: Uint8Array, place: string): Uint8Array;
}

const VERSION = 1;
const NAME = 4;
const NONCE = 12;
const TAG = 16;
const HEAD = 1 + NAME + NONCE;
const KEY = 32;

interface NamedKey {
  readonly name: Buffer;
  readonly key: Uint8Array;
}

/**
 * ```text
 * 01  .. 4 ..  .. 12 ..  …       .. 16 ..
 *     key      nonce     sealed  tag
 * ```
 *
 * Every place has a key of its own, made of the given one, so that chance alone gives no nonce twice however many there are.
 *
 * @param keys 32 bytes each, from a cryptographic source. The first seals, all of them open: so one key takes over from another
 * @throws NinjaTcpError `NINJA_INVALID_OPTION`
 */
export function createSealer(keys: Uint8Array | readonly Uint8Array[]): Sealer {
  const named = (Array.isArray(keys) ? keys : [keys]).map(nameOf);
  const [first] = named;
  if (!first)
    throw new NinjaTcpError('NINJA_INVALID_OPTION', 'key must be 32 bytes, or an array of such, got an empty array');
  return {
    seal(plain, place, random) {
      const nonce = random(NONCE);
      const cipher = createCipheriv('aes-256-gcm', keyOf(first, place), nonce);
      cipher.setAAD(Buffer.from(place));
      const sealed = [Buffer.of(VERSION), first.name, nonce, cipher.update(plain), cipher.final()];
      return Buffer.concat([...sealed, cipher.getAuthTag()]);
    },
    open(sealed, place) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length);
      if (bytes.length < HEAD + TAG || bytes[0] !== VERSION) throw corrupt('what it has is not sealed as it should be');
      const name = bytes.subarray(1, 1 + NAME);
      const key = named.find((each) => each.name.equals(name));
      if (!key) throw corrupt('what it has was sealed by another key');
      const decipher = createDecipheriv('aes-256-gcm', keyOf(key, place), bytes.subarray(1 + NAME, HEAD));
      decipher.setAAD(Buffer.from(place));
      decipher.setAuthTag(bytes.subarray(bytes.length - TAG));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(HEAD, bytes.length - TAG)), decipher.final()]);
      } catch {
        throw corrupt('what it has was changed, or lies where it does not belong');
      }
    },
  };
}

function nameOf(key: unknown): NamedKey {
  if (!(key instanceof Uint8Array) || key.length !== KEY) {
    // What was given instead may be a key all the same: it is not shown.
    const got = key instanceof Uint8Array ? `${key.length} bytes` : `a ${typeof key}`;
    throw new NinjaTcpError('NINJA_INVALID_OPTION', `key must be 32 bytes, or an array of such, got ${got}`);
  }
  return { name: createHash('sha256').update('ninja-tcp key name').update(key).digest().subarray(0, NAME), key };
}

function keyOf({ key }: NamedKey, place: string): Uint8Array {
  return createHmac('sha256', key).update('ninja-tcp store').update(place).digest();
}

function corrupt(what: string): NinjaTcpError {
  return new NinjaTcpError('NINJA_STORE_CORRUPT', `the session store cannot be believed: ${what}`);
}

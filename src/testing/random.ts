/**
 * A small seeded generator (mulberry32). The same seed and stream give the same numbers, on every machine; different
 * streams of one seed do not disturb each other, so that one draw more here changes nothing there.
 *
 * @param seed any finite number
 * @param stream the name of the stream
 * @returns numbers from 0 up to but not including 1
 */
export function createRandom(seed: number, stream = ''): () => number {
  let state = hash(`${seed}/${stream}`);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Bytes of such a generator: for ids that only a simulation may believe. */
export function createRandomBytes(seed: number, stream: string): (length: number) => Uint8Array {
  const random = createRandom(seed, stream);
  return (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** FNV-1a, 32 bits: of a text, or of bytes. */
export function hash(what: string | Uint8Array): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < what.length; index += 1) {
    const unit = typeof what === 'string' ? what.charCodeAt(index) : (what[index] as number);
    value = Math.imul(value ^ unit, 0x01000193);
  }
  return value >>> 0;
}

/**
 * Node's own class behind `Buffer`: what `buf.subarray()` makes, without going through it. Such a view is a Buffer to
 * every user, to `instanceof`, and to `deepStrictEqual`, in 20 ns instead of 50.
 */
const FastBuffer = bufferClass();

function bufferClass(): new (memory: ArrayBufferLike, byteOffset: number, length: number) => Buffer {
  const species: unknown = (Buffer as unknown as Record<symbol, unknown>)[Symbol.species];
  if (typeof species === 'function' && species.prototype === Buffer.prototype && species !== Buffer) {
    return species as ReturnType<typeof bufferClass>;
  }
  // Other runtimes may not tell: the documented way gives the same, a little slower.
  return function viaFrom(memory: ArrayBufferLike, byteOffset: number, length: number) {
    return Buffer.from(memory, byteOffset, length);
  } as unknown as ReturnType<typeof bufferClass>;
}

/** A Buffer over `length` bytes of `memory`, without copying. */
export function viewOf(memory: ArrayBufferLike, byteOffset: number, length: number): Buffer {
  return new FastBuffer(memory, byteOffset, length);
}

import { afterEach, expect, test, vi } from 'vitest';

const species = Object.getOwnPropertyDescriptor(Buffer, Symbol.species) as PropertyDescriptor;

afterEach(() => {
  Object.defineProperty(Buffer, Symbol.species, species);
  vi.resetModules();
});

// What `Buffer[Symbol.species]` is; Node gives a class of its own, whose prototype is Buffer's.
const runtimes: readonly [title: string, tells: PropertyDescriptor][] = [
  ['tells its own class, as Node', species],
  ['tells nothing', { value: undefined }],
  ['tells Buffer itself', { value: Buffer }],
  ['tells a class with another prototype', { value: class extends Uint8Array {} }],
  ['tells what is no class', { value: { prototype: Buffer.prototype } }],
];
test.each(runtimes)('view where the runtime %s: a Buffer over the same memory', async (_, tells) => {
  Object.defineProperty(Buffer, Symbol.species, { configurable: true, ...tells });
  vi.resetModules();
  const { viewOf } = await import('../../src/framing/view.js');
  const memory = Uint8Array.from([0, 1, 2, 3, 4, 5]).buffer;
  const view = viewOf(memory, 2, 3);
  expect([...view]).toEqual([2, 3, 4]);
  expect(view.buffer).toBe(memory);
  expect(Object.getPrototypeOf(view)).toBe(Buffer.prototype);
});

test('view on Node: by its own class, which is quicker than Buffer.from', async () => {
  const { viewOf } = await import('../../src/framing/view.js');
  const from = vi.spyOn(Buffer, 'from');
  viewOf(new ArrayBuffer(4), 0, 4);
  expect(from).not.toHaveBeenCalled();
  from.mockRestore();
});

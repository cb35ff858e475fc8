/** So deep an event is looked into, and so much of a text or a list is told. */
const DEEPEST = 4;
const LONGEST_TEXT = 500;
const LONGEST_LIST = 50;

/**
 * Whatever an event carries, as plain values for people. Never the content of a buffer: how long it is, and no more.
 *
 *     { epoch: 2, chunk: <Buffer 01 02> } → { epoch: 2, chunk: '‹2 bytes›' }
 */
export function plain(value: unknown, depth = 0): unknown {
  switch (typeof value) {
    case 'string':
      return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
    case 'bigint':
      return `${value}n`;
    case 'function':
    case 'symbol':
      return `‹${typeof value}›`;
    case 'object':
      return value === null ? null : plainObject(value, depth);
    default:
      return value;
  }
}

function plainObject(value: object, depth: number): unknown {
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return `‹${value.byteLength} bytes›`;
  }
  if (value instanceof Error) {
    const { name, message } = value;
    const code = (value as NodeJS.ErrnoException).code;
    return { name, ...(code !== undefined && { code: plain(code, DEEPEST) }), message: plain(message) };
  }
  if (Array.isArray(value)) {
    if (depth === DEEPEST) return `‹${value.length} items›`;
    return value.slice(0, LONGEST_LIST).map((item) => plain(item, depth + 1));
  }
  const made = value.constructor as { readonly name: string } | undefined;
  // What has a class is a handle, not a fact.
  if (made !== undefined && made !== Object) return `‹${made.name}›`;
  if (depth === DEEPEST) return '‹…›';
  const entries = Object.entries(value).slice(0, LONGEST_LIST);
  return Object.fromEntries(entries.map(([key, item]) => [key, plain(item, depth + 1)]));
}

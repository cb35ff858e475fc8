/** `connected.live`: the state as people name it, without the watch, which is in one state only. */
export function stateName(value: unknown): string {
  if (typeof value === 'string') return value;
  const [outer, inner] = Object.entries(value as Record<string, unknown>)[0] as [string, unknown];
  return `${outer}.${typeof inner === 'string' ? inner : (inner as { line: string }).line}`;
}

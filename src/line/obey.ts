/** Disposes when `signal` fires, at once if it has. @returns what ends the obedience */
export function obey(signal: AbortSignal | undefined, dispose: () => unknown): () => void {
  const fired = () => void dispose();
  if (signal?.aborted) fired();
  else signal?.addEventListener('abort', fired, { once: true });
  return () => signal?.removeEventListener('abort', fired);
}

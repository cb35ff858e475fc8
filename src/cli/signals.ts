/** What people and service managers send to end a program. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export type EndingSignal = (typeof ENDING)[number];

/** Calls back for each signal that asks the program to end. @returns what stops listening */
export function onEndingSignal(listener: (name: EndingSignal) => void): () => void {
  for (const name of ENDING) process.on(name, listener);
  return () => {
    for (const name of ENDING) process.off(name, listener);
  };
}

/** Calls back when nobody reads our output any more, as behind `| head -1`. */
export function onOutputGone(listener: () => void): void {
  process.stdout.on('error', listener);
}

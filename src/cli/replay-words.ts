import type { Replay, ReplayStep } from '../testing/index.js';

/** `12.4 ms`, to a tenth, with commas: `3,012.4 ms` */
function exact(ms: number): string {
  return `${ms.toLocaleString('en-GB', { minimumFractionDigits: 1, maximumFractionDigits: 1 })} ms`;
}

/** Control characters of a file that came by mail have no business on a terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e\u00a0-\uffff]/g, '?');
}

/** What stands above: whose life it is, and how much of it there is. */
export function headOf({ dump }: Replay): string[] {
  const { kind, name, versions, dumpedAt, fallen, steps } = dump;
  const when = new Date(Math.min(Math.max(dumpedAt, 0), 8.64e15)).toISOString();
  const lost = fallen.steps > 0 ? `, ${fallen.steps} older ones fell out` : '';
  return [
    `${name} (${kind}): ${steps.length} ${steps.length === 1 ? 'step' : 'steps'}${lost}`,
    `recorded by ninja-tcp ${versions.ninjaTcp} on Node ${versions.node}, dumped at ${when}`,
  ].map(printable);
}

/** One step: when, which event, where it led; and below, what was done about it. */
export function stepLines(step: ReplayStep, from: string | undefined): string[] {
  const { afterMs, words, entered, did, event, lateMs = 0 } = step;
  const late = lateMs >= 1 ? ` (${exact(lateMs)} late)` : '';
  const why = event.code === undefined ? '' : `: ${event.code}, ${event.message ?? ''}`;
  const lines = [`${exact(afterMs).padStart(14)}  ${words}${late}${why}`];
  let before = from;
  for (const { to, reason } of entered) {
    // Of the last loss nobody wants to hear while the next attempt goes well.
    const loss = reason && !to.startsWith('connect') ? ` (${reason.code})` : '';
    lines.push(`${' '.repeat(16)}${before ? `${before} ` : ''}→ ${to}${loss}`);
    before = to;
  }
  if (did.length > 0) lines.push(`${' '.repeat(16)}${did.join(', ')}`);
  if (step.broke !== undefined) lines.push(`${' '.repeat(16)}an action threw: ${step.broke}`);
  return lines.map(printable);
}

/** How it ended. */
export function endLines({ dump, steps, difference, left }: Replay): string[] {
  if (difference) {
    return [`step ${difference.step + 1} of ${dump.steps.length} is not as recorded: ${difference.message}`].map(
      printable,
    );
  }
  const next = left.map(({ name, inMs }) => `${name} in ${exact(inMs)}`).join(', ');
  const words = steps.length === 1 ? 'The step went' : `All ${steps.length} steps went`;
  return [`${words} as recorded.${next ? ` Under way at the end: ${next}.` : ''}`].map(printable);
}

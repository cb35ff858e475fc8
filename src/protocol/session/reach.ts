import type { FrameOf } from './layouts.js';

/** How far the other side came: what it expects, what it keeps, what it has written. */
export type Reach = Pick<FrameOf<'RESUME'>, 'rxNext' | 'txFirst' | 'txNext'>;

/** How far this side came: behind the last it received, the first that it keeps, behind the last that it has written. */
interface Standing {
  readonly received: number;
  readonly first: number;
  readonly sent: number;
}

/** Whether a resume would be illegal: `undefined` where both sides are where they can go on, both ways. */
export function illegality(
  { received, first, sent }: Standing,
  { rxNext, txFirst, txNext }: Reach,
): 'HISTORY_LOST' | 'SEQ_AHEAD' | undefined {
  if (received > txNext || rxNext > sent) return 'SEQ_AHEAD';
  if (received < txFirst || rxNext < first) return 'HISTORY_LOST';
  return undefined;
}

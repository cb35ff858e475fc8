import type { InspectionEvent, StateValue } from 'xstate';
import { causeOf } from '../../machines/line.setup.js';
import { edgeIdOf } from './chart-plan.js';
import { plain } from './plain.js';
import type { Seen } from './seen.js';
import type { Step } from './wire.js';

type Which = Seen['kind'] | 'session';

/** Turns what XState's inspection tells of one statechart into steps along the edges of its drawing. */
export class Steps {
  private place = '';

  constructor(
    private readonly id: string,
    private readonly which: Which,
  ) {}

  /** Where it stands before the first step, and where another session begins. */
  begin(value: StateValue): void {
    this.place = placeOf(this.which, value);
  }

  /** @returns the step; undefined where it is none, as of the event that tells XState of a final state */
  of(event: InspectionEvent): Step | undefined {
    if (event.type !== '@xstate.microstep' || event.event.type.startsWith('xstate.done.')) return undefined;
    const { id, which } = this;
    const { type, ...data } = event.event;
    const from = this.place;
    this.begin((event.snapshot as unknown as { readonly value: StateValue }).value);
    return {
      type: 'step',
      id,
      ...(which === 'session' && { chart: which }),
      at: Date.now(),
      event: { type: causeOf(type), data: plain(data) },
      from,
      to: this.place,
      taken: event._transitions.map(edgeIdOf),
    };
  }
}

/** `{ connected: { line: 'live', watch: 'listening' } }` → `connected.live` */
function placeOf(which: Which, value: StateValue): string {
  if (typeof value === 'string') return value;
  const [[state, inner] = ['', undefined]] = Object.entries(value);
  // What is within a server's states is not told of anywhere else either.
  if (which === 'server' || inner === undefined) return state;
  return `${state}.${typeof inner === 'string' ? inner : inner.line}`;
}

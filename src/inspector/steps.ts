import type { InspectionEvent, StateValue } from 'xstate';
import { causeOf } from '../../machines/line.setup.js';
import { edgeIdOf } from './chart-plan.js';
import { plain } from './plain.js';
import type { Seen } from './seen.js';
import type { Step } from './wire.js';

/** Turns what XState's inspection tells of one statechart into steps along the edges of its drawing. */
export class Steps {
  private place: string;

  /** A peer that sleeps is woken. */
  constructor(
    private readonly id: string,
    private readonly one: Seen,
  ) {
    this.place = placeOf(one.kind, one.actor.getSnapshot().value);
  }

  /** @returns the step; undefined where it is none, or none of this chart */
  of(event: InspectionEvent): Step | undefined {
    if (event.type !== '@xstate.microstep' || event.actorRef !== this.one.actor) return undefined;
    const { type, ...data } = event.event;
    const from = this.place;
    this.place = placeOf(this.one.kind, (event.snapshot as unknown as { readonly value: StateValue }).value);
    return {
      type: 'step',
      id: this.id,
      at: Date.now(),
      event: { type: causeOf(type), data: plain(data) },
      from,
      to: this.place,
      taken: event._transitions.map(edgeIdOf),
    };
  }
}

/** `{ connected: { line: 'live', watch: 'listening' } }` → `connected.live` */
function placeOf(kind: Seen['kind'], value: StateValue): string {
  if (typeof value === 'string') return value;
  const [[state, inner] = ['', undefined]] = Object.entries(value);
  // What is within a server's states is not told of anywhere else either.
  if (kind === 'server' || inner === undefined) return state;
  return `${state}.${typeof inner === 'string' ? inner : inner.line}`;
}

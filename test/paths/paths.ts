/** The paths that @xstate/test finds in the model, and the tests that walk them in a world. */
import { createTestModel } from '@xstate/test';
import { describe, expect, it } from 'vitest';
import { connectionModel, type ModelEvent } from '../../machines/connection.model.js';
import { transitionsOf } from '../machines/plan.js';
import { type Snapshot, type StateName, Story } from './story.js';
import type { World } from './world.js';

interface Step {
  /** The event, and the state that it leads to. */
  readonly event: { readonly type: string };
  readonly state: Snapshot;
}

interface Path {
  readonly steps: readonly Step[];
  test(params: {
    states: Record<string, (state: Snapshot) => Promise<void>>;
    events: Record<string, (step: Step) => Promise<void>>;
  }): Promise<unknown>;
}

const eventTypes = connectionModel.events as readonly ModelEvent['type'][];
const stateNames = Object.keys(connectionModel.states) as StateName[];

/** A state of the model and all that matters of the world; what was heard on the way does not. */
function nodeOf({ value, context: { hears: _, ...world } }: Snapshot): string {
  return JSON.stringify({ value, ...world });
}

/** The shortest paths through every edge: a node of the search is the edge by which a state was reached. */
function shortestPaths(): Path[] {
  const model = createTestModel(connectionModel, {
    serializeState: (state: Snapshot, event?: { type: string }, before?: Snapshot) =>
      event && before ? `${nodeOf(before)} ${event.type} ${nodeOf(state)}` : nodeOf(state),
  });
  // An event that no transition wants would be no event of the story; @xstate/test would try it all the same.
  const events = (state: Snapshot) => eventTypes.map((type) => ({ type })).filter((event) => state.can(event));
  return model.getShortestPaths({ events }) as unknown as Path[];
}

/** A transition as the model has it: from, event, to. */
function wantedTransitions(): string[] {
  const named = transitionsOf(connectionModel).map(
    ({ source, eventType, target }) => `${source.key}, ${eventType} → ${target?.[0]?.key ?? source.key}`,
  );
  return [...new Set(named)];
}

/** How often each thing was looked at. */
class Count extends Map<string, number> {
  add(name: string): void {
    this.set(name, (this.get(name) ?? 0) + 1);
  }
}

/** The paths as sentences: the events, and the state at the end. */
function titleOf({ steps }: Path): string {
  const events = steps.slice(1).map((step) => step.event.type.replace('.', ' '));
  return `${events.join(', ')} → ${steps.at(-1)?.state.value}`;
}

async function walk(path: Path, world: World, count: { states: Count; transitions: Count }): Promise<void> {
  const story = new Story(world);
  let before: StateName = 'absent';
  const tell = async ({ event, state }: Step) => {
    await story.tell(event.type as ModelEvent['type'], before, state);
    count.transitions.add(`${before}, ${event.type} → ${state.value}`);
  };
  const look = async (state: Snapshot) => {
    await story.look(state);
    count.states.add(state.value);
    before = state.value;
  };
  await path.test({
    states: Object.fromEntries(stateNames.map((name) => [name, look])),
    events: Object.fromEntries(eventTypes.map((type) => [type, tell])),
  });
}

/** Walks every path, each in a world of its own, and counts: what was not looked at was not tested. */
export function walkAllPaths(name: string, create: () => Promise<World>, concurrent: boolean): void {
  const paths = shortestPaths();
  const count = { states: new Count(), transitions: new Count() };
  let walked = 0;

  describe(`every path of the model, ${name}`, () => {
    const each = concurrent ? it.concurrent : it;
    each.each(paths.map((path) => [titleOf(path), path] as const))('%s', async (_, path) => {
      const world = await create();
      try {
        await walk(path, world, count);
      } finally {
        await world.end();
      }
      walked += 1;
    });

    it('all paths were walked, every state and every transition was looked at', () => {
      expect(walked).toBe(paths.length);
      expect([...count.states.keys()].sort()).toEqual([...stateNames].sort());
      expect([...count.transitions.keys()].sort()).toEqual(wantedTransitions().sort());
      const total = (counts: Count) => [...counts.values()].reduce((sum, n) => sum + n, 0);
      const steps = paths.reduce((sum, path) => sum + path.steps.length - 1, 0);
      expect(total(count.transitions)).toBe(steps);
      // The first state of each path is looked at too.
      expect(total(count.states)).toBe(steps + paths.length);
    });
  });
}

import { copyOf, fingerprintOf } from './graph.js';
import { Broken, type Setting, World } from './world.js';

export interface Exploration {
  readonly states: number;
  readonly transitions: number;
  /** States from which nothing has to happen any more. */
  readonly done: number;
  /** What is wrong, with the way there; undefined where nothing is. */
  readonly failure: string | undefined;
}

/** Walks every interleaving of a world, each state once. Stops at the first failure. */
export function explore(setting: Setting, most: number): Exploration {
  const places = new Map<string, number>();
  /** How each state was first reached. */
  const from: number[] = [];
  const by: string[] = [];
  /** For each state those from which it is reached without a break. */
  const behind: number[][] = [];
  const done: number[] = [];
  const open: World[] = [];
  let transitions = 0;

  const wayTo = (place: number): string => {
    const way: string[] = [];
    for (let at = place; at > 0; at = from[at] as number) way.unshift(by[at] as string);
    return way.map((step, index) => `${index + 1}. ${step}`).join('\n');
  };
  const placeOf = (world: World, source: number, step: string): number => {
    const key = fingerprintOf(world);
    const known = places.get(key);
    if (known !== undefined) return known;
    const place = places.size;
    places.set(key, place);
    from.push(source);
    by.push(step);
    behind.push([]);
    if (world.done) done.push(place);
    open.push(world);
    return place;
  };

  placeOf(new World(setting), 0, '');
  const order = [0];
  for (
    let world = open.pop(), place = order.pop();
    world && place !== undefined;
    world = open.pop(), place = order.pop()
  ) {
    if (places.size > most) {
      return {
        states: places.size,
        transitions,
        done: done.length,
        failure: `more than ${most} states, as by\n${wayTo(place)}`,
      };
    }
    for (const step of world.steps()) {
      const next = copyOf(world);
      try {
        if (step.run(next) === false) continue;
      } catch (error) {
        if (!(error instanceof Broken)) throw error;
        const failure = `${error.message}, after\n${wayTo(place)}\nand then: ${step.name}`;
        return { states: places.size, transitions, done: done.length, failure };
      }
      next.tidy();
      transitions += 1;
      const before = places.size;
      const reached = placeOf(next, place, step.name);
      if (places.size > before) order.push(reached);
      if (!step.breaks) (behind[reached] as number[]).push(place);
    }
  }
  const stuck = stuckIn(places.size, behind, done);
  const failure =
    stuck === undefined ? undefined : `it cannot be finished without another break, after\n${wayTo(stuck)}`;
  return { states: places.size, transitions, done: done.length, failure };
}

/** A state from which the end cannot be reached, though nothing breaks any more. */
function stuckIn(states: number, behind: readonly number[][], done: readonly number[]): number | undefined {
  const good = new Uint8Array(states);
  const queue = [...done];
  for (const place of queue) good[place] = 1;
  for (let place = queue.pop(); place !== undefined; place = queue.pop()) {
    for (const source of behind[place] as number[]) {
      if (good[source]) continue;
      good[source] = 1;
      queue.push(source);
    }
  }
  const stuck = good.indexOf(0);
  return stuck < 0 ? undefined : stuck;
}

/** From a statechart to what is drawn of it, without places: its states and its transitions, in the order of the plan. */
import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';
import type { Chart, Edge, Node, Unplaced } from './chart.js';

export interface Plan extends Pick<Chart, 'id' | 'description'> {
  readonly nodes: readonly Unplaced<Node>[];
  readonly edges: readonly (Unplaced<Edge> & {
    /** Whether the source is left and entered, even where it is the target: else there is no arrow. */
    readonly moves: boolean;
  })[];
}

/** @throws Error where something has no name: such a thing cannot be drawn */
export function planOf(machine: AnyStateMachine): Plan {
  const states = statesOf(machine.root);
  return {
    id: machine.id,
    description: machine.root.description ?? '',
    nodes: states.map(nodeOf),
    edges: states.flatMap(transitionsOf).map((transition) => edgeOf(transition)),
  };
}

/**
 * The id of a transition's edge. It depends on the plan alone, so it is the same for every machine made from it, and can
 * be asked of what XState's own inspection tells of (`@xstate.microstep`).
 */
export function edgeIdOf(transition: AnyTransitionDefinition): string {
  const { source, eventType } = transition;
  const siblings = (eventType === '' ? source.always : source.transitions.get(eventType)) ?? [];
  return `${nodeIdOf(source)} ${eventOf(eventType)} ${siblings.indexOf(transition)}`;
}

function nodeIdOf(state: AnyStateNode): string {
  return state.path.join('.') || state.machine.id;
}

function statesOf(state: AnyStateNode): AnyStateNode[] {
  return [state, ...Object.values(state.states).flatMap(statesOf)];
}

function transitionsOf(state: AnyStateNode): AnyTransitionDefinition[] {
  return [...[...state.transitions.values()].flat(), ...(state.always ?? [])];
}

const DELAYED = /^xstate\.after\.([^.]+)\./;

function eventOf(type: string): string {
  const delay = DELAYED.exec(type)?.[1];
  if (delay !== undefined) return `after ${delay}`;
  return type === '' ? 'always' : type;
}

function nodeOf(state: AnyStateNode): Unplaced<Node> {
  const { parent } = state;
  const [remembered] = (state.entry as readonly { type: string; params?: unknown }[])
    .filter(({ type }) => type === 'remember')
    .map(({ params }) => params as { readonly state: string });
  if (!parent) {
    return { id: nodeIdOf(state), label: 'any state', type: 'any', description: 'Whatever holds.', initial: false };
  }
  return {
    id: nodeIdOf(state),
    label: state.key,
    ...(parent.parent && { parent: nodeIdOf(parent) }),
    type: typeOf(state),
    description: state.description ?? '',
    initial: parent.type === 'compound' && parent.initial.target[0] === state,
    ...(remembered && { place: remembered.state }),
  };
}

function typeOf(state: AnyStateNode): Node['type'] {
  if (state.type === 'history') throw new Error(`${state.id}: a history state cannot be drawn`);
  // One of its eventless transitions is always free to go.
  return state.always?.some(({ guard }) => !guard) ? 'transient' : state.type;
}

/** Says nothing to a reader: it only keeps out what is late. */
const FORMALITY = 'fromThisEpoch';

function edgeOf(transition: AnyTransitionDefinition): Plan['edges'][number] {
  const { source, target, eventType, guard, actions, reenter, description } = transition;
  const event = eventOf(eventType);
  const guardName = guard && nameOf(guard, source);
  const delay = DELAYED.exec(eventType)?.[1];
  const condition = guardName && guardName !== FORMALITY ? `[${guardName}]` : '';
  const does = actions.map((action) => nameOf(action, source));
  const moves = target !== undefined && (target[0] !== source || reenter);
  const words = [
    event === 'always' && condition ? '' : event,
    condition,
    ...(moves ? [] : ['/', does.join(', ') || 'nothing']),
  ];
  return {
    id: edgeIdOf(transition),
    source: nodeIdOf(source),
    target: nodeIdOf(target?.[0] ?? source),
    event,
    label: words.filter(Boolean).join(' '),
    ...(guardName && { guard: guardName }),
    ...(delay !== undefined && { delay }),
    actions: does,
    ...(description && { description }),
    moves,
  };
}

function nameOf(one: unknown, where: AnyStateNode): string {
  const name = typeof one === 'object' && one !== null && 'type' in one ? one.type : one;
  if (typeof name === 'string') return name;
  throw new Error(`${where.id}: an action or a guard has no name`);
}

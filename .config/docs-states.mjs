// Transition tables and mermaid diagrams, from the statecharts themselves.
import { table } from './docs-tables.mjs';

const below = (node) => [node, ...Object.values(node.states).flatMap(below)];

/** `connected.live`: as `history` says it. The region `line` has no name there. */
const nameOf = (node) => node.path.filter((part) => part !== 'line').join('.') || 'any state';

const eventOf = (type) => {
  const delayed = /^xstate\.after\.([^.]+)\./.exec(type);
  if (delayed) return `after ${delayed[1]}`;
  return type === '' ? 'at once' : type;
};

const typeOf = (named) => (typeof named === 'string' ? named : named.type);

/** Every transition of a statechart, in the order of the plan. */
function transitionsOf(machine) {
  return below(machine.root).flatMap((node) =>
    [...[...node.transitions.values()].flat(), ...(node.always ?? [])].map((one) => ({
      from: node,
      to: one.target?.[0],
      event: eventOf(one.eventType),
      guard: one.guard && typeOf(one.guard),
      actions: one.actions.map(typeOf),
      words: one.description,
    })),
  );
}

function stateTable(machine) {
  return table(
    ['State', 'Means', 'On entering'],
    below(machine.root)
      .filter((node) => node !== machine.root && node.description)
      .map((node) => [
        `\`${nameOf(node)}\``,
        node.description,
        node.entry
          .map(typeOf)
          // What keeps the history, and XState's own way to begin a delay, say nothing here.
          .filter((name) => name !== 'remember' && name !== 'xstate.raise')
          .map((name) => `\`${name}\``)
          .join(', '),
      ]),
  );
}

function transitionTable(machine) {
  return table(
    ['From', 'On', 'If', 'To', 'Does'],
    transitionsOf(machine).map(({ from, to, event, guard, actions, words }) => [
      from === machine.root ? 'any state' : `\`${nameOf(from)}\``,
      event === 'at once' ? event : `\`${event}\``,
      guard ? `\`${guard}\`` : '',
      to ? `\`${nameOf(to)}\`` : 'stays',
      [actions.map((name) => `\`${name}\``).join(', '), words].filter(Boolean).join('. '),
    ]),
  );
}

const topOf = (node) => node.path[0];
const id = (node) => node.path.join('_');

/** A guard that only keeps out what is late says nothing to a reader. */
const shownGuard = (guard) => (guard === 'fromThisEpoch' ? undefined : guard);

/** Ways that are taken only while the connection is being closed: the short picture leaves them out. */
const closing = new Set(['closing', 'nothingHeld']);

/**
 * The arrows to draw, as `{ from, to, words }`. Mermaid cannot draw an arrow between the insides of two boxes, so such
 * a one goes from box to box, and says which inner state it enters where that is not the first.
 */
function arrowsOf(machine, short) {
  const arrows = new Map();
  for (const { from, to, event, guard } of transitionsOf(machine)) {
    if (!to || from === machine.root || from === to) continue;
    const within = topOf(from) === topOf(to) && from.path.length > 1;
    if (short && (closing.has(guard) || (event === 'close' && !within))) continue;
    const start = within ? id(from) : topOf(from);
    const end = within ? id(to) : topOf(to);
    const entered = short || within || to.path.length === 1 || isFirst(machine, to) ? '' : ` → ${to.key}`;
    const key = `${start} ${end} ${entered}`;
    const arrow = arrows.get(key) ?? { from: start, to: end, entered, events: new Set() };
    const told = event === 'at once' || closing.has(guard) ? shownGuard(guard) : undefined;
    arrow.events.add(told ? `${event === 'at once' ? '' : `${event} `}[${told}]` : event);
    arrows.set(key, arrow);
  }
  return [...arrows.values()].map(({ from, to, entered, events }) => ({
    from,
    to,
    words: `${[...events].join(', ')}${entered}`,
  }));
}

function isFirst(machine, node) {
  const top = machine.root.states[topOf(node)];
  return node.parent === top && top.initial?.target?.[0] === node;
}

/** A state with what is in it. Regions of a parallel state lie side by side; the short picture has the first alone. */
function box(node, arrows, short) {
  const regions = node.type === 'parallel' ? Object.values(node.states) : [node];
  const insides = (short ? regions.slice(0, 1) : regions).map((region) => inside(region, arrows));
  return [
    `  state ${node.key} {`,
    ...insides.flatMap((lines, place) => (place === 0 ? lines : ['    --', ...lines])),
    '  }',
  ];
}

function inside(node, arrows) {
  const children = Object.values(node.states);
  const names = new Set(children.map(id));
  return [
    ...children.map((child) => `    state "${child.key}" as ${id(child)}`),
    `    [*] --> ${id(node.initial.target[0])}`,
    ...arrows.filter(({ from }) => names.has(from)).map(({ from, to, words }) => `    ${from} --> ${to} : ${words}`),
  ];
}

/** @param short without the watch beside the line, and without the ways of closing */
function diagram(machine, short = false) {
  const arrows = arrowsOf(machine, short);
  const tops = Object.values(machine.root.states);
  const names = new Set(tops.map(id));
  return [
    '```mermaid',
    'stateDiagram-v2',
    `  [*] --> ${machine.root.initial.target[0].key}`,
    ...tops.flatMap((node) => (Object.keys(node.states).length > 0 ? box(node, arrows, short) : [])),
    ...arrows.filter(({ from }) => names.has(from)).map(({ from, to, words }) => `  ${from} --> ${to} : ${words}`),
    '  disposed --> [*]',
    '```',
  ].join('\n');
}

/** The generated parts that show statecharts, by name. */
export function charts({ connectionMachine, peerMachine, serverMachine }) {
  const parts = { 'picture of a connection, in short': diagram(connectionMachine, true) };
  const machines = { connection: connectionMachine, peer: peerMachine, server: serverMachine };
  for (const [name, machine] of Object.entries(machines)) {
    parts[`picture of a ${name}`] = diagram(machine);
    parts[`states of a ${name}`] = stateTable(machine);
    parts[`transitions of a ${name}`] = transitionTable(machine);
  }
  return parts;
}

// Transition tables and pictures, from the statecharts themselves.
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

/** A picture from docs/images, with words for those who do not see it. */
function image(name, machine) {
  const tops = Object.keys(machine.root.states).join(', ');
  return `![The statechart of a ${name}, with the states ${tops} and every way between them](images/${name}.svg)`;
}

/** The generated parts that show statecharts, by name. */
export function charts({ connectionMachine, peerMachine, serverMachine, sessionMachine, planOf, mermaidOf }) {
  const short = ['```mermaid', mermaidOf(planOf(connectionMachine), true), '```'].join('\n');
  const parts = { 'picture of a connection, in short': short };
  const machines = { connection: connectionMachine, peer: peerMachine, server: serverMachine, session: sessionMachine };
  for (const [name, machine] of Object.entries(machines)) {
    parts[`picture of a ${name}`] = image(name, machine);
    parts[`states of a ${name}`] = stateTable(machine);
    parts[`transitions of a ${name}`] = transitionTable(machine);
  }
  return parts;
}

/** The statecharts of a connection and of a peer: any event, of any epoch, in any order, on fake hands. */
import fc from 'fast-check';
import { type Actor, createActor } from 'xstate';
import { connectionMachine } from '../../machines/connection.machine.js';
import { peerMachine } from '../../machines/peer.machine.js';
import { socketActor } from '../../src/socket/actor.js';
import { FakeConnection, FakeLine, WINDOW } from '../machines/hands.js';
import { stateName } from '../machines/state-name.js';
import { demand, meet, same } from './demand.js';
import { HandClock } from './hand-clock.js';

const connections = connectionMachine.provide({ actors: { socket: socketActor } });
const peers = peerMachine.provide({ actors: { socket: socketActor } });

const TIMES = { connectTimeout: 5000, discardTimeout: 100, drainTimeout: 700, stableAfter: 3000, maxAttempts: 4 };
/** So many steps are tried on a chart that has ended. */
const ENOUGH = 3;
const WITHOUT_SOCKET = [
  ...['disconnected.idle', 'disconnected.waiting', 'disconnected.failed'],
  ...['detached.waiting', 'detached.draining', 'disposed'],
];
const WITH_SOCKET = [
  'connecting.dialing',
  'connecting.greeting',
  'connected.unproven',
  'connected.live',
  'connected.draining',
  'stale',
];
const LEGAL = new Set([...WITHOUT_SOCKET, ...WITH_SOCKET]);

const kinds = [
  ...(['connect', 'disconnect', 'reconnectNow', 'close', 'closeHolding', 'closeOwing', 'dispose'] as const),
  ...(['opened', 'heard', 'closed', 'failed', 'passed', 'refused', 'refusedForGood'] as const),
  ...(['attached', 'sessionClosed', 'sessionLost'] as const),
  ...(['silence', 'noise', 'backoff', 'noBackoff', 'owes', 'owesNothing', 'time', 'longTime', 'nonsense'] as const),
];
/** A kind, the epoch that it carries beside the present one, and milliseconds. */
type Step = readonly [kind: (typeof kinds)[number], by: number, ms: number];

/** What leads on is likely, or nothing would ever be reached; what leads away is rarer, and the end rarest. */
const ends = ['dispose', 'close', 'disconnect', 'closed', 'failed', 'refusedForGood', 'sessionClosed', 'sessionLost'];
const often = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('opened' as const, 'heard' as const, 'connect' as const, 'time' as const) },
  { weight: 2, arbitrary: fc.constantFrom('silence' as const, 'noise' as const, 'backoff' as const) },
  { weight: 2, arbitrary: fc.constantFrom('attached' as const, 'closeOwing' as const, 'failed' as const) },
  { weight: 5, arbitrary: fc.constantFrom(...kinds.filter((kind) => !ends.includes(kind))) },
  { weight: 1, arbitrary: fc.constantFrom(...kinds) },
);
const by = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: -2, max: 2 }) },
);
const steps: fc.Arbitrary<Step[]> = fc.array(fc.tuple(often, by, fc.nat(6000)), { maxLength: 30, size: 'max' });

/** The event of a step; undefined where it is none of the chart's. */
function eventOf(
  [kind, offset]: Step,
  present: number,
): { readonly type: string; readonly epoch?: number } | undefined {
  const epoch = present + offset;
  const reason = { code: 'NINJA_RESET', message: 'gone' } as const;
  switch (kind) {
    case 'connect':
    case 'disconnect':
    case 'reconnectNow':
    case 'dispose':
      return { type: kind };
    case 'close':
      return { type: kind, held: 0 } as { type: string };
    case 'closeHolding':
    case 'closeOwing':
      return { type: 'close', held: 3, owed: kind === 'closeOwing' ? 3 : 0 } as { type: string };
    case 'opened':
    case 'heard':
      return { type: `socket.${kind}`, epoch };
    case 'closed':
    case 'failed':
      return { type: `socket.${kind}`, epoch, ...reason };
    case 'passed':
      return { type: 'greeting.passed', epoch };
    case 'refused':
    case 'refusedForGood':
      return { type: 'greeting.failed', epoch, reason, fatal: kind === 'refusedForGood' } as { type: string };
    case 'attached':
      // A server counts its sockets: there is no other way.
      return { type: 'session.attached', epoch: present + 1 };
    case 'sessionClosed':
    case 'sessionLost':
      return { type: 'session.ended', reason: kind === 'sessionLost' ? reason : undefined } as { type: string };
    case 'nonsense':
      return { type: ['x', 'socket.', 'greeting.more', 'after'][Math.abs(offset)] ?? 'y' };
    default:
      return undefined;
  }
}

/** Where a step is none of the chart's events but one of the world around it. */
function happen([kind, , ms]: Step, clock: HandClock, ports: FakeLine): void {
  switch (kind) {
    case 'silence':
    case 'noise':
      ports.heard = kind === 'noise';
      return;
    case 'time':
      clock.advance(ms % (2 * WINDOW));
      return;
    case 'longTime':
      clock.advance(ms);
      return;
  }
  if (!(ports instanceof FakeConnection)) return;
  if (kind.startsWith('owes')) ports.owes = kind === 'owes';
  else ports.wait = kind === 'backoff' ? ms % 300 : false;
}

/** What has to hold of a line's chart after every step. */
function checkLine(actor: Actor<typeof connections> | Actor<typeof peers>, ports: FakeLine, clock: HandClock): string {
  const { value, status, context, children } = actor.getSnapshot();
  const state = stateName(value);
  demand(LEGAL.has(state), () => `the state ${JSON.stringify(value)}`);
  same(status, state === 'disposed' ? 'done' : 'active', `the status in ${state}`);
  const sockets = WITH_SOCKET.includes(state) ? [context.epoch] : [];
  same([...ports.alive].join(), sockets.join(), `sockets alive in ${state}`);
  same(Object.keys(children).join(), sockets.map((epoch) => `socket-${epoch}`).join(), `children in ${state}`);
  demand(ports.mostAlive <= 1, () => 'two sockets at a time');
  demand(state !== 'connected.live' || context.proven, () => 'live, and not proven');
  demand(!/draining/.test(state) || context.closing, () => 'draining, and not closing');
  demand(
    context.reason !== undefined || !/^(disconnected\.waiting|disconnected\.failed|stale|detached.*)$/.test(state),
    () => {
      return `no reason in ${state}`;
    },
  );
  if (state === 'disposed' || state === 'detached.waiting') same(clock.pending, 0, `timers in ${state}`);
  return state;
}

/** Each epoch's line is opened and shut in turn, and the end is announced once, last. */
function checkLog(log: readonly string[]): void {
  let open = false;
  for (const line of log) {
    if (line === 'openGate') {
      demand(!open, () => 'the gate was opened twice');
      open = true;
    } else if (line === 'shutGate') open = false;
  }
  const announced = log.filter((line) => line.startsWith('announce '));
  const ends = announced.filter((line) => line === 'announce disposed').length;
  demand(ends === 1 && announced.at(-1) === 'announce disposed' && !open, () => `the end: ${announced.slice(-3)}`);
}

export const connectionChart = fc.property(steps, fc.boolean(), fc.boolean(), (plan, greets, begun) => {
  const clock = new HandClock();
  const ports = new FakeConnection(clock);
  // About half of them have a session from the beginning on.
  ports.owes = plan.length % 2 === 0;
  const errors: unknown[] = [];
  const actor = createActor(connections, { clock, input: { ports, times: TIMES, greets } });
  actor.on('*', ({ type }) => void ports.log.push(`announce ${type}`));
  actor.subscribe({ error: (error) => void errors.push(error) });
  actor.start();
  if (begun) actor.send({ type: 'connect' });
  let before = actor.getSnapshot();
  let afterEnd = 0;
  for (const one of plan) {
    if (before.status !== 'active') afterEnd += 1;
    if (afterEnd > ENOUGH) break;
    const event = eventOf(one, before.context.epoch);
    // What a server's session says is not for this chart.
    const isOurs = !event?.type.startsWith('session.');
    if (event) actor.send(event as never);
    else happen(one, clock, ports);
    if (errors.length > 0) throw errors[0];
    const { context } = actor.getSnapshot();
    const state = checkLine(actor, ports, clock);
    meet(`connection ${state}`);
    const { failures, epoch, refused, closing, retryInMs, liveAt } = context;
    demand(failures >= 0 && failures <= TIMES.maxAttempts, () => `${failures} failures`);
    demand(epoch >= before.context.epoch && refused >= before.context.refused, () => 'a count went back');
    demand(closing || !before.context.closing, () => 'closing was taken back');
    demand(state !== 'disconnected.waiting' || typeof retryInMs === 'number', () => 'waits for nothing');
    if (state === 'disconnected.waiting' && closing) {
      meet('connection closing, and waiting for another line');
      demand((retryInMs ?? 0) <= TIMES.drainTimeout, () => `waits for ${retryInMs} ms while it is being closed`);
    }
    demand(state !== 'connected.live' || liveAt !== undefined, () => 'live since never');
    if (!isOurs) same(actor.getSnapshot().value, before.value, 'the state after what is not for this chart');
    else if (event?.epoch !== undefined && event.epoch < before.context.epoch && before.status === 'active') {
      same(refused, before.context.refused + 1, 'refused facts of older epochs');
      same(stateName(actor.getSnapshot().value), stateName(before.value), 'the state after a fact of an older epoch');
    }
    if (event?.epoch !== undefined && event.epoch > before.context.epoch) {
      same(actor.getSnapshot().context, before.context, 'the context after a fact of an epoch to come');
    }
    before = actor.getSnapshot();
  }
  JSON.stringify(actor.getPersistedSnapshot());
  // Whatever came before: nothing lasts but idle, failed, and attempts that fail.
  ports.heard = false;
  clock.advance(2 * WINDOW + TIMES.drainTimeout + TIMES.discardTimeout);
  const { context } = actor.getSnapshot();
  if (context.closing) {
    // Nor does close(): beside its own time, only the attempt that is under way then.
    clock.advance(TIMES.connectTimeout);
    same(stateName(actor.getSnapshot().value), 'disposed', 'the state long after close()');
  }
  const last = stateName(actor.getSnapshot().value);
  demand(!last.startsWith('connected') && last !== 'stale', () => `${last} after a long silence`);
  if (actor.getSnapshot().status === 'active') actor.send({ type: 'dispose' });
  checkLine(actor, ports, clock);
  checkLog(ports.log);
});

export const peerChart = fc.property(steps, fc.boolean(), fc.boolean(), (plan, silent, resumable) => {
  const clock = new HandClock();
  const ports = new FakeLine(clock);
  const errors: unknown[] = [];
  const actor = createActor(peers, { clock, input: { ports, times: TIMES, resumable } });
  actor.on('*', ({ type }) => void ports.log.push(`announce ${type}`));
  actor.subscribe({ error: (error) => void errors.push(error) });
  actor.start();
  let before = actor.getSnapshot();
  let afterEnd = 0;
  for (const one of plan) {
    if (before.status !== 'active') afterEnd += 1;
    if (afterEnd > ENOUGH) break;
    const event = eventOf(one, before.context.epoch);
    if (event) actor.send(event as never);
    else happen(one, clock, ports);
    if (errors.length > 0) throw errors[0];
    const { context, value } = actor.getSnapshot();
    const state = checkLine(actor, ports, clock);
    meet(`peer ${state}`);
    demand(context.epoch >= before.context.epoch, () => 'the epoch went back');
    demand(before.context.resumable || !context.resumable, () => 'a session that was over came back');
    demand(context.resumable || !state.startsWith('detached'), () => 'detached without a session');
    demand(resumable || context.epoch === 1, () => 'another socket without a session');
    const said = event?.type.startsWith('socket.') && before.status === 'active' ? event.epoch : undefined;
    if (said !== undefined && said < before.context.epoch) {
      same(context.refused, before.context.refused + 1, 'refused facts of older epochs');
      same(stateName(value), stateName(before.value), 'the state after a fact of an older epoch');
    } else if (said !== undefined && said > before.context.epoch) {
      same(context, before.context, 'the context after a fact of an epoch to come');
    }
    before = actor.getSnapshot();
  }
  // Whatever came before: a client that is silent is let go; of a session, its socket is.
  if (silent) {
    ports.heard = false;
    clock.advance(2 * WINDOW + TIMES.drainTimeout + TIMES.discardTimeout);
    const { context, value } = actor.getSnapshot();
    const waits = context.resumable && !context.closing && actor.getSnapshot().status === 'active';
    same(stateName(value), waits ? 'detached.waiting' : 'disposed', 'the state after a long silence');
  }
  if (actor.getSnapshot().status === 'active') actor.send({ type: 'dispose' });
  checkLine(actor, ports, clock);
  checkLog(ports.log);
});

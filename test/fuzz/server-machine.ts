/** The statechart of a server: any event in any order, on fake hands. */
import fc from 'fast-check';
import { createActor } from 'xstate';
import { type AcceptorFact, type ServerEvent, type ServerPorts, serverMachine } from '../../machines/server.machine.js';
import { acceptorActor } from '../../src/socket/actor.js';
import { demand, meet, same } from './demand.js';
import { HandClock } from './hand-clock.js';

const machine = serverMachine.provide({ actors: { acceptor: acceptorActor } });
const DRAIN = 700;
const PAUSE = 500;
const LEGAL = ['closed', 'binding', 'listening', 'paused.waiting', 'paused.rebinding', 'draining', 'disposed'];
/** Where a port is open, or asked for. */
const WITH_PORT = ['binding', 'listening', 'paused.rebinding'];
const starved: AcceptorFact = { type: 'acceptor.starved', code: 'NINJA_FEW_DESCRIPTORS', message: 'few' };
const failed: AcceptorFact = { type: 'acceptor.failed', code: 'NINJA_LISTEN_FAILED', message: 'in use' };
type Step = ServerEvent | { readonly type: 'nonsense' } | number;
const onwards: readonly Step[] = [{ type: 'listen' }, { type: 'acceptor.listening' }, starved, PAUSE];
const others: readonly Step[] = [{ type: 'close' }, { type: 'peers.gone' }, { type: 'nonsense' }, 10, DRAIN];
const ends: readonly Step[] = [{ type: 'dispose' }, failed];
const step = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...onwards) },
  { weight: 5, arbitrary: fc.constantFrom(...others) },
  { weight: 1, arbitrary: fc.constantFrom(...ends) },
);

export const serverChart = fc.property(
  fc.array(step, { maxLength: 14, size: 'max' }),
  fc.boolean(),
  fc.boolean(),
  fc.boolean(),
  (plan, failsAtOnce, emptyAtOnce, enough) => {
    const clock = new HandClock();
    const log: string[] = [];
    let ports = 0;
    const errors: unknown[] = [];
    const hands: ServerPorts = {
      wallNow: () => clock.wallNow(),
      openAcceptor: (report) => {
        ports += 1;
        // As an environment that throws when it is asked to listen.
        if (failsAtOnce) report(failed);
        return {
          close: () => {
            ports -= 1;
          },
        };
      },
      enoughDescriptors: () => enough,
      entered: (state) => void log.push(`entered ${state}`),
      toJSON: () => undefined,
    };
    const actor = createActor(machine, { clock, input: { ports: hands, drainTimeout: DRAIN } });
    actor.on('*', ({ type }) => {
      log.push(`announce ${type}`);
      if (type === 'draining' && emptyAtOnce) actor.send({ type: 'peers.gone' });
    });
    actor.subscribe({ error: (error) => void errors.push(error) });
    actor.start();
    const check = (): void => {
      if (errors.length > 0) throw errors[0];
      const { value: nested, status, context } = actor.getSnapshot();
      const value = typeof nested === 'string' ? nested : `paused.${nested.paused}`;
      demand(LEGAL.includes(value), () => `the state ${value}`);
      same(status, value === 'disposed' ? 'done' : 'active', `the status in ${value}`);
      same(ports, WITH_PORT.includes(value) ? 1 : 0, `open ports in ${value}`);
      demand(value !== 'disposed' || context.reason !== undefined, () => 'no reason for the end');
      if (value !== 'draining' && value !== 'paused.waiting') same(clock.pending, 0, `timers in ${value}`);
      meet(`server ${value}`);
    };
    for (const one of plan) {
      if (typeof one === 'number') clock.advance(one);
      else actor.send(one as ServerEvent);
      check();
    }
    if (actor.getSnapshot().status === 'active') actor.send({ type: 'dispose' });
    check();
    same(log.filter((line) => line === 'announce disposed').length, 1, 'ends announced');
    const times = (line: string) => log.filter((one) => one === line).length;
    demand(times('entered listening') <= 1 + times('announce paused'), () => 'listens again without a pause');
  },
);

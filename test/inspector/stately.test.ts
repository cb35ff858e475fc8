/** `@statelyai/inspect` as the client of record: its inspector, its server and its receiver, on loopback. */
import { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createWebSocketInspector,
  createWebSocketReceiver,
  type StatelyActorEvent,
  type StatelyInspectionEvent,
  type StatelySnapshotEvent,
} from '@statelyai/inspect';
import { createInspectorServer } from '@statelyai/inspect/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AnyActor, AnyStateMachine, InspectionEvent } from 'xstate';
import { connectionMachine, peerMachine, serverMachine, sessionMachine } from '../../machines/index.js';
import type { Peer } from '../../src/index.js';
import { stage } from '../connection/stage.js';

const SECRET = 'correct horse battery staple';

let url: string;
const ends: (() => void)[] = [];

/** Stately's own server would bind port 8080 of every interface; here it gets a free one of loopback. */
beforeEach(async () => {
  const listen = Server.prototype.listen;
  let http: Server | undefined;
  const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args: unknown[]) {
    http = this;
    // The receiver cannot be closed by itself.
    this.on('connection', (socket) => ends.push(() => void socket.end()));
    return Reflect.apply(listen, this, [0, '127.0.0.1', args.at(-1)]);
  });
  const bridge = createInspectorServer({ port: 0, autoOpen: false });
  spy.mockRestore();
  ends.push(() => bridge.stop());
  await vi.waitFor(() => expect(http?.listening).toBe(true), 10_000);
  url = `ws://127.0.0.1:${(http!.address() as AddressInfo).port}`;
});

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** What a page of Stately would hear of an actor that runs already. */
function watch(actor: AnyActor): StatelyInspectionEvent[] {
  const heard: StatelyInspectionEvent[] = [];
  createWebSocketReceiver({ server: url }).subscribe((event) => void heard.push(event));
  const inspector = createWebSocketInspector({ url });
  // XState tells of an actor when it is made only; who comes later has to be told.
  inspector.inspect.next?.({ type: '@xstate.actor', actorRef: actor, rootId: actor.sessionId } as InspectionEvent);
  const subscription = actor.system.inspect(inspector.inspect);
  ends.push(() => {
    subscription.unsubscribe();
    inspector.stop();
  });
  return heard;
}

/** Waits for what comes over the real socket. */
const until = (look: () => unknown) => vi.waitFor(() => expect(look()).toBeTruthy(), { timeout: 10_000, interval: 10 });

const stateOf = ({ snapshot }: StatelySnapshotEvent | StatelyActorEvent) =>
  JSON.stringify((snapshot as { value?: unknown }).value);
const contextOf = ({ snapshot }: StatelySnapshotEvent | StatelyActorEvent) =>
  (snapshot as unknown as { context: Record<string, unknown> }).context;

interface Actors {
  readonly connection: AnyActor;
  readonly peer: AnyActor;
  readonly server: AnyActor;
  readonly session: AnyActor;
}

/** A connection that is live, loses its line to silence, heals, and ends, and so does its session. `begin` looks in when it is live. */
async function life(begin: (actors: Actors) => void): Promise<void> {
  const at = stage();
  let peer: Peer | undefined;
  const server = await at.serve((one) => {
    peer = one;
  });
  const sessions = await at.serve(() => new Promise(() => {}), { port: 2, session: 'require' });
  const other = at.dial({ port: 2, session: { credentials: SECRET } });
  // A simulated network knows no TLS: it takes no notice of these, but they are among the settings.
  const environment = Object.assign(at.network.environment('client'), { checkTls: () => {} });
  const connection = at.dial({ environment, tls: { passphrase: SECRET } });
  await at.clock.runUntil(Promise.all([connection.connected({ proven: true }), other.connected()]));
  begin({
    connection: connection.actor,
    server: server.actor,
    peer: peer?.actor as AnyActor,
    session: other.session?.actor as AnyActor,
  });
  at.server.freeze();
  await at.clock.advance(4000);
  at.server.thaw();
  await at.clock.advance(4000);
  for (const one of [connection, server, other, sessions]) await at.clock.runUntil(one.dispose());
}

const LIVE = '{"connected":{"line":"live","watch":"listening"}}';
const UNPROVEN = '{"connected":{"line":"unproven","watch":"listening"}}';

const lives: {
  readonly kind: keyof Actors;
  readonly machine: AnyStateMachine;
  readonly states: readonly string[];
  readonly events: readonly string[];
  readonly context: readonly string[];
  readonly times: readonly string[];
}[] = [
  {
    kind: 'connection',
    times: ['connectTimeout', 'discardTimeout', 'drainTimeout', 'maxAttempts', 'stableAfter'],
    machine: connectionMachine,
    states: [LIVE, '"stale"', '{"disconnected":"waiting"}', '{"connecting":"dialing"}', UNPROVEN, LIVE, '"disposed"'],
    events: [
      'after.silence',
      'after.silence',
      'socket.closed',
      'after.backoff',
      'socket.opened',
      'socket.heard',
      'after.silence',
      'dispose',
    ],
    context:
      'closing closingAt epoch failures fatal greets lastHeardAt liveAt openedAt proven reason refused silentForMs times'.split(
        ' ',
      ),
  },
  {
    kind: 'peer',
    times: ['discardTimeout', 'drainTimeout'],
    machine: peerMachine,
    states: [LIVE, '{"connected":{"line":"draining","watch":"listening"}}', '"disposed"'],
    events: ['close', 'socket.closed'],
    context: 'closing closingAt epoch proven reason refused resumable times'.split(' '),
  },
  {
    kind: 'server',
    times: [],
    machine: serverMachine,
    states: ['"listening"', '"disposed"'],
    events: ['dispose'],
    context: ['drainTimeout', 'reason'],
  },
  {
    kind: 'session',
    times: [],
    machine: sessionMachine,
    states: ['"attached"', '"detached"', '"attached"', '"detached"', '{"ended":"lost"}'],
    events: ['session.detached', 'session.opening', 'session.attached', 'session.detached', 'session.ended'],
    context: 'deduplicated end epoch lastReason leaving replayed resumes side since'.split(' '),
  },
];

describe.each(lives)(
  'the Stately inspector, attached to a $kind that runs',
  ({ kind, machine, states, events, context, times }) => {
    let heard: StatelyInspectionEvent[] = [];
    let own: readonly StatelyInspectionEvent[] = [];
    beforeEach(async () => {
      let id = '';
      await life((actors) => {
        id = actors[kind].sessionId;
        heard = watch(actors[kind]);
      });
      const isEnd = (one: StatelyInspectionEvent) =>
        one.type === '@xstate.snapshot' && /disposed|ended/.test(stateOf(one));
      await until(() => heard.some(isEnd));
      own = heard.filter(({ sessionId }) => sessionId === id);
    });

    it('is given the definition first: the whole plan, as it was written', () => {
      const [first] = heard as [StatelyActorEvent];
      expect(first).toMatchObject({ type: '@xstate.actor', name: machine.id, sessionId: own[0]?.sessionId });
      const { context: _, ...definition } = JSON.parse(first.definition as string);
      expect(definition).toEqual(JSON.parse(JSON.stringify(machine.config)));
    });

    it('is given every state, from the one that holds', () => {
      const values = own.filter((one) => one.type !== '@xstate.event').map(stateOf);
      expect(values.filter((value, i) => value !== values[i - 1])).toEqual(states);
    });

    it('is given every event', () => {
      const types = own.flatMap((one) => (one.type === '@xstate.event' ? [one.event.type] : []));
      expect(types.map((type) => type.replace(/^xstate\.(after\.[^.]+)\..*/, '$1'))).toEqual(events);
    });

    it('is given the context as plain values, with nothing in it that is not told of here', () => {
      const last = own.at(-1) as StatelySnapshotEvent;
      expect(Object.keys(contextOf(last)).sort()).toEqual(context);
      expect(Object.keys(contextOf(last).times ?? {})).toEqual(times);
    });

    it('never hears of the ports, of what is behind them, or of a secret among the options', () => {
      const text = JSON.stringify(heard);
      expect(text.length).toBeGreaterThan(1000);
      // The last is what the inspector writes where it went too deep, or in a circle.
      expect(text).not.toMatch(
        /"ports|environment|passphrase|credentials|battery|openSocket|"\[(Object|Array|Circular)\]/,
      );
    });
  },
);

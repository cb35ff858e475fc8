import { describe, expect, test, vi } from 'vitest';
import { type Connection, type ConnectOptions, connect, listen } from '../../src/index.js';
import { type ConnectionPathsOptions, connectionPaths, type PathServer } from '../../src/testing/index.js';
import { stage } from './stage.js';

/** Logs in, and answers. */
const serveLogin = ({ environment, port }: PathServer) =>
  listen({ environment, port }, (peer) =>
    peer.on('message', (message) => peer.send(`${message}` === 'login' ? 'welcome' : message)),
  );
const login: Partial<ConnectOptions> = {
  onConnect: async (line) => {
    line.send('login');
    await line.receive();
  },
};

/** At a place where the path rests; or inside of what is told there. */
type Wakes = (where: string, times: number) => boolean;

/** When the chart is asked for, which makes it. */
const wakers: Record<string, Wakes> = {
  'from the first': (where) => where === 'start',
  'while it dials': (where) => where === 'connecting.dialing',
  'while it is greeted': (where) => where === 'connecting.greeting',
  'when TCP is open': (where) => where === 'connected.unproven',
  'when it is live': (where) => where === 'connected.live',
  'by a listener of connected': (where) => where === 'in connected',
  'by a listener of live': (where) => where === 'in live',
  'by a subscriber': (where) => where === 'subscribed',
  'after the end': (where) => where === 'disposed',
  'at the second place': (_, times) => times === 2,
};

function standing(actor: Connection['actor']): object {
  const { value, status, context } = actor.getSnapshot();
  return { value, status, context: { ...context, ports: undefined } };
}

const names = [
  'connecting',
  'connected',
  'live',
  'stale',
  'disconnected',
  'failed',
  'disposed',
  'dropped',
  'resumed',
  'sessionLost',
  'warning',
] as const;

interface Options extends Omit<ConnectionPathsOptions, 'start'> {
  readonly dial?: Partial<ConnectOptions>;
  /** Gives orders from inside what the connection tells. */
  readonly listen?: (connection: Connection) => void;
}

interface Life {
  readonly connection: Connection;
  /** All that could be seen, in order. */
  readonly log: readonly string[];
}

function world({ dial = {}, listen: orders, ...options }: Options) {
  let connection: Connection | undefined;
  let log: string[] = [];
  let wakes: Wakes = () => false;
  let times = 0;
  const look = (where: string) => {
    if (connection && wakes(where, times)) void connection.actor;
  };
  const paths = connectionPaths({
    ...options,
    start({ host, port, environment, clock }) {
      const one = connect({ host, port, environment, ...dial });
      connection = one;
      look('start');
      // Before those that give orders.
      for (const name of names) one.on(name, () => look(`in ${name}`));
      orders?.(one);
      for (const name of names) {
        one.on(name, (event: object) => {
          const { state, substate, epoch, reason, snapshot } = one;
          log.push(JSON.stringify({ at: clock.now(), name, event, state, substate, epoch, reason, snapshot }));
        });
      }
      one.subscribe((status) => {
        look('subscribed');
        log.push(JSON.stringify({ at: clock.now(), status }));
      });
      return one;
    },
  });
  return {
    titles: paths.map(({ title }) => title),
    async live(which: number, when: Wakes): Promise<Life> {
      log = [];
      wakes = when;
      times = 0;
      await paths[which]
        ?.run(({ connection: one, place, clock }) => {
          times += 1;
          look(place);
          log.push(JSON.stringify({ at: clock.now(), place, explained: one.explain(), snapshot: one.snapshot }));
        })
        // Orders from inside lead off the path: where they do, is compared too.
        .catch((error: Error) => log.push(error.message));
      const one = connection as Connection;
      log.push(JSON.stringify({ history: one.history, stats: one.stats() }));
      return { connection: one, log };
    },
  };
}

const first =
  /^(TCP opens|no answer|the server answers|the name)[^,]*(, [^,]*)?$|^TCP opens, the server answers, [^,]*( →|$)/;
/** A world with a session has three times the paths of one without. */
const short = /^[^,]*(, [^,]*){0,4}$/;
const worlds: readonly (readonly [string, Options, RegExp])[] = [
  ['a bare connection', { message: 'held' }, /./],
  ['one that logs in', { dial: login, serve: serveLogin, greets: true, message: 'held' }, /./],
  ['a session', { dial: { session: { onSessionLost: 'new' } }, session: 'new', message: 'held' }, short],
  [
    'a listener of connecting that closes',
    { listen: (one) => void one.on('connecting', () => void one.close()) },
    first,
  ],
  ['a listener of connected that closes', { listen: (one) => void one.on('connected', () => void one.close()) }, first],
  ['a listener of connected that sends', { listen: (one) => void one.on('connected', () => one.send('x')) }, first],
  [
    'a listener of connected that disconnects',
    { listen: (one) => void one.on('connected', () => one.disconnect()) },
    first,
  ],
  ['a listener of live that disposes', { listen: (one) => void one.on('live', () => void one.dispose()) }, first],
  ['a listener of live that dials again', { listen: (one) => void one.once('live', () => one.reconnectNow()) }, first],
];

describe.each(worlds)('a sleeping statechart, of %s,', (_, options, wanted) => {
  const { titles, live } = world(options);
  const chosen = [...titles.entries()].filter(([, title]) => wanted.test(title));
  test(`is looked at on ${chosen.length} paths`, () => expect(chosen.length).toBeGreaterThan(1));

  test.each(chosen)('lives as a woken one (path %i, %s)', async (which, title) => {
    const asleep = await live(which, () => false);
    for (const [when, wakes] of Object.entries(wakers)) {
      const awake = await live(which, wakes);
      expect(awake.log, `${title}, woken ${when}`).toEqual(asleep.log);
      // Whoever asks after the end is shown the same end.
      expect(standing(asleep.connection.actor), title).toEqual(standing(awake.connection.actor));
    }
  });
});

describe('a woken chart', () => {
  test('sets no timer of its own while the one of its sleep runs, and clears that one', async () => {
    const { clock, dial, serve, network } = stage();
    await serve();
    const connection = dial();
    const { timers } = (connection as unknown as { line: { timers: { setTimeout(): unknown; set: Set<unknown> } } })
      .line;
    await clock.runUntil(connection.connected({ proven: true }));
    const running = timers.set.size;
    const set = vi.spyOn(timers, 'setTimeout');
    expect(connection.actor.getSnapshot().matches({ connected: { line: 'live' } })).toBe(true);
    expect(set).not.toHaveBeenCalled();
    expect(timers.set.size).toBe(running);
    connection.disconnect();
    expect(timers.set.size).toBe(0);
    connection.connect();
    await clock.runUntil(connection.connected({ proven: true }));
    network.cut();
    await clock.runUntil(() => connection.state === 'stale');
    await clock.runUntil(connection.dispose());
  });

  test.each(['disconnect', 'reconnectNow', 'dispose'] as const)(
    'throws the socket away that was made in its sleep: %s()',
    async (order) => {
      const { clock, dial, serve } = stage();
      const server = await serve();
      const connection = dial();
      await clock.runUntil(connection.connected({ proven: true }));
      const [peer] = [...server.peers];
      connection[order]();
      await clock.advance(50);
      expect(peer?.state).toBe('disposed');
      await clock.runUntil(connection.dispose());
    },
  );

  test('may be given an order by whom it is shown to, in the middle of a step: no timer is left', async () => {
    const { clock, dial, serve } = stage();
    await serve();
    const connection = dial();
    const { timers } = (connection as unknown as { line: { timers: { set: Set<unknown> } } }).line;
    connection.on('connected', () => connection.actor.send({ type: 'disconnect' }));
    await clock.advance(50);
    expect(connection.substate).toBe('idle');
    expect(timers.set.size).toBe(0);
    await clock.runUntil(connection.dispose());
  });
});

import { describe, expect, test, vi } from 'vitest';
import { listen, type Peer, type PeerHandler } from '../../src/index.js';
import { createNetwork, createVirtualClock, type PeerPathsOptions, peerPaths } from '../../src/testing/index.js';

const echo: PeerHandler = async (peer) => {
  for await (const message of peer) if (!peer.send(message)) await peer.drained();
};
/** Orders from inside what the peer tells. */
const closesWhenLive: PeerHandler = (peer) => {
  peer.on('live', () => void peer.close());
  peer.on('live', () => peer.send('after close() was called'));
};
const disposesWhenLive: PeerHandler = (peer) => void peer.on('live', () => void peer.dispose());
const closesAtOnce: PeerHandler = (peer) => void peer.close();
/** Orders from inside what only a peer with a session tells. */
const closesWhenDetached: PeerHandler = (peer) =>
  void peer.on('message', () => {}).on('detached', () => void peer.close());
const disposesWhenResumed: PeerHandler = (peer) =>
  void peer.on('message', () => {}).on('resumed', () => void peer.dispose());

/** When the chart is asked for, which makes it. */
const wakers: Record<string, Wakes> = {
  'from the first': () => true,
  'when it is live': (place) => place === 'connected.live',
  'while it drains': (place) => place === 'connected.draining',
  'when it is stale': (place) => place === 'stale',
  'when it is detached': (place) => place.startsWith('detached'),
  'after the end': (place) => place === 'disposed',
  'at the second place': (_, times) => times === 2,
};

function standing(actor: Peer['actor']): object {
  const { value, status, context } = actor.getSnapshot();
  return { value, status, context: { ...context, ports: undefined, times: undefined } };
}

interface Life {
  readonly peers: readonly Peer[];
  /** All that could be seen, in order. */
  readonly log: readonly string[];
}

type Options = Omit<PeerPathsOptions, 'start'> & { readonly handler: PeerHandler | undefined };

/** What a peer tells. */
const names = ['live', 'stale', 'detached', 'resumed', 'disposed', 'dropped', 'warning'] as const;

type Wakes = (place: string, times: number) => boolean;

/** The paths of one server. Each can be gone again and again, with the chart made when `wakes` says so. */
function world({ handler, ...options }: Options) {
  let peers: Peer[] = [];
  let log: string[] = [];
  let wakes: Wakes = () => false;
  const paths = peerPaths({
    ...options,
    async start({ port, environment, clock }) {
      const tell = (peer: Peer, name: string, event?: object) => {
        const { state, substate, reason } = peer;
        log.push(JSON.stringify({ at: clock.now(), peer: peer.id, name, event, state, substate, reason }));
      };
      const session = options.session ? 'require' : undefined;
      return listen({ port, environment, session }, (peer) => {
        peers.push(peer);
        tell(peer, 'peer');
        if (wakes('start', 0)) void peer.actor;
        const result = handler?.(peer);
        // Behind the handler's own listeners, which may have given orders.
        for (const name of names) peer.on(name, (event: object) => tell(peer, name, event));
        return result;
      });
    },
  });
  return {
    titles: paths.map(({ title }) => title),
    async live(which: number, when: Wakes): Promise<Life> {
      peers = [];
      log = [];
      wakes = when;
      let times = 0;
      await paths[which]
        ?.run(({ peer, place, clock, replies }) => {
          times += 1;
          if (wakes(place, times)) void peer.actor;
          log.push(JSON.stringify({ at: clock.now(), place, explained: peer.explain(), replies: replies.map(String) }));
        })
        // A handler that ends every peer leaves the path: where it does, is compared too.
        .catch((error: Error) => log.push(error.message));
      for (const peer of peers) log.push(JSON.stringify({ history: peer.history, stats: peer.stats() }));
      return { peers, log };
    },
  };
}

/** Handlers that end every peer leave the paths soon: a few show all. */
const few = /^(the client speaks|the client is killed|the client half-closes), another client/;
const ofSession = /^(the client speaks, the client (is killed|comes back|says goodbye)|the client half-closes), /;
const worlds: readonly (readonly [string, Options, RegExp])[] = [
  ['an echo', { handler: echo, message: 'hello', flood: 5 }, /./],
  ['nobody who takes', { handler: undefined, message: 'hello', flood: 5, orders: ['peer.close'] }, /./],
  ['a handler that closes', { handler: closesAtOnce }, few],
  ['a listener of live that closes', { handler: closesWhenLive }, few],
  ['a listener of live that disposes', { handler: disposesWhenLive }, few],
  ['an echo over a session', { handler: echo, message: 'hello', flood: 5, session: true }, /./],
  ['a handler that closes its session', { handler: closesAtOnce, session: true }, ofSession],
  ['a listener of live that closes its session', { handler: closesWhenLive, session: true }, ofSession],
  ['a listener of detached that closes', { handler: closesWhenDetached, session: true }, ofSession],
  ['a listener of resumed that disposes', { handler: disposesWhenResumed, session: true }, ofSession],
];

describe.each(worlds)('a sleeping statechart, with %s,', (_, options, wanted) => {
  const { titles, live } = world(options);
  const chosen = [...titles.entries()].filter(([, title]) => wanted.test(title));
  test(`is looked at on ${chosen.length} paths`, () => expect(chosen.length).toBeGreaterThan(1));

  test.each(chosen)('lives as a woken one (path %i, %s)', async (which, title) => {
    const asleep = await live(which, () => false);
    for (const [when, wakes] of Object.entries(wakers)) {
      const awake = await live(which, wakes);
      expect(awake.log, `${title}, woken ${when}`).toEqual(asleep.log);
      for (const [at, { actor }] of asleep.peers.entries()) {
        // Whoever asks after the end is shown the same end.
        expect(standing(actor), title).toEqual(standing((awake.peers[at] as Peer).actor));
      }
    }
  });
});

test('a woken chart sets no timer of its own while the one of its sleep runs', async () => {
  const clock = createVirtualClock();
  const network = createNetwork({ clock });
  const server = await clock.runUntil(listen({ port: 1, environment: network.environment() }));
  const transport = network.environment('client').dial({ host: 'server', port: 1, noDelay: true });
  transport.attach({ opened() {}, chunk() {}, ended() {}, failed() {}, closed() {} });
  await clock.advance(10);
  const [peer] = [...server.peers] as [Peer];
  const { timers } = (peer as unknown as { line: { timers: { setTimeout(): unknown } } }).line;
  const set = vi.spyOn(timers, 'setTimeout');
  expect(peer.actor.getSnapshot().matches({ connected: { line: 'unproven' } })).toBe(true);
  expect(set).not.toHaveBeenCalled();
  await clock.runUntil(peer.closed());
  expect(peer.reason?.code).toBe('NINJA_STALE');
  transport.destroy();
  await server.dispose();
});

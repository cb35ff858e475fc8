import { describe, expect, test } from 'vitest';
import { type Connection, type ConnectOptions, connect, listen, type Peer, type Reason } from '../../src/index.js';
import { createNetwork, createScript, createVirtualClock, type NetworkOptions } from '../../src/testing/index.js';

/** A client and a server of the library, unchanged, on the simulated network. */
class World {
  readonly clock = createVirtualClock();
  readonly network;
  readonly server;
  readonly heard: { readonly at: number; readonly text: string }[] = [];
  readonly reasons: Reason[] = [];
  client!: Connection;
  peer!: Peer;

  constructor(link: Partial<NetworkOptions> = {}) {
    this.network = createNetwork({ clock: this.clock, ...link });
    this.server = this.network.host();
  }

  /** Starts the server's process. It is never the one that notices. */
  serve(): Promise<unknown> {
    const options = { port: 7, environment: this.server.environment(), staleAfter: 0, heartbeatInterval: 1000 };
    const come = (peer: Peer) => {
      this.peer = peer;
      peer.on('message', (message) => this.note(message));
    };
    return this.clock.runUntil(listen(options, come));
  }

  dial(options: Partial<ConnectOptions> = {}): this {
    this.client = connect({ host: 'server', port: 7, environment: this.network.environment('client'), ...options });
    this.client.on('message', (message) => this.note(message));
    this.client.on('disconnected', ({ reason }) => this.reasons.push(reason));
    return this;
  }

  live(limit = 60_000): Promise<void> {
    return this.clock.runUntil(() => this.client.substate === 'live', { limit });
  }

  /** How the line was lost. */
  async lost(): Promise<string> {
    const before = this.reasons.length;
    await this.clock.runUntil(() => this.reasons.length > before);
    const { code, message } = this.reasons.at(-1) as Reason;
    return `${code.slice('NINJA_'.length)} ${message}`;
  }

  get texts(): string[] {
    return this.heard.map(({ text }) => text);
  }

  private note(message: Buffer): void {
    this.heard.push({ at: this.clock.now(), text: `${message}` });
  }
}

async function open(link?: Partial<NetworkOptions>): Promise<World> {
  const world = new World(link);
  await world.serve();
  await world.dial().live();
  return world;
}

describe('how bytes travel, as connect() and listen() see it', () => {
  test('latency', async () => {
    const world = new World({ latencyMs: 100 });
    await world.serve();
    await world.clock.runUntil(world.dial().client.connected());
    expect(world.clock.now()).toBe(200);
  });

  test('bandwidth', async () => {
    const { clock, client, heard } = await open({ bytesPerSecond: 10_000 });
    const from = clock.now();
    client.send(Buffer.alloc(20_000));
    await clock.runUntil(() => heard.length > 0);
    expect(clock.now() - from).toBeGreaterThan(2000);
    expect(clock.now() - from).toBeLessThan(2100);
  });

  test.each(['bytes', 'random'] as const)('re-cutting of the stream: %s', async (cut) => {
    const world = await open({ cut, seed: 3, jitterMs: 5 });
    const words = ['a', 'bc'.repeat(100), 'd'.repeat(500)];
    for (const word of words) world.client.send(word);
    await world.clock.runUntil(() => world.heard.length === 3);
    expect(world.texts).toEqual(words);
  });

  test('clog, then burst', async () => {
    const { clock, network, peer, heard } = await open();
    network.cut();
    for (let n = 0; n < 10; n += 1) {
      peer.send(`${n}`);
      await clock.advance(200);
    }
    expect(heard).toEqual([]);
    network.heal();
    await clock.advance(5);
    expect(heard.map(({ text }) => text).join('')).toBe('0123456789');
    expect(new Set(heard.map(({ at }) => at)).size).toBe(1);
  });
});

/** A fault of an open line, what the client says of it, and how it is taken back. */
const losses: readonly [string, (world: World) => unknown, string, ((world: World) => unknown)?][] = [
  ['cut, silently', ({ network }) => network.cut(), 'STALE no byte for 3000 ms'],
  ['cut, one way', ({ network }) => network.cut({ from: 'server', to: 'client' }), 'STALE no byte for 3000 ms'],
  ['reset', ({ network }) => network.resetAll(), 'RESET read ECONNRESET'],
  ['FIN', ({ peer }) => peer.close(), 'CLOSED_BY_PEER the other side closed the line'],
  ['a process frozen', ({ server }) => server.freeze(), 'STALE no byte for 3000 ms', ({ server }) => server.thaw()],
  ['a process crashed', ({ server }) => server.crash(), 'RESET read ECONNRESET', (world) => world.serve()],
  [
    'half-open: the other end is gone, and could not say so',
    ({ network, server }) => {
      network.cut();
      server.crash();
      network.heal();
    },
    'RESET read ECONNRESET',
    (world) => world.serve(),
  ],
];

describe('a line that is lost', () => {
  test.each(losses)('%s', async (_, fault, said, restore) => {
    const world = await open();
    void fault(world);
    expect(await world.lost()).toBe(said);
    world.network.heal();
    await restore?.(world);
    await world.live();
    expect(world.client.epoch).toBeGreaterThanOrEqual(2);
  });

  test('cut, one way: the other way goes on', async () => {
    const world = await open();
    world.network.cut({ from: 'server', to: 'client' });
    world.client.send('still heard');
    await world.clock.advance(100);
    expect(world.texts).toEqual(['still heard']);
  });

  test('stall: accepted, and never read', async () => {
    const world = await open({ windowBytes: 1000 });
    world.server.stall();
    world.client.send(Buffer.alloc(5000));
    await world.clock.advance(29_000);
    expect(world.client.substate).toBe('live');
    expect(world.client.stats().pending.bytes).toBeGreaterThan(0);
    world.server.stall(false);
    await world.clock.advance(100);
    expect([world.heard.length, world.client.stats().pending.bytes]).toEqual([1, 0]);
  });

  test('stall, for longer than writeStallTimeout: the line is dropped', async () => {
    const world = await open({ windowBytes: 1000 });
    world.server.stall();
    world.client.send(Buffer.alloc(5000));
    await world.clock.runUntil(() => world.client.state !== 'connected');
    expect(world.client.reason?.code).toBe('NINJA_WRITE_STALL');
  });
});

/** A fault that meets dials, what the client says of it, and how it is taken back. */
const refusals: readonly [string, (world: World, on: boolean) => unknown, string][] = [
  ['refuse', ({ server }, on) => server.refuse(on), 'CONNECT_FAILED connect ECONNREFUSED 127.0.0.1:7'],
  ['accept and drop', ({ server }, on) => server.acceptAndDrop(on), 'RESET read ECONNRESET'],
  ['a black hole', ({ server }, on) => server.blackhole(on), 'CONNECT_TIMEOUT not connected within 5000 ms'],
  [
    'DNS failure',
    ({ network }, on) => network.setName('server', on ? undefined : 'server'),
    'CONNECT_FAILED getaddrinfo ENOTFOUND server',
  ],
];

describe('a line that does not come about', () => {
  test.each(refusals)('%s', async (_, fault, said) => {
    const world = new World();
    await world.serve();
    fault(world, true);
    expect(await world.dial().lost()).toBe(said);
    fault(world, false);
    await world.live();
  });
});

test('each of them can stand in a script', async () => {
  const world = new World();
  const { clock, network, server } = world;
  const script = createScript()
    .heartbeats()
    .call(() => network.cut({ to: 'server' }))
    .call(() => network.heal())
    .wait(100)
    .call(() => server.freeze())
    .listen({ environment: server.environment(), port: 7 });
  expect(await world.dial().lost()).toBe('STALE no byte for 3000 ms');
  server.thaw();
  await clock.runUntil(script.done());
  await world.client.dispose();
  script.close();
});

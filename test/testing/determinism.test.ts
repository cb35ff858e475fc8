import { expect, test } from 'vitest';
import { createNetwork, createRandom, createVirtualClock } from '../../src/testing/index.js';
import { dial, listen, type Owner, written } from './peers.js';

/** Half a virtual minute of talk and faults, all drawn from one seed. */
async function run(seed: number): Promise<readonly string[]> {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, seed, cut: 'random', jitterMs: 5, windowBytes: 300, trace: true });
  const chance = createRandom(seed, 'script');
  const server = network.host('server');
  const client = network.host('client');
  const serve = (): void => {
    const echo = listen(server.environment());
    const { accepted } = echo;
    const push = accepted.push.bind(accepted);
    accepted.push = (owner: Owner) => {
      owner.on.chunk = (bytes) => owner.transport.write(bytes, written);
      owner.on.ended = () => owner.transport.end(written);
      return push(owner);
    };
  };
  const talk = (): void => {
    const { clock: view, random } = client.environment();
    const near = dial(client.environment());
    const send = (): void => {
      near.transport.write(Buffer.alloc(1 + Math.floor(random() * 200)), written);
      view.setTimeout(send, random() * 50);
    };
    near.on.opened = send;
    near.on.closed = () => view.setTimeout(talk, random() * 1000);
  };
  const faults: (() => void)[] = [
    () => network.cut(),
    () => network.cut({ from: 'client' }),
    () => network.heal(),
    () => network.heal(),
    () => network.resetAll(),
    () => server.freeze(),
    () => server.thaw(),
    () => clock.block(chance() * 200),
    () => clock.jump({ wallMs: chance() * 1000 }),
    () => {
      server.crash();
      serve();
    },
  ];
  serve();
  talk();
  while (clock.now() < 30_000) {
    await clock.advance(chance() * 1000);
    faults[Math.floor(chance() * faults.length)]?.();
  }
  return network.trace;
}

test('the same seed gives the same trace', async () => {
  const first = await run(42);
  expect(first.length).toBeGreaterThan(500);
  expect(await run(42)).toEqual(first);
});

test('another seed gives another trace', async () => {
  expect(await run(43)).not.toEqual(await run(42));
});

test('a line of the trace says when, where, what, and of which connection', async () => {
  const lines: string[] = [];
  const clock = createVirtualClock();
  const network = createNetwork({ clock, trace: (text) => lines.push(text) });
  listen(network.environment());
  const near = dial(network.environment('client'));
  near.transport.write(Buffer.from('hello'), written);
  await clock.advance(5);
  network.cut({ from: 'client' });
  near.transport.destroy();
  await clock.advance(5);
  expect(lines).toEqual([
    '0 server listen 65432',
    '0 client dial #1> server:65432',
    '0 client write #1> 5',
    '2 client opened #1>',
    '3 server accepted #1<',
    '3 server chunk #1< 5 4f9f2cab',
    '5 network cut client > *',
    '5 client destroy #1>',
    '5 client closed #1>',
  ]);
  expect(network.trace).toEqual([]);
});

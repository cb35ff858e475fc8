import { describe, expect, test } from 'vitest';
import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { dial, line, listen, type Owner, written } from './peers.js';

const say = (owner: Owner, text: string): void => owner.transport.write(Buffer.from(text), written);

describe('cut', () => {
  test('loses everything without a word, what is under way too; heal brings it late and in order', async () => {
    const { clock, network, near, far } = await line({ latencyMs: 10 });
    say(near, 'under way ');
    await clock.advance(5);
    network.cut();
    say(near, 'and ');
    say(far, 'back');
    await clock.advance(60_000);
    expect([near.heard, far.heard]).toEqual([[], []]);
    network.heal();
    say(near, 'after');
    await clock.advance(9);
    expect(far.heard).toEqual([]);
    await clock.advance(1);
    expect([`${near.received}`, `${far.received}`]).toEqual(['back', 'under way and after']);
  });

  test('one way only', async () => {
    const { clock, network, near, far } = await line();
    network.cut({ from: 'server', to: 'client' });
    say(near, 'there');
    say(far, 'back');
    await clock.advance(100);
    expect([`${near.received}`, `${far.received}`]).toEqual(['', 'there']);
    network.heal({ from: 'server', to: 'client' });
    await clock.advance(1);
    expect(`${near.received}`).toBe('back');
  });

  test('one way only: without acknowledgements the writer stops when the window is full', async () => {
    const { clock, network, near, far } = await line({ windowBytes: 100 });
    network.cut({ from: 'localhost' });
    near.transport.write(Buffer.alloc(250), written);
    await clock.advance(100);
    expect([far.received.length, near.transport.pendingBytes]).toEqual([100, 150]);
    network.heal();
    await clock.advance(10);
    expect(far.received.length).toBe(250);
  });

  test('heal of one way leaves the others cut', async () => {
    const { clock, network, near, far } = await line();
    network.cut({ from: 'client' });
    network.cut({ to: 'client' });
    network.heal({ to: 'client' });
    say(near, 'there');
    say(far, 'back');
    await clock.advance(5);
    expect([`${near.received}`, `${far.received}`]).toEqual(['back', '']);
  });

  test('of one host leaves the others alone', async () => {
    const { clock, network, port, near, far } = await line();
    const other = dial(network.environment('other'));
    await clock.runUntil(() => port.accepted.length === 2);
    network.cut({ from: 'client', to: 'server' });
    network.cut({ from: 'other', to: 'client' });
    say(near, 'lost');
    say(other, 'heard');
    await clock.advance(5);
    expect([far.heard, port.accepted[1]?.heard]).toEqual([[], ['chunk 5']]);
  });

  test('refuses names of no host', async () => {
    const { network } = await line();
    expect(() => network.cut({ from: 'cleint' })).toThrow("There is no host 'cleint' in this network");
    expect(() => network.heal({ to: 'cleint' })).toThrow(RangeError);
  });

  test('a dial waits for heal', async () => {
    const { clock, network, client } = await line();
    network.cut();
    const late = dial(client.environment());
    await clock.advance(10_000);
    expect(late.heard).toEqual([]);
    network.heal();
    await clock.advance(2);
    expect(late.heard).toEqual(['opened']);
  });

  test('a dial fails with ETIMEDOUT after 127 s', async () => {
    const { clock, network, client } = await line();
    network.cut();
    const late = dial(client.environment());
    await clock.advance(126_999);
    expect(late.heard).toEqual([]);
    await clock.advance(1);
    expect(late.heard).toEqual(['failed ETIMEDOUT', 'closed']);
  });

  test.each(['destroy', 'reset'] as const)('%s while cut is never heard of, and half a line is left', async (how) => {
    const { clock, network, near, far } = await line();
    network.cut();
    say(near, 'lost for ever');
    await clock.advance(1);
    near.transport[how]();
    await clock.advance(100);
    network.heal();
    await clock.advance(60_000);
    expect([near.heard, far.heard, network.openTransports]).toEqual([['closed'], [], 1]);
    say(far, 'hello?');
    await clock.advance(5);
    expect([far.heard, network.openTransports]).toEqual([['failed ECONNRESET', 'closed'], 0]);
  });

  test('a FIN of the other side meets nobody either', async () => {
    const { clock, network, near, far } = await line();
    network.cut();
    near.transport.destroy();
    network.heal();
    far.transport.end(written);
    await clock.advance(5);
    expect(far.heard).toEqual(['failed ECONNRESET', 'closed']);
  });

  test('a handshake that is cut in the middle leaves nothing behind', async () => {
    const { clock, network, client, port } = await line({ latencyMs: 10 });
    const late = dial(client.environment());
    await clock.advance(15);
    network.cut();
    await clock.advance(100);
    late.transport.destroy();
    network.heal();
    await clock.advance(100);
    expect([late.heard, port.accepted.length, network.openTransports]).toEqual([['closed'], 1, 2]);
  });
});

test('a handshake that is never finished frees its place in the backlog after 63 s', async () => {
  const clock = createVirtualClock();
  const network = createNetwork({ clock });
  listen(network.environment('server'), 65432, undefined, 1);
  dial(network.environment('client'));
  network.cut({ from: 'server', to: 'client' });
  await clock.advance(59_000);
  const other = dial(network.environment('other'));
  await clock.advance(6_900);
  expect(other.heard).toEqual([]);
  await clock.advance(200);
  expect(other.heard).toEqual(['opened']);
});

describe('freeze', () => {
  test('a stopped process hears nothing and its timers wait; others go on', async () => {
    const { clock, client, server, near, far } = await line();
    const fired: string[] = [];
    client.environment().clock.setTimeout(() => fired.push('client'), 10);
    server.environment().clock.setTimeout(() => fired.push('server'), 10);
    client.freeze();
    say(far, 'hello');
    await clock.advance(100);
    expect([client.frozen, fired, near.heard, clock.pending]).toEqual([true, ['server'], [], 1]);
  });

  test('thaw: it polls before its late timers, which see the instant of that poll', async () => {
    const { clock, client, near, far } = await line();
    const view = client.environment().clock;
    const order: string[] = [];
    const start = clock.now();
    near.on.chunk = (bytes) => order.push(`${bytes}, polled ${view.polledAt() - start}`);
    view.setTimeout(() => order.push(`10, polled ${view.polledAt() - start}`), 10);
    view.setTimeout(() => order.push('5'), 5);
    clock.setTimeout(() => client.thaw(), 5000);
    clock.setTimeout(() => order.push('of another'), 5000);
    client.freeze();
    say(far, 'hello');
    await clock.advance(5000);
    expect(order).toEqual(['hello, polled 0', '5', '10, polled 5000', 'of another']);
  });

  test('thaw with nothing to read: late timers see the present all the same', async () => {
    const { clock, client } = await line();
    const view = client.environment().clock;
    let behind = -1;
    view.setTimeout(() => {
      behind = view.now() - view.polledAt();
    }, 10);
    clock.setTimeout(() => client.thaw(), 5000);
    client.freeze();
    await clock.advance(5000);
    expect(behind).toBe(0);
  });

  test('what had arrived and was not read yet waits as well', async () => {
    const { clock, client, near, far } = await line();
    say(far, 'hello');
    clock.block(10);
    client.freeze();
    await clock.advance(10);
    expect(near.heard).toEqual([]);
    client.thaw();
    await clock.advance(0);
    expect(near.heard).toEqual(['chunk 5']);
  });

  test('timers cleared while it was stopped do not fire', async () => {
    const { clock, client } = await line();
    const view = client.environment().clock;
    const timer = view.setTimeout(() => expect.fail('it was cleared'), 10);
    client.freeze();
    await clock.advance(20);
    expect(clock.timers()).toHaveLength(1);
    view.clearTimeout(timer);
    client.thaw();
    await clock.advance(20);
    expect(clock.pending).toBe(0);
  });

  test('its kernel acknowledges up to the window', async () => {
    const { clock, server, near, far } = await line({ windowBytes: 1000 });
    server.freeze();
    const told: number[] = [];
    for (const index of [1, 2]) near.transport.write(Buffer.alloc(600), () => told.push(index));
    await clock.advance(100);
    expect([told, near.transport.pendingBytes, far.heard]).toEqual([[1], 200, []]);
    server.thaw();
    await clock.advance(10);
    expect([told, far.received.length]).toEqual([[1, 2], 1200]);
  });

  test('its kernel opens dials, and accepts them for it until it goes on', async () => {
    const { clock, client, server, port } = await line();
    server.freeze();
    const second = dial(client.environment());
    say(second, 'anybody?');
    await clock.advance(60_000);
    expect([second.heard, port.accepted.length]).toEqual([['opened'], 1]);
    server.thaw();
    await clock.advance(0);
    expect([port.accepted.length, `${port.accepted[1]?.received}`]).toEqual([2, 'anybody?']);
  });

  test('what it had deferred waits', async () => {
    const { clock, client } = await line();
    const order: string[] = [];
    client.environment().clock.defer(() => order.push('deferred'));
    client.freeze();
    await clock.advance(10);
    expect(order).toEqual([]);
    client.thaw();
    await clock.settle();
    expect(order).toEqual(['deferred']);
  });

  test('freezing and thawing twice is once', async () => {
    const { clock, client, near, far } = await line();
    client.freeze();
    client.freeze();
    say(far, 'once');
    await clock.advance(5);
    client.thaw();
    client.thaw();
    await clock.advance(5);
    expect(near.heard).toEqual(['chunk 4']);
  });

  test('frozen again before it could poll, it has polled nothing', async () => {
    const { clock, client, near, far } = await line();
    const view = client.environment().clock;
    const start = clock.now();
    client.freeze();
    await clock.advance(5);
    client.thaw();
    client.freeze();
    say(far, 'x');
    await clock.advance(5);
    client.thaw();
    near.on.chunk = () => expect(view.polledAt() - start).toBe(0);
    await clock.advance(5);
    expect([near.heard, view.polledAt() - start]).toEqual([['chunk 1'], 15]);
  });

  test('a timer is one timer, whether it waits or not', async () => {
    const { clock, client } = await line();
    const due = clock.now() + 10;
    client.environment().clock.setTimeout(() => {}, 10);
    client.freeze();
    await clock.advance(20);
    expect(clock.timers()).toEqual([due]);
    client.thaw();
    expect(clock.timers()).toEqual([due]);
  });
});

describe('crash', () => {
  test('resets its connections, frees its ports, and nothing of it runs again', async () => {
    const { clock, network, client, server, near, far } = await line();
    const old = server.environment();
    old.clock.setTimeout(() => expect.fail('a dead timer'), 10);
    old.clock.defer(() => expect.fail('a dead job'));
    say(near, 'too late');
    server.crash();
    await clock.advance(100);
    expect([near.heard, far.heard, clock.pending]).toEqual([['failed ECONNRESET', 'closed'], [], 0]);
    expect([dial(client.environment()).heard, network.openTransports]).toEqual([[], 1]);
    await clock.advance(100);
    expect(network.openTransports).toBe(0);
  });

  test('of a stopped process leaves no transport behind that was closed and did not hear of it', async () => {
    const { clock, network, server, far } = await line();
    server.freeze();
    far.transport.reset();
    server.crash();
    await clock.advance(100);
    expect([far.heard, network.openTransports]).toEqual([[], 0]);
  });

  test('what dead code still calls has no effect', async () => {
    const { clock, network, server, far } = await line();
    const old = server.environment();
    server.crash();
    say(far, 'from beyond');
    far.transport.end(written);
    far.transport.destroy();
    dial(old);
    listen(old).acceptor.close();
    old.clock.setTimeout(() => expect.fail('a dead timer'), 10);
    old.clock.defer(() => expect.fail('a dead job'));
    await clock.advance(100);
    expect([far.heard, network.openTransports, clock.pending]).toEqual([[], 0, 0]);
  });

  test('a new environment is that of a restarted process', async () => {
    const { clock, client, server } = await line();
    const old = server.environment();
    server.crash();
    const fresh = server.environment();
    expect(fresh).not.toBe(old);
    expect(fresh.random()).not.toBe(old.random());
    const port = listen(fresh);
    const near = dial(client.environment());
    await clock.advance(5);
    expect([near.heard, port.accepted.length]).toEqual([['opened'], 1]);
  });

  test('a stopped process can be killed', async () => {
    const { clock, server, near } = await line();
    server.freeze();
    server.environment().clock.setTimeout(() => expect.fail('a dead timer'), 1);
    say(near, 'hello');
    await clock.advance(5);
    server.crash();
    await clock.advance(5);
    expect([server.frozen, near.heard, clock.pending]).toEqual([false, ['failed ECONNRESET', 'closed'], 0]);
  });

  test('behind a cut nobody hears of it', async () => {
    const { clock, network, server, near } = await line();
    network.cut();
    server.crash();
    network.heal();
    await clock.advance(1000);
    expect(near.heard).toEqual([]);
    say(near, 'hello?');
    await clock.advance(5);
    expect(near.heard).toEqual(['failed ECONNRESET', 'closed']);
  });
});

// What a new dial hears, and what the listener sees of it, under each fault of a host; then without it.
describe('faults of a listening host', () => {
  const cases: [string, string[], number][] = [
    ['refuse', ['failed ECONNREFUSED', 'closed'], 0],
    ['acceptAndDrop', ['opened', 'ended'], 0],
    ['stall', ['opened'], 1],
    ['blackhole', [], 0],
  ];
  test.each(cases)('%s', async (fault, heard, accepted) => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock });
    const server = network.host();
    const port = listen(server.environment());
    await clock.advance(0);
    const faults = server as unknown as Record<string, (on?: boolean) => void>;
    faults[fault]?.();
    const near = dial(network.environment('client'));
    await clock.advance(10);
    expect([near.heard, port.accepted.length]).toEqual([heard, accepted]);
    faults[fault]?.(false);
    const next = dial(network.environment('client'));
    await clock.advance(10);
    expect([next.heard, port.accepted.length]).toEqual([['opened'], accepted + 1]);
  });

  test('refuse: open connections live on', async () => {
    const { clock, server, near, far } = await line();
    server.refuse();
    say(near, 'hello');
    await clock.advance(5);
    expect(far.heard).toEqual(['chunk 5']);
  });

  test('acceptAndDrop: what is said to it is answered by a RST', async () => {
    const { clock, network, client, server } = await line();
    server.acceptAndDrop();
    const near = dial(client.environment());
    say(near, 'hello');
    await clock.advance(10);
    expect([near.heard, network.openTransports]).toEqual([['opened', 'failed ECONNRESET', 'closed'], 2]);
  });

  test('stall: it writes but does not read, until it is over', async () => {
    const { clock, server, near, far } = await line({ windowBytes: 10 });
    server.stall();
    near.transport.write(Buffer.alloc(30), written);
    say(far, 'talking');
    await clock.advance(1000);
    expect([`${near.received}`, far.heard, near.transport.pendingBytes]).toEqual(['talking', [], 20]);
    server.stall(false);
    await clock.advance(100);
    expect(far.received.length).toBe(30);
  });

  test('blackhole: dials are tried again after 1, 2, 4 s, and fail after 127 s', async () => {
    const { clock, client, server } = await line();
    server.blackhole();
    const first = dial(client.environment());
    await clock.advance(3500);
    server.blackhole(false);
    await clock.advance(3400);
    expect(first.heard).toEqual([]);
    await clock.advance(200);
    expect(first.heard).toEqual(['opened']);
    server.blackhole();
    const second = dial(client.environment());
    await clock.advance(127_000);
    expect(second.heard).toEqual(['failed ETIMEDOUT', 'closed']);
  });
});

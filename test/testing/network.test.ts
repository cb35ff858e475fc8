import { describe, expect, test } from 'vitest';
import type { DialTarget } from '../../src/environment.js';
import { createNetwork, createVirtualClock } from '../../src/testing/index.js';
import { dial, line, listen, own, written } from './peers.js';

const setUp = (latencyMs = 1) => {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, latencyMs });
  return { clock, network, client: network.environment('client'), server: network.environment('server') };
};

describe('dialing', () => {
  test('opens after one round trip; the other side accepts half a round trip later', async () => {
    const { clock, network, client, server } = setUp(10);
    const port = listen(server);
    let openedAt = -1;
    const near = dial(client, 65432, 'server', { opened: () => (openedAt = clock.now()) });
    expect(near.heard).toEqual([]);
    await clock.runUntil(() => port.accepted.length === 1);
    expect([openedAt, clock.now(), near.heard, port.heard]).toEqual([20, 30, ['opened'], ['listening']]);
    expect(network.openTransports).toBe(2);
  });

  test('gives both ends their addresses', async () => {
    const { clock, client, server } = setUp();
    const port = listen(server);
    const { transport } = dial(client);
    await clock.advance(5);
    const far = port.accepted[0]?.transport;
    expect(transport).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: 65432, localAddress: '10.0.0.2' });
    expect(far).toMatchObject({ remoteAddress: '10.0.0.2', remotePort: transport.localPort, localPort: 65432 });
  });

  test.each(['server', 'localhost', '127.0.0.1', '::1'])('%s is the default host', async (host) => {
    const { clock, client, network } = setUp();
    const port = listen(network.environment());
    dial(client, 65432, host);
    await clock.advance(5);
    expect(port.accepted).toHaveLength(1);
  });

  test('reaches another host by name and by address', async () => {
    const { clock, client, network } = setUp();
    const backup = network.host('backup');
    const port = listen(backup.environment());
    dial(client, 65432, 'backup');
    dial(client, 65432, backup.address);
    await clock.advance(5);
    expect([backup.address, port.accepted.length]).toEqual(['10.0.0.3', 2]);
  });

  test.each([
    [
      'a port where nobody listens',
      '127.0.0.1',
      {
        code: 'ECONNREFUSED',
        message: 'connect ECONNREFUSED 127.0.0.1:65432',
        syscall: 'connect',
        errno: -111,
        address: '127.0.0.1',
        port: 65432,
      },
      2,
    ],
    [
      'an unknown name',
      'nowhere',
      {
        code: 'ENOTFOUND',
        message: 'getaddrinfo ENOTFOUND nowhere',
        syscall: 'getaddrinfo',
        errno: -3008,
        hostname: 'nowhere',
      },
      0,
    ],
    [
      'an unknown address',
      '10.9.9.9',
      { code: 'EHOSTUNREACH', message: 'connect EHOSTUNREACH 10.9.9.9:65432', syscall: 'connect' },
      2,
    ],
  ])('fails at %s, in the words of Node', async (_, host, error, afterMs) => {
    const { clock, client, network } = setUp();
    const near = dial(client, 65432, host);
    near.transport.write(Buffer.from('x'), (problem) => near.heard.push(`written ${problem?.message}`));
    await clock.runUntil(() => near.heard.includes('closed'));
    expect(near.errors[0]).toMatchObject(error);
    expect(near.heard).toEqual([`failed ${error.code}`, `written ${error.message}`, 'closed']);
    expect([clock.now(), network.openTransports]).toEqual([afterMs, 0]);
  });

  test('looks names up afresh each time', async () => {
    const { clock, client, server, network } = setUp();
    const port = listen(server);
    const before = dial(client, 65432, 'db');
    await clock.advance(5);
    network.setName('db', 'server');
    const with_ = dial(client, 65432, 'db');
    await clock.advance(5);
    network.setName('db', undefined);
    const after = dial(client, 65432, 'db');
    await clock.advance(5);
    expect([before.heard[0], with_.heard[0], after.heard[0]]).toEqual([
      'failed ENOTFOUND',
      'opened',
      'failed ENOTFOUND',
    ]);
    expect(port.accepted).toHaveLength(1);
  });

  const answers: [string, unknown[], string][] = [
    ['one address', [null, '127.0.0.1', 4], 'opened'],
    ['several', [null, [{ address: '127.0.0.1', family: 4 }]], 'opened'],
    ['an error', [Object.assign(new Error('no'), { code: 'EAI_AGAIN' })], 'failed EAI_AGAIN'],
  ];
  test.each(answers)("asks the user's own lookup, which answers with %s", async (_, answer, heard) => {
    const { clock, client, server } = setUp();
    listen(server);
    const asked: string[] = [];
    const lookup: DialTarget['lookup'] = (hostname, _options, callback) => {
      asked.push(hostname);
      (callback as (...values: unknown[]) => void)(...answer);
    };
    const near = own(client.dial({ host: 'db.example', port: 65432, noDelay: true, lookup }));
    await clock.advance(5);
    expect([asked, near.heard[0]]).toEqual([['db.example'], heard]);
  });

  test('can be given up: no handler is called but closed, and the other side hears nothing', async () => {
    const { clock, client, server, network } = setUp(10);
    const port = listen(server);
    for (const waitMs of [0, 5, 15]) {
      const near = dial(client);
      await clock.advance(waitMs);
      near.transport.destroy();
      await clock.advance(100);
      expect(near.heard).toEqual(['closed']);
    }
    expect([port.accepted, network.openTransports]).toEqual([[], 0]);
  });

  test('holds what is written before it opened', async () => {
    const { clock, client, server } = setUp();
    const port = listen(server);
    const near = dial(client);
    near.transport.write(Buffer.from('early'), () => near.heard.push('written'));
    expect(near.transport.pendingBytes).toBe(5);
    await clock.advance(5);
    expect([near.heard, `${port.accepted[0]?.received}`]).toEqual([['opened', 'written'], 'early']);
  });
});

describe('listening', () => {
  test('says where, and chooses a port for 0', async () => {
    const { clock, server } = setUp();
    const named = listen(server, 0, 'server');
    const any = listen(server, 0);
    await clock.advance(0);
    expect(named.address).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });
    expect(any.address).toMatchObject({ address: '::', family: 'IPv6' });
    expect(named.address?.port).toBeGreaterThan(1023);
    expect(any.address?.port).not.toBe(named.address?.port);
  });

  test('fails where somebody listens, in the words of Node, until that one closes', async () => {
    const { clock, server } = setUp();
    const first = listen(server);
    const second = listen(server, 65432, '127.0.0.1');
    await clock.advance(0);
    expect(second.heard).toEqual(['failed EADDRINUSE']);
    expect(second.error?.message).toBe('listen EADDRINUSE: address already in use 127.0.0.1:65432');
    first.acceptor.close();
    const third = listen(server);
    await clock.advance(0);
    expect([first.heard, third.heard]).toEqual([['listening'], ['listening']]);
  });

  test("fails for another host's address", async () => {
    const { clock, client } = setUp();
    const port = listen(client, 65432, 'server');
    const own = listen(client, 65432, '127.0.0.1');
    await clock.advance(0);
    expect([port.heard, own.heard]).toEqual([['failed EADDRNOTAVAIL'], ['listening']]);
  });

  test('close: what was accepted lives on, what was not is reset, and dials are refused', async () => {
    const { clock, client, server, network } = setUp();
    const port = listen(server);
    const first = dial(client);
    await clock.advance(5);
    network.host('server').freeze();
    const waiting = dial(client);
    await clock.advance(5);
    network.host('server').thaw();
    port.acceptor.close();
    const late = dial(client);
    await clock.advance(5);
    expect([first.heard, waiting.heard, late.heard[0]]).toEqual([
      ['opened'],
      ['opened', 'failed ECONNRESET', 'closed'],
      'failed ECONNREFUSED',
    ]);
    first.transport.write(Buffer.from('still here'), written);
    await clock.advance(5);
    expect([`${port.accepted[0]?.received}`, port.accepted.length]).toEqual(['still here', 1]);
  });

  test('a full backlog does not answer; the dialer knocks again', async () => {
    const { clock, client, server, network } = setUp();
    const port = listen(server, 65432, undefined, 2);
    await clock.advance(0);
    network.host('server').freeze();
    const dials = [dial(client), dial(client), dial(client)];
    await clock.advance(500);
    expect(dials.map((near) => near.heard)).toEqual([['opened'], ['opened'], []]);
    network.host('server').thaw();
    await clock.advance(600);
    expect([dials[2]?.heard, port.accepted.length]).toEqual([['opened'], 3]);
  });

  test('an accepted transport may be thrown away without being attached', async () => {
    const { clock, client, server, network } = setUp();
    server.listen(
      { port: 1, noDelay: true },
      { listening() {}, accepted: (transport) => transport.destroy(), failed() {} },
    );
    const near = dial(client, 1);
    near.on.ended = () => near.transport.end(written);
    await clock.advance(5);
    expect([near.heard, network.openTransports]).toEqual([['opened', 'ended', 'closed'], 0]);
  });
});

describe('the environment', () => {
  test('is the same for the same process', () => {
    const { network, client } = setUp();
    expect(network.environment('client')).toBe(client);
    expect(network.host('client').environment()).toBe(client);
    expect(network.environment('localhost')).toBe(network.environment());
  });

  test('draws from the seed, each host for itself', () => {
    const draw = (seed: number, host: string): number[] => {
      const { random } = createNetwork({ clock: createVirtualClock(), seed }).environment(host);
      return [random(), random(), random()];
    };
    expect(draw(1, 'a')).toEqual(draw(1, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'));
    for (const drawn of draw(1, 'a')) expect(drawn >= 0 && drawn < 1).toBe(true);
  });

  test('collects warnings', () => {
    const { network, client } = setUp();
    client.warn(new Error('nobody wanted to hear this'));
    expect(network.warnings.map((error) => error.message)).toEqual(['nobody wanted to hear this']);
  });

  test.each([
    { latencyMs: -1 },
    { latencyMs: Number.NaN },
    { jitterMs: -1 },
    { chunkSize: 0 },
    { windowBytes: 0 },
    { bytesPerSecond: 0 },
  ])('refuses %o', (options) => {
    expect(() => createNetwork({ clock: createVirtualClock(), ...options })).toThrow(RangeError);
  });

  test('refuses a clock of another kind', () => {
    const clock = { now: () => 0 } as never;
    expect(() => createNetwork({ clock })).toThrow('`clock` must come from createVirtualClock()');
  });
});

describe('all calls come from the event loop', () => {
  test('none from inside a call on a transport', async () => {
    const { clock, near, far } = await line();
    far.transport.write(Buffer.from('bytes'), written);
    near.transport.pause();
    await clock.advance(5);
    let inside = false;
    const never = (): void => expect(inside).toBe(false);
    Object.assign(near.on, { chunk: never, ended: never, failed: never, closed: never });
    const calls: (() => void)[] = [
      () => near.transport.resume(),
      () => near.transport.write(Buffer.from('x'), never),
      () => near.transport.end(never),
      () => near.transport.destroy(),
      () => near.transport.reset(),
      () => near.transport.write(Buffer.from('x'), never),
    ];
    for (const call of calls) {
      inside = true;
      call();
      inside = false;
    }
    await clock.advance(5);
    expect(near.heard.at(-1)).toBe('closed');
  });

  test('a second owner hears from then on, and the first no more', async () => {
    const { clock, near, far } = await line();
    far.transport.write(Buffer.from('first'), written);
    await clock.advance(5);
    const heard = [...near.heard];
    const second = own(near.transport);
    far.transport.write(Buffer.from('second'), written);
    await clock.advance(5);
    expect([near.transport.passesOn, near.heard, second.heard]).toEqual([true, heard, ['chunk 6']]);
  });
});

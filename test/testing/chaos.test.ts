import { describe, expect, test } from 'vitest';
import { connect, listen } from '../../src/index.js';
import {
  type ChaosFault,
  type ChaosOptions,
  createChaos,
  createNetwork,
  createVirtualClock,
} from '../../src/testing/index.js';

function world(seed = 1) {
  const clock = createVirtualClock();
  const network = createNetwork({ clock, seed, trace: true });
  return { clock, network };
}

/** Draws, and gives the words. */
const drawn = (options: Partial<ChaosOptions>) => createChaos({ ...world(), ...options }).words.split('\n');

describe('faults drawn from a seed', () => {
  test('the same seed, the same faults; another seed, others', () => {
    expect(drawn({ seed: 5 })).toEqual(drawn({ seed: 5 }));
    expect(drawn({ seed: 5 })).not.toEqual(drawn({ seed: 6 }));
    expect(drawn({ seed: 5 })).toHaveLength(10);
  });

  test('in words', () => {
    expect(drawn({ seed: 6, faults: 4 })).toEqual([
      '2494 ms: resetAll',
      '20361 ms: freeze client, for 5032 ms',
      '22505 ms: cut from server to *, for 729 ms',
      '42939 ms: stall client, for 7061 ms',
    ]);
  });

  const kinds: [ChaosFault, RegExp[]][] = [
    ['cut', [/network cut/, /network heal/]],
    ['resetAll', [/network resetAll/]],
    ['freeze', [/(server|client) freeze/, /(server|client) thaw/]],
    ['crash', [/server crash/]],
    ['refuse', [/server refuse true/, /server refuse false/]],
    ['acceptAndDrop', [/server acceptAndDrop true/, /server acceptAndDrop false/]],
    ['stall', [/(server|client) stall true/, /(server|client) stall false/]],
    ['blackhole', [/server blackhole true/, /server blackhole false/]],
  ];

  test.each(kinds)('%s happens, in its time, and is taken back', async (kind, lines) => {
    const { clock, network } = world();
    let restarts = 0;
    const restart = () => {
      restarts += 1;
    };
    const chaos = createChaos({ clock, network, kinds: [kind], faults: 1, restart });
    await clock.runUntil(chaos.done());
    const [fault] = chaos.faults;
    expect(network.trace).toHaveLength(lines.length);
    for (const [at, line] of lines.entries()) expect(network.trace[at]).toMatch(line);
    expect(network.trace[0]?.split(' ')[0]).toBe(`${fault?.from}`);
    if (lines.length > 1) expect(network.trace[1]?.split(' ')[0]).toBe(`${fault?.to}`);
    expect([restarts, clock.pending]).toEqual([kind === 'crash' ? 1 : 0, 0]);
  });

  test('setName: the name is not known for a while', async () => {
    const { clock, network } = world();
    const chaos = createChaos({ clock, network, seed: 2, kinds: ['setName'], faults: 1 });
    expect(chaos.words).toBe('10509 ms: setName server, for 3962 ms');
    const app = connect({ host: 'server', port: 7, environment: network.environment('client'), backoff: () => 100 });
    const reasons = new Set<string>();
    app.on('disconnected', ({ reason }) => reasons.add(reason.message));
    await clock.advance(10_520);
    reasons.clear();
    await clock.advance(1000);
    expect([...reasons]).toEqual(['getaddrinfo ENOTFOUND server']);
    await clock.runUntil(chaos.done());
    reasons.clear();
    await clock.advance(1000);
    expect([...reasons]).toEqual(['connect ECONNREFUSED 127.0.0.1:7']);
    await app.dispose();
  });

  test('a fault that is drawn twice ends when both have ended', async () => {
    const { clock, network } = world();
    const chaos = createChaos({ clock, network, kinds: ['freeze'], hosts: ['server'], faults: 30, forMs: 20_000 });
    for (const { from, to } of chaos.faults) {
      await clock.runUntil(() => clock.now() >= from);
      await clock.advance(0);
      expect(network.host().frozen).toBe(to > clock.now());
    }
    await clock.runUntil(chaos.done());
    expect(network.host().frozen).toBe(false);
  });

  test('what restart throws is what done() rejects with', async () => {
    const { clock, network } = world();
    const restart = () => Promise.reject(new Error('no restart'));
    const chaos = createChaos({ clock, network, kinds: ['crash'], faults: 2, restart });
    await expect(clock.runUntil(chaos.done())).rejects.toThrow('no restart');
  });

  test('what is out of bounds is refused', () => {
    expect(() => drawn({ forMs: 0 })).toThrow('forMs: a whole number from 1, not 0');
    expect(() => drawn({ faults: 1.5 })).toThrow('faults: a whole number from 0, not 1.5');
    expect(() => drawn({ longestMs: Number.NaN })).toThrow('longestMs: a whole number from 1, not NaN');
    expect(() => drawn({ kinds: [] })).toThrow('kinds: at least one');
    expect(() => drawn({ kinds: ['crash'] })).toThrow('kinds: `crash` needs `restart`');
  });
});

describe('with the library', () => {
  test.each(Array.from({ length: 20 }, (_, seed) => seed))(
    'seed %i: the line comes back; nothing is doubled, or out of order on its line',
    async (seed) => {
      const { clock, network } = world(seed);
      const heard: { readonly line: string; readonly number: number }[] = [];
      const serve = () =>
        listen({ port: 7, environment: network.environment('server') }, (peer) => {
          const line = `${peer.remotePort}`;
          peer.on('message', (message) => heard.push({ line, number: Number(`${message}`) }));
        });
      await clock.runUntil(serve());
      const app = connect({ host: 'server', port: 7, environment: network.environment('client') });
      const chaos = createChaos({ clock, network, seed, restart: serve });
      let sent = 0;
      const over = chaos.done();
      let isOver = false;
      void over.then(() => {
        isOver = true;
      });
      while (!isOver) {
        app.send(`${++sent}`);
        await clock.advance(500);
      }
      await clock.runUntil(app.connected({ proven: true }), { limit: 60_000 });
      app.send(`${++sent}`);
      await clock.runUntil(() => heard.at(-1)?.number === sent, { limit: 30_000 });
      expect(new Set(heard.map(({ number }) => number)).size, chaos.words).toBe(heard.length);
      for (const line of new Set(heard.map((one) => one.line))) {
        const numbers = heard.filter((one) => one.line === line).map(({ number }) => number);
        expect(numbers, chaos.words).toEqual(numbers.toSorted((a, b) => a - b));
      }
      await app.dispose();
    },
  );
});

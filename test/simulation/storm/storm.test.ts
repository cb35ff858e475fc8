/** The default backoff keeps what it was chosen for; and the model that says so is right where it can be reckoned by hand. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { connect, listen } from '../../../src/index.js';
import { createNetwork, createRandom, createVirtualClock } from '../../../src/testing/index.js';
import { candidates, grpc, nats, ours, type Policy } from './candidates.js';
import { alone, lasts, targets, together, tradeOff } from './report.js';
import { storm } from './storm.js';
import { percentile, Tally } from './tally.js';
import { Timeline } from './timeline.js';
import { DOUBLING, type Kind, LINEAR, ORDINARY, type Outage, outage, type World } from './world.js';

/** A packet takes 5 ms, none is lost, the process takes a socket in 1 ms. */
const plain: World = { ...ORDINARY, clients: 1, outages: [], roundTrip: [10, 10], loss: 0, heartbeatInterval: 0 };

/** Every client waits as long as its row says, whatever happened; the last row is for all further clients. */
function waits(...rows: number[]): Policy {
  let client = 0;
  return {
    name: `${rows} ms`,
    pause() {
      const wait = rows[Math.min(client, rows.length - 1)] as number;
      client += 1;
      return () => wait;
    },
  };
}

/** Notes what a policy is asked, and what it says. */
function listening(to: Policy, heard: (failures: number, lasted: number, wait: number) => void): Policy {
  return {
    name: to.name,
    pause(random) {
      const pause = to.pause(random);
      return (failures, lasted) => {
        const wait = pause(failures, lasted);
        heard(failures, lasted, wait);
        return wait;
      };
    },
  };
}

const healed = (tally: Tally): number[] =>
  Array.from({ length: tally.world.clients }, (_, index) => tally.percentile((index + 1) / tally.world.clients));

describe('the default backoff', { timeout: 120_000 }, () => {
  const seeds = [1, 2, 3];

  test.each(seeds)('one client, outage of 1 s: half of all tries heal within 250 ms (seed %d)', (seed) => {
    for (const length of [lasts.second, lasts.aboutASecond]) {
      expect(percentile(alone(ours, seed, 6000, length), 0.5)).toBeLessThan(targets.oneMedian);
    }
  });

  const kinds: Kind[] = ['refused', 'dropped', 'silent'];
  const kernels = { 'each twice as late as the one before': DOUBLING, 'each a second later': LINEAR };
  const rows = kinds.flatMap((kind) =>
    Object.entries(kernels).flatMap(([name, again]) => seeds.map((seed) => ({ kind, name, again, seed }))),
  );
  test.each(rows)('5,000 clients, 10 s $kind, SYNs $name (seed $seed)', ({ kind, again, seed }) => {
    const tally = together(ours, seed, kind, 10_000, { again });
    expect(tally.percentile(0.99)).toBeLessThanOrEqual(targets.manyP99);
    expect(tally.peakUp).toBeLessThanOrEqual(targets.peak);
  });

  test('fills no backlog after 10 s and 30 s in which it was refused', () => {
    for (const length of [10_000, 30_000]) expect(together(ours, 1, 'refused', length).overflowed).toBe(0);
  });

  test('a backlog that takes longer to work off than clients wait for a first byte is worse than a short one', () => {
    const allBut = (backlog: number) => together(ours, 1, 'refused', 200, { backlog }).percentile(0.99);
    expect(allBut(2000)).toBeLessThan(allBut(511));
    expect(allBut(4095)).toBeGreaterThan(allBut(511));
  });

  test('is the only candidate that keeps all three', () => {
    const keeps = (policy: Policy): boolean => {
      const tally = together(policy, 1, 'refused', 10_000);
      return (
        tally.percentile(0.99) <= targets.manyP99 &&
        tally.peakUp <= targets.peak &&
        Object.values(lasts).every((length) => percentile(alone(policy, 1, 1000, length), 0.5) < targets.oneMedian)
      );
    };
    expect(candidates.filter(keeps)).toEqual([ours]);
  });

  test('docs/reconnecting.md shows what the simulation says: else run `npm run storm -- --write`', {
    timeout: 120_000,
  }, () => {
    const page = readFileSync(new URL('../../../docs/reconnecting.md', import.meta.url), 'utf8');
    const shown = /<!-- measured: storm -->\n\n([\s\S]*?)\n\n<!-- \/measured -->/.exec(page)?.[1];
    expect(shown).toBe(tradeOff());
  });
});

describe('the model, reckoned by hand', () => {
  const rows: [what: string, world: Partial<World>, policy: Policy, healed: number[], dials: number][] = [
    // FIN at 5. Dial at 65: RST at 75. Dial at 135: SYN 140, open 145, ACK 150, taken 151, first byte 156.
    ['one refusal', { outages: outage('refused', 100) }, waits(60), [56], 2],
    // The SYN leaves while the server is down, and arrives at 70, when it is up again: 65, 70, 75, 80, 81, 86.
    ['a SYN that arrives in time', { outages: outage('refused', 70) }, waits(60), [16], 1],
    // At 65, open at 75, closed at 85: a round trip more than a refusal. Dial at 145.
    ['opened and closed', { outages: outage('dropped', 100) }, waits(60), [66], 2],
    // Stale at 3000. SYNs 3060, 4060, 6060; up at 8060, when the attempt is given up. Dial 8120, again 9120: 9141.
    ['no answer, sent again', { outages: outage('silent', 9000) }, waits(60), [141], 2],
    // SYNs 8120, 9120, and only then 11120.
    ['no answer, sent again twice as late', { outages: outage('silent', 10_000) }, waits(60), [1141], 2],
    // SYNs 8120, 9120, 10120.
    ['no answer, sent again each second', { outages: outage('silent', 10_000), again: LINEAR }, waits(60), [141], 2],
    // Nothing is tried again within 500 ms: 3060 … 3560, 3620 …; the 11th, at 8660, fails at 9160; the 12th at 9220.
    ['an attempt has its time', { outages: outage('silent', 9000), connectTimeout: 500 }, waits(60), [241], 12],
    // One a time, 100 ms each: 80 … 180 … 280 … 380.
    [
      'the process takes one after the other',
      { clients: 3, outages: outage('refused', 50), perSecond: 10 },
      waits(60),
      [135, 235, 335],
      1,
    ],
    // All SYNs at 70, all ACKs at 80: one is taken, two fit. The fourth's bytes fit at 280; the fifth's at 680.
    [
      'an ACK that finds no room: the first bytes bring it again after 200, 400 ms',
      { clients: 5, outages: outage('refused', 50), perSecond: 10, backlog: 1 },
      waits(60),
      [135, 235, 335, 435, 735],
      1,
    ],
    // The fourth's SYN comes at 90, to a full backlog; again at 1090: ACK 1100, taken 1200.
    [
      'a SYN that finds no room is sent again by the kernel',
      { clients: 4, outages: outage('refused', 50), perSecond: 10, backlog: 1 },
      waits(60, 60, 60, 80),
      [135, 235, 335, 1155],
      1,
    ],
    // The same; but given up at 585 and dialled at 665: ACK 680, taken 780.
    [
      'a SYN that finds no room, and an attempt that is given up before it is sent again',
      { clients: 4, outages: outage('refused', 50), perSecond: 10, backlog: 1, connectTimeout: 500 },
      waits(60, 60, 60, 80),
      [135, 235, 335, 735],
      1.25,
    ],
    // The fourth's bytes find no room at 80 and 280, and it is stale at 425. Dial 485, ACK 500, taken 500. At 680 its first
    // socket would have come again, just before the fifth's ACK at 690.
    [
      'a client that gave up says no more on its old socket',
      { clients: 5, outages: outage('refused', 50), perSecond: 10, backlog: 0, staleAfter: 350 },
      waits(60, 60, 60, 60, 670),
      [135, 235, 335, 555, 745],
      1.2,
    ],
    // Two seconds each. The second is open from 75 on, hears nothing, and is stale at 3075; the process does not know, and
    // takes the dead socket from 2080 to 4080. Dial 3135: taken from 4080 to 6080.
    [
      'a client that loses patience leaves its dead socket to the process',
      { clients: 2, outages: outage('refused', 50), perSecond: 0.5 },
      waits(60),
      [2035, 6035],
      1.5,
    ],
    // Dials 15, 35, 55: the first is taken at 70. It dies at 80: all hear it at 85. Dial 95, ACK 110: taken 110, 210, 310.
    [
      'a process that dies takes all open sockets with it',
      { clients: 3, outages: [...outage('refused', 50), { at: 80, lasts: 10, kind: 'refused' }], perSecond: 10 },
      waits(10),
      [125, 225, 325],
      4,
    ],
    // Taken at 151, dead at 153: byte 156, FIN 158. Dial 218: 223, 228, 233, 234, 239.
    [
      'a process that dies when its first byte is under way',
      { outages: [...outage('refused', 100), { at: 153, lasts: 10, kind: 'refused' }] },
      waits(60),
      [76],
      3,
    ],
    // Taken at 151, the byte would arrive at 156. Open since 145, so stale at 3145. SYNs 3205, 4205, 6205.
    [
      'a cable pulled when the first byte is under way',
      { outages: [...outage('refused', 100), { at: 153, lasts: 5000, kind: 'silent' }] },
      waits(60),
      [1073],
      3,
    ],
    // SYN 140, dead from 142 on: the client believes it is open, and its ACK is answered with RST: 150, 155. Dial 215.
    [
      'a process that dies in the middle of a handshake',
      { outages: [...outage('refused', 100), { at: 142, lasts: 20, kind: 'refused' }] },
      waits(60),
      [74],
      3,
    ],
    // The ACK is lost at 150, and with it the first bytes, at 350, 750 and 1550; at 1645 the line is stale. Dial 1705.
    [
      'a cable pulled in the middle of a handshake',
      { outages: [...outage('refused', 100), { at: 142, lasts: 1500, kind: 'silent' }], staleAfter: 1500 },
      waits(60),
      [84],
      3,
    ],
  ];

  test.each(rows)('%s', (_, world, policy, times, dials) => {
    const tally = storm({ ...plain, ...world }, policy, 1);
    expect([healed(tally), tally.dialsEach]).toEqual([times, dials]);
  });

  test('FIN and RST are heard by all at once, a pulled cable over a second: each by the last byte it heard', () => {
    const world = { ...plain, clients: 2000, heartbeatInterval: 1000 };
    expect(storm({ ...world, outages: outage('refused', 9000) }, waits(5000), 1).peakDown).toBe(1);
    // The verdicts lie evenly between 2 and 3 s: a tenth of them in each 100 ms.
    const { peakDown } = storm({ ...world, outages: outage('silent', 9000) }, waits(0), 1);
    expect(peakDown).toBeGreaterThan(0.1);
    expect(peakDown).toBeLessThan(0.13);
  });

  test('a lost packet of the handshake costs a second', () => {
    const tally = storm(
      { ...plain, clients: 10_000, backlog: 1e9, perSecond: 1e9, outages: outage('refused', 50), loss: 0.1 },
      waits(60),
      1,
    );
    const late = healed(tally).filter((time) => time > 1000).length;
    expect(late / 10_000).toBeGreaterThan(0.09);
    expect(late / 10_000).toBeLessThan(0.11);
    expect(tally.percentile(1)).toBeGreaterThan(3000);
  });

  test('a world without end is refused, not waited for', () => {
    const world = { ...plain, outages: outage('refused', 4_000_000) };
    expect(() => storm(world, waits(1000), 1)).toThrow('1000 ms: not healed after 3600000 ms');
  });

  test('silent for less than staleAfter is not modelled', () => {
    expect(() => storm({ ...plain, outages: outage('silent', 2999) }, waits(60), 1)).toThrow(RangeError);
  });
});

describe('failures in a row', () => {
  /** What the policy is asked, where the second outage begins so long after the first byte. */
  const asked = (liveFor: number): number[] => {
    const failures: number[] = [];
    const policy = listening(waits(60), (count) => failures.push(count));
    // As above: the first byte comes at 156. What the server's end says arrives 5 ms after it.
    const again: Outage = { at: 151 + liveFor, lasts: 10, kind: 'refused' };
    storm({ ...plain, outages: [...outage('refused', 100), again] }, policy, 1);
    return failures;
  };

  test.each([
    [500, [1, 2, 3]],
    [2999, [1, 2, 3]],
    [3000, [1, 2, 1]],
  ])('go on when the line was live for %d ms: %j', (liveFor, counts) => {
    expect(asked(liveFor)).toEqual(counts);
  });

  test.each<[Kind, number[]]>([
    ['refused', [Number.POSITIVE_INFINITY, 10]],
    ['dropped', [Number.POSITIVE_INFINITY, 20]],
    ['silent', [Number.POSITIVE_INFINITY, 5000]],
  ])('are told with how long the attempt lasted: %s %j', (kind, lasted) => {
    const told: number[] = [];
    const length = kind === 'silent' ? 9000 : 100;
    storm(
      { ...plain, outages: outage(kind, length) },
      listening(waits(60), (_count, time) => told.push(time)),
      1,
    );
    expect(told).toEqual(lasted);
  });

  test('count what was opened and closed at once', () => {
    const failures: number[] = [];
    storm(
      { ...plain, outages: outage('dropped', 300) },
      listening(waits(60), (count) => failures.push(count)),
      1,
    );
    expect(failures).toEqual([1, 2, 3, 4]);
  });
});

describe('the candidates', () => {
  // The table: failures, how long the attempt lasted, and the pause.
  test.each<[Policy, [failures: number, lasted: number, wait: number][]]>([
    [
      nats,
      [
        [1, 60_000, 0],
        [1, 500, 1575],
        [2, 0, 2075],
        [9, 5000, 0],
      ],
    ],
    [
      grpc,
      [
        [1, 60_000, 0],
        [2, 0, 1000],
        [2, 5000, 0],
        [3, 0, 1760],
        [4, 60, 2756],
        [13, 0, 132_000],
      ],
    ],
    [
      ours,
      [
        [1, 0, 125],
        [3, 5000, 218.75],
      ],
    ],
  ])('$name', (policy, rows) => {
    const pause = policy.pause(() => 0.75);
    for (const [failures, lasted, wait] of rows) expect(pause(failures, lasted)).toBeCloseTo(wait, 6);
  });
});

describe('the real connection', () => {
  /** Failures and pauses of the library itself, on the simulated network. */
  async function real(kind: Kind, length: number) {
    const clock = createVirtualClock({ start: 0 });
    const network = createNetwork({ clock, latencyMs: 5 });
    const host = network.host('server');
    const random = createRandom(7, 'backoff 0');
    const server = await clock.runUntil(listen({ port: 1, environment: host.environment() }, () => {}));
    const environment = { ...network.environment('client'), random };
    const connection = connect({ host: 'server', port: 1, environment });
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(10_000);
    const asked: [number, number][] = [];
    connection.on('disconnected', ({ failures, retryInMs }) => {
      asked.push([failures, Math.round(retryInMs as number)]);
    });
    let upAt = clock.now() + length;
    // Its bytes do not arrive, and SYNs are not answered: the network would keep them for later if all ways were cut.
    if (kind === 'silent') {
      network.cut({ from: 'server' });
      host.blackhole();
      connection.on('stale', ({ silentForMs }) => {
        upAt = clock.now() - silentForMs + length;
      });
      await clock.runUntil(() => asked.length === 1);
    } else {
      if (kind === 'refused') host.refuse();
      else host.acceptAndDrop();
      network.resetAll();
    }
    await clock.advance(upAt - clock.now());
    network.heal();
    host.blackhole(false);
    host.refuse(false);
    host.acceptAndDrop(false);
    await clock.runUntil(connection.connected({ proven: true }));
    const healedAfter = clock.now() - upAt;
    await connection.dispose();
    await clock.runUntil(server.close());
    return { asked, healedAfter };
  }

  test.each<[Kind, number, earlier: number]>([
    // The simulated network's reset is heard at once, not half a round trip later.
    ['refused', 3000, 5],
    ['dropped', 3000, 5],
    ['silent', 12_000, 0],
  ])('%s: fails as often, waits as long, and is back at the same time as the model', async (kind, length, earlier) => {
    const asked: [number, number][] = [];
    const policy = listening(ours, (failures, _lasted, wait) => asked.push([failures, Math.round(wait)]));
    const tally = storm({ ...plain, perSecond: 1e9, outages: outage(kind, length) }, policy, 7);
    const library = await real(kind, length);
    expect(asked.length).toBeGreaterThan(2);
    expect(library.asked).toEqual(asked);
    expect(library.healedAfter + earlier).toBeCloseTo(tally.percentile(1), 1);
  });
});

describe('a tally', () => {
  const world = { ...plain, clients: 4, outages: outage('refused', 1000) };
  const tallied = (...at: number[]): Tally => {
    const tally = new Tally(world);
    for (const time of at) tally.dial(time);
    return tally;
  };

  test('the busiest 100 ms begin anywhere', () => {
    const tally = tallied(1050, 1100, 1140, 1150, 1300);
    expect([tally.dials, tally.dialsEach, tally.peakUp]).toEqual([5, 1.25, 0.75]);
  });

  test('dials while nobody is served are counted by themselves', () => {
    const tally = tallied(10, 20, 30, 40, 50, 899, 1000, 1095);
    expect([tally.peakDown, tally.peakUp]).toEqual([1.25, 0.5]);
  });

  test('a window that lies across the return counts for afterwards', () => {
    const { peakDown, peakUp } = tallied(950, 990, 1010, 1040);
    expect([peakDown, peakUp]).toEqual([0.5, 1]);
  });

  test('percentiles: the least that so many do not exceed, from the return on', () => {
    const tally = tallied();
    tally.healed([1400, 1100, 1300, 1200]);
    expect([0.25, 0.26, 0.5, 0.99, 1].map((share) => tally.percentile(share))).toEqual([100, 200, 200, 400, 400]);
  });
});

describe('the timeline', () => {
  test('does what is due in order of time, at the same time in order of coming', () => {
    const timeline = new Timeline();
    const random = createRandom(1);
    const done: [number, number][] = [];
    for (let put = 0; put < 1000; put += 1) {
      const at = Math.floor(random() * 50);
      timeline.at(at, () => done.push([at, put]));
    }
    timeline.run();
    expect(done).toHaveLength(1000);
    expect(done).toEqual([...done].sort(([a, first], [b, second]) => a - b || first - second));
  });

  test('what is put in meanwhile has its turn; what lies behind is refused', () => {
    const timeline = new Timeline();
    const done: string[] = [];
    timeline.at(10, () => {
      done.push(`${timeline.now}`);
      timeline.at(10, () => done.push('10 too'));
      timeline.at(15, () => done.push('15'));
      expect(() => timeline.at(9, () => {})).toThrow('9 ms is over: it is 10 ms');
    });
    timeline.at(12, () => done.push('12'));
    timeline.run(12);
    expect([done, timeline.left]).toEqual([['10', '10 too', '12'], 1]);
    timeline.run();
    expect(done.at(-1)).toBe('15');
  });
});

test('the same seed gives the same storm, another one another', () => {
  const times = (seed: number) =>
    healed(storm({ ...ORDINARY, clients: 100, outages: outage('refused', 3000) }, ours, seed));
  expect(times(1)).toEqual(times(1));
  expect(times(1)).not.toEqual(times(2));
});

// One way over loopback: throughput, what it costs the processor, and how late the receiver's event loop is.
import { withEnds } from '../processes.mjs';

const counts = {
  16: 4_000_000,
  128: 3_000_000,
  1024: 800_000,
  65536: 20_000,
};
const sizes = { 16: '16 B', 128: '128 B', 1024: '1 KiB', 65536: '64 KiB' };
const WARM = 0.25;

/** One transfer. Throws where anything that arrived is not what was sent. */
export async function transfer(way, size, count, { broker, connections } = {}) {
  return withEnds(async (start) => {
    // Over many connections as much again, so that each of them sends whole turns.
    const warm = connections ? count : Math.max(4, Math.round(WARM * count));
    const job = { size, count, warm, connections };
    if (broker) job.broker = (await start('broker.mjs', broker).next()).port;
    const receiver = start('one-way.mjs', 'receive', way, job);
    const { port } = await receiver.next();
    const sender = start('one-way.mjs', 'send', way, { ...job, port });
    await sender.next();
    const [received] = await Promise.all([receiver.next(), sender.ask({ order: 'go' })]);
    const sent = await sender.ask({ order: 'done' });
    if (received.wrong > 0) throw new Error(`${way}, ${size} B: ${received.wrong} of ${count} are wrong`);
    return {
      rate: count / received.seconds,
      cpu: ((received.cpu + sent.cpu) / count) * 1e6,
      delayUs: Math.max(0, received.delayP99Ms - 1) * 1000,
    };
  });
}

const group = 'One way over loopback';
const unit = 'messages/s';
const peers = [
  { name: 'ws', count: 100_000, aim: { atLeast: 50 } },
  { name: 'nats', count: 200_000, aim: { atLeast: 10 }, broker: 'nats', needs: 'nats-server' },
  { name: 'zeromq', count: 100_000, aim: { atLeast: 30 } },
  { name: 'mqtt', count: 100_000, aim: { atLeast: 30 }, broker: 'mqtt' },
];

const row = (id, what, other, aim, more = {}) => ({ id, group, what, unit, ours: 'ours', other, aim, ...more });
const cost = { unit: 'CPU s per million, both ends' };

export const oneWay = {
  name: 'one-way',
  rows: [
    ...[16, 128, 1024].map((size) => row(`one-way-${size}`, sizes[size], 'reference', { atLeast: 0.9 })),
    row('one-way-65536', '64 KiB', 'raw', { atLeast: 0.95 }),
    row('one-way-each', '16 B', 'each written'),
    row('for-await', '16 B, `for await` instead of a callback', 'ours', { atLeast: 0.35 }, { ours: 'ours for await' }),
    row('batches', '16 B, in batches instead of a callback', 'ours', { atLeast: 0.8 }, { ours: 'ours batches' }),
    ...[16, 128, 1024].map((size) => row(`cpu-${size}`, `${sizes[size]}: CPU`, 'reference', { atMost: 1.15 }, cost)),
    row(
      'loop-delay',
      '1 KiB at full speed: event loop of the receiver, 99 %',
      'raw receiver',
      { atMost: 1.5 },
      {
        unit: 'µs late',
      },
    ),
  ],
  peerRows: peers.map(({ name, aim }) => row(`one-way-16-${name}`, '16 B', name, aim)),
  async round(record, { quick, has, ...options }) {
    const scale = quick ? 0.1 : 1;
    const run = (way, size, count = counts[size]) => transfer(way, size, Math.round(count * scale));
    let ours16;
    for (const size of [16, 128, 1024]) {
      const ours = await run('ours', size);
      const reference = await run('reference', size);
      ours16 ??= ours;
      record(`one-way-${size}`, { ours: ours.rate, reference: reference.rate });
      record(`cpu-${size}`, { ours: ours.cpu, reference: reference.cpu });
    }
    record('one-way-65536', { ours: (await run('ours', 65_536)).rate, raw: (await run('raw', 65_536)).rate });
    record('one-way-each', { ours: ours16.rate, 'each written': (await run('each written', 16, 200_000)).rate });
    record('for-await', { ours: ours16.rate, 'ours for await': (await run('ours for await', 16, 2_000_000)).rate });
    if (has['connection.batches()'])
      record('batches', { ours: ours16.rate, 'ours batches': (await run('ours batches', 16)).rate });
    const late = async (way) => (await run(way, 1024, 1_000_000)).delayUs;
    record('loop-delay', { ours: await late('ours'), 'raw receiver': await late('raw receiver') });
    if (!options.peers) return;
    for (const { name, count, broker, needs } of peers) {
      if (needs && !has[needs]) continue;
      const { rate } = await transfer(name, 16, Math.round(count * scale), { broker });
      record(`one-way-16-${name}`, { ours: ours16.rate, [name]: rate });
    }
  },
};

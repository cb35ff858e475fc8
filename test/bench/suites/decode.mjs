// Decoding in memory, against the hand-written decoder and those of the registry.
import { peerDecoders } from '../peers-decode.mjs';
import { withEnds } from '../processes.mjs';
import { median } from '../statistics.mjs';

const KiB = 1024;
const MiB = 1024 * KiB;
const SLICES = 3;

const scenarios = [
  { id: 'decode-16', what: '16 B, chunks of 64 KiB', size: 16, chunk: 64 * KiB, bytes: 2 * MiB },
  { id: 'decode-128', what: '128 B, chunks of 64 KiB', size: 128, chunk: 64 * KiB, bytes: 4 * MiB },
  { id: 'decode-1024', what: '1 KiB, chunks of 64 KiB', size: KiB, chunk: 64 * KiB, bytes: 8 * MiB },
  { id: 'decode-1460', what: '128 B, chunks of 1460 B', size: 128, chunk: 1460, bytes: 4 * MiB },
  { id: 'decode-random', what: '128 B, random chunks up to 4 KiB', size: 128, chunk: 'random', bytes: 4 * MiB },
  { id: 'decode-large', what: 'a message of 16 MiB, chunks of 1460 B', size: 16 * MiB, chunk: 1460, bytes: 16 * MiB },
  { id: 'decode-bytes', what: '128 B, one byte at a time', size: 128, chunk: 1, bytes: 128 * KiB },
];

/**
 * The rates of several ways, whose slices take turns.
 *
 * @returns messages for each second of the processor, by way
 */
export async function decodeRates(scenario, names, ms) {
  return withEnds(async (start) => {
    const ends = await Promise.all(
      names.map(async (name) => {
        const end = start('decode.mjs', name, { ...scenario, warmMs: ms });
        await end.next();
        return end;
      }),
    );
    const rates = names.map(() => []);
    for (let slice = 0; slice < SLICES; slice += 1) {
      for (const [place, end] of ends.entries()) rates[place].push((await end.ask({ order: 'slice', ms })).rate);
    }
    return Object.fromEntries(names.map((name, place) => [name, median(rates[place])]));
  });
}

const group = 'Decoding in memory';
const unit = 'messages/s of CPU';

export const decode = {
  name: 'decode',
  rows: [
    ...scenarios.map(({ id, what }) => ({
      id,
      group,
      what,
      unit,
      ours: 'ours',
      other: 'reference',
      aim: { atLeast: 0.95 },
    })),
  ],
  peerRows: Object.keys(peerDecoders).map((name) => ({
    id: `decode-16-${name}`,
    group,
    what: '16 B, chunks of 64 KiB',
    unit,
    ours: 'ours',
    other: name,
  })),
  async round(record, { quick, peers }) {
    const ms = quick ? 30 : 60;
    for (const scenario of scenarios) {
      record(scenario.id, await decodeRates(scenario, ['ours', 'reference'], ms));
    }
    if (!peers) return;
    const names = Object.keys(peerDecoders);
    const rates = await decodeRates(scenarios[0], ['ours', ...names], ms);
    for (const name of names) record(`decode-16-${name}`, { ours: rates.ours, [name]: rates[name] });
  },
};

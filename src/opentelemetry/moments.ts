import type { Meter } from '@opentelemetry/api';
import type { StateChange } from '../diagnostics.js';
import { optionsOf } from './census.js';
import { listenTo, listenToTrace, type Undo } from './listening.js';
import type { Names } from './tally.js';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const BYTES = [16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304];

/** The metrics of what happens: reconnects, and how long things took. */
export function countMoments(meter: Meter, names: Names): Undo[] {
  const reconnects = meter.createCounter('ninja_tcp.reconnects', optionsOf('ninja_tcp.reconnects'));
  const seconds = (name: 'ninja_tcp.heal.duration' | 'ninja_tcp.connect.duration') =>
    meter.createHistogram(name, { ...optionsOf(name), advice: { explicitBucketBoundaries: SECONDS } });
  const heals = seconds('ninja_tcp.heal.duration');
  const connects = seconds('ninja_tcp.connect.duration');
  /** Lines that were lost, and when. */
  const lost = new WeakMap<object, { readonly now: number; readonly code: string }>();

  const stepped = (step: StateChange): void => {
    const { kind, source, name, from, to, epoch, now, reason } = step;
    if (kind !== 'connection') return;
    const named = { 'ninja_tcp.name': names.of(name) };
    const code = reason?.code ?? 'NINJA_DISCONNECTED';
    if (to === 'connecting.dialing' && epoch > 1) reconnects.add(1, { ...named, 'error.type': code });
    const wasUp = from === 'connected.live' || from === 'connected.unproven';
    if (wasUp && !to.startsWith('connected.') && !lost.has(source)) lost.set(source, { now, code });
    // Nobody wants it back.
    if (to === 'disconnected.idle' || to === 'disposed') lost.delete(source);
    const loss = lost.get(source);
    if (to !== 'connected.live' || !loss) return;
    lost.delete(source);
    heals.record((now - loss.now) / 1000, { ...named, 'error.type': loss.code });
  };

  return [
    listenTo('ninja-tcp:state', stepped),
    listenToTrace('ninja-tcp:connect', 'asyncEnd', ({ name, durationMs = 0, error }) => {
      const failed = error && { 'error.type': error.code };
      connects.record(durationMs / 1000, { 'ninja_tcp.name': names.of(name), ...failed });
    }),
  ];
}

/** The metric that costs something for each message. */
export function measureMessages(meter: Meter): Undo {
  const name = 'ninja_tcp.message.size';
  const sizes = meter.createHistogram(name, { ...optionsOf(name), advice: { explicitBucketBoundaries: BYTES } });
  const attributesOf = (kind: string) => ({
    in: { 'ninja_tcp.kind': kind, 'network.io.direction': 'receive' },
    out: { 'ninja_tcp.kind': kind, 'network.io.direction': 'transmit' },
  });
  const attributes = {
    connection: attributesOf('connection'),
    peer: attributesOf('peer'),
    server: attributesOf('server'),
  };
  return listenTo('ninja-tcp:message', ({ direction, bytes, source }) =>
    sizes.record(bytes, attributes[source.kind][direction]),
  );
}

import type { BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { Connection } from '../connection.js';
import type { LifeOver } from '../diagnostics.js';
import { silenceOf } from '../line/watched.js';
import type { Peer } from '../peer.js';
import { registered } from '../registry.js';
import type { Server } from '../server.js';
import { listenTo, type Undo } from './listening.js';
import { type MetricName, metricTable } from './table.js';
import { type Names, Tally } from './tally.js';

type Totals = Pick<LifeOver, 'received' | 'sent'>;

const gauges = [
  'ninja_tcp.connections',
  'ninja_tcp.peers',
  'ninja_tcp.servers',
  'ninja_tcp.silence',
  'ninja_tcp.queue.messages',
  'ninja_tcp.queue.size',
] as const satisfies MetricName[];

const counters = ['ninja_tcp.messages', 'ninja_tcp.io'] as const satisfies MetricName[];

type Tallies = Record<(typeof gauges)[number], Tally>;

const standing = ({ state, substate }: { state: string; substate: string | undefined }): string =>
  substate ? `${state}.${substate}` : state;

/**
 * Looks at all that lives whenever metrics are collected: what is counted anyway costs no message anything. What a life
 * had counted at its end comes by `ninja-tcp:close`.
 */
export class Census {
  private readonly totals: Record<(typeof counters)[number], Tally> = {
    'ninja_tcp.messages': new Tally(),
    'ninja_tcp.io': new Tally(),
  };
  private readonly tallies = Object.fromEntries(gauges.map((name) => [name, new Tally()])) as Tallies;
  /** What of a life is in the totals already. */
  private readonly counted = new WeakMap<object, Totals>();

  constructor(private readonly names: Names) {}

  observe(meter: Meter): Undo {
    const metrics = new Map<MetricName, Observable>();
    for (const name of gauges) metrics.set(name, meter.createObservableGauge(name, optionsOf(name)));
    for (const name of counters) metrics.set(name, meter.createObservableCounter(name, optionsOf(name)));
    const look = (result: BatchObservableResult) => this.look(result, metrics);
    const all = [...metrics.values()];
    meter.addBatchObservableCallback(look, all);
    const deafen = listenTo('ninja-tcp:close', ({ source, name, kind, server, ...totals }) =>
      this.count(source, kind, server ?? name, totals),
    );
    return () => {
      deafen();
      meter.removeBatchObservableCallback(look, all);
    };
  }

  private look(result: BatchObservableResult, metrics: ReadonlyMap<MetricName, Observable>): void {
    const { tallies } = this;
    for (const tally of Object.values(tallies)) tally.reset();
    for (const one of registered()) {
      if (one.kind === 'connection') this.connection(one as Connection, tallies);
      else this.server(one as Server, tallies);
    }
    for (const [name, tally] of Object.entries({ ...tallies, ...this.totals })) {
      tally.observe(result, metrics.get(name as MetricName) as Observable);
    }
  }

  private connection(connection: Connection, tallies: Tallies): void {
    const name = this.names.of(connection.name);
    tallies['ninja_tcp.connections'].add({ 'ninja_tcp.name': name, 'ninja_tcp.state': standing(connection) }, 1);
    this.line(connection, name, tallies);
  }

  private server(server: Server, tallies: Tallies): void {
    const name = this.names.of(server.name);
    tallies['ninja_tcp.servers'].add({ 'ninja_tcp.name': name, 'ninja_tcp.state': server.state }, 1);
    for (const peer of server.peers) {
      tallies['ninja_tcp.peers'].add({ 'ninja_tcp.name': name, 'ninja_tcp.state': standing(peer) }, 1);
      this.line(peer, name, tallies);
    }
  }

  private line(line: Connection | Peer, name: string, tallies: Tallies): void {
    const { received, sent, outbox, inbox } = line.stats();
    this.count(line, line.kind, name, { received, sent });
    const base = { 'ninja_tcp.kind': line.kind, 'ninja_tcp.name': name };
    for (const [queue, { messages, bytes }] of Object.entries({ outbox, inbox })) {
      const attributes = { ...base, 'ninja_tcp.queue': queue };
      tallies['ninja_tcp.queue.messages'].add(attributes, messages);
      tallies['ninja_tcp.queue.size'].add(attributes, bytes);
    }
    const silence = silenceOf(line);
    if (silence !== undefined) tallies['ninja_tcp.silence'].atLeast(base, silence / 1000);
  }

  /** Adds what came since it was counted last. */
  private count(source: object, kind: string, name: string, { received, sent }: Totals): void {
    const before = this.counted.get(source);
    this.counted.set(source, { received, sent });
    const base = { 'ninja_tcp.kind': kind, 'ninja_tcp.name': this.names.of(name) };
    const ways = [
      ['receive', received, before?.received],
      ['transmit', sent, before?.sent],
    ] as const;
    for (const [direction, now, earlier] of ways) {
      if (!now) continue;
      const attributes = { ...base, 'network.io.direction': direction };
      this.totals['ninja_tcp.messages'].add(attributes, now.messages - (earlier?.messages ?? 0));
      this.totals['ninja_tcp.io'].add(attributes, now.bytes - (earlier?.bytes ?? 0));
    }
  }
}

export function optionsOf(name: MetricName): { unit: string; description: string } {
  const { unit, words } = metricTable[name];
  return { unit, description: words };
}

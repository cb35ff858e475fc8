import {
  type Context,
  type ContextManager,
  context,
  metrics,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import {
  AggregationTemporality,
  type DataPoint,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { afterEach, describe, expect, test } from 'vitest';
import { type InstrumentOptions, instrument } from '../../src/opentelemetry/index.js';
import { metricTable } from '../../src/opentelemetry/table.js';
import { echo, PORT, stage } from '../connection/stage.js';
import { dialRaw } from '../server/stage.js';

const undone: (() => unknown)[] = [];
afterEach(async () => {
  for (const undo of undone.splice(0)) await undo();
});

/** The real SDK, with exporters in memory. */
function sdk(options: Partial<InstrumentOptions> = {}) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spans = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
  const { disable } = instrument({ meterProvider, tracerProvider, ...options });
  undone.push(
    disable,
    () => meterProvider.shutdown(),
    () => tracerProvider.shutdown(),
  );

  /** What was collected now, as `name{attribute=value,…}` to its value. */
  const collect = async () => {
    exporter.reset();
    await reader.forceFlush();
    const found = new Map<string, number | Histogram>();
    const units = new Map<string, string>();
    for (const { descriptor, dataPoints } of exporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics))) {
      units.set(descriptor.name, descriptor.unit);
      for (const { attributes, value } of dataPoints as DataPoint<number | Histogram>[]) {
        const words = Object.values(attributes).join(' ');
        found.set(`${descriptor.name} ${words}`, value);
      }
    }
    const of = (start: string) =>
      Object.fromEntries(
        [...found]
          .filter(([name]) => name.startsWith(`${start} `))
          .map(([name, value]) => [name.slice(start.length + 1), value]),
      );
    return { of, units, names: [...found.keys()] };
  };
  return { collect, spans, disable };
}

describe('metrics', () => {
  test('states, messages, bytes and queues, of connections and of peers by their server', async () => {
    const { collect } = sdk();
    const at = stage();
    const server = await at.serve(echo, { name: 'tills' });
    const connection = at.dial({ name: 'till 7' });
    const down = at.dial({ name: 'till 8', port: 1 });
    await at.clock.runUntil(connection.connected({ proven: true }));
    down.send('held');
    for (let number = 0; number < 3; number += 1) connection.send('hello');
    await at.clock.advance(500);
    const { of } = await collect();
    expect(of('ninja_tcp.connections')).toMatchObject({ 'till 7 connected.live': 1 });
    expect(of('ninja_tcp.peers')).toEqual({ 'tills connected.live': 1 });
    expect(of('ninja_tcp.servers')).toEqual({ 'tills listening': 1 });
    expect(of('ninja_tcp.messages')).toMatchObject({
      'connection till 7 transmit': 3,
      'connection till 7 receive': 3,
      'peer tills receive': 3,
      'peer tills transmit': 3,
    });
    expect(of('ninja_tcp.io')).toMatchObject({ 'connection till 7 receive': 15, 'connection till 8 transmit': 0 });
    expect(of('ninja_tcp.queue.messages')).toMatchObject({ 'connection till 8 outbox': 1, 'peer tills inbox': 0 });
    expect(of('ninja_tcp.queue.size')).toMatchObject({ 'connection till 8 outbox': 4 });
    const silence = of('ninja_tcp.silence');
    expect(Object.keys(silence).sort()).toEqual(['connection till 7', 'peer tills']);
    expect(silence['connection till 7']).toBeGreaterThan(0);
    expect(silence['connection till 7']).toBeLessThan(1.1);
    await at.clock.runUntil(Promise.all([connection.dispose(), down.dispose(), server.dispose()]));
  });

  test('counters go on when their connections and peers are gone, and count nothing twice', async () => {
    const { collect } = sdk();
    const at = stage();
    const server = await at.serve(echo, { name: 'tills' });
    for (let turn = 1; turn <= 3; turn += 1) {
      const connection = at.dial({ name: 'till' });
      await at.clock.runUntil(connection.connected({ proven: true }));
      connection.send('hello');
      await at.clock.advance(10);
      // Once while it lives, once when it is gone.
      await collect();
      await at.clock.runUntil(connection.close());
      await at.clock.advance(100);
      const { of } = await collect();
      expect(of('ninja_tcp.messages')).toEqual({
        'connection till receive': turn,
        'connection till transmit': turn,
        'peer tills receive': turn,
        'peer tills transmit': turn,
      });
      expect(of('ninja_tcp.connections')).toEqual({ 'till connected.live': 0 });
    }
    await at.clock.runUntil(server.dispose());
  });

  test('reconnects, healing and attempts, by why', async () => {
    const { collect } = sdk();
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial({ name: 'till' });
    await at.clock.runUntil(connection.connected({ proven: true }));
    at.server.freeze();
    await at.clock.runUntil(() => connection.substate === 'waiting');
    at.server.refuse();
    at.server.thaw();
    await at.clock.advance(150);
    at.server.refuse(false);
    await at.clock.runUntil(connection.connected({ proven: true }));
    const { of } = await collect();
    expect(of('ninja_tcp.reconnects')).toEqual({ 'till NINJA_STALE': 1, 'till NINJA_CONNECT_FAILED': 1 });
    const heal = of('ninja_tcp.heal.duration')['till NINJA_STALE'] as Histogram;
    expect([heal.count, heal.sum]).toEqual([1, expect.closeTo(0.22, 1)]);
    const attempts = of('ninja_tcp.connect.duration') as Record<string, Histogram>;
    expect(Object.entries(attempts).map(([name, { count }]) => `${name} ${count}`)).toEqual([
      'till 2',
      'till NINJA_CONNECT_FAILED 1',
    ]);
    await at.clock.runUntil(Promise.all([connection.dispose(), server.dispose()]));
  });

  test('nobody heals what was disconnected on purpose', async () => {
    const { collect } = sdk();
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial({ name: 'till' });
    await at.clock.runUntil(connection.connected({ proven: true }));
    connection.disconnect();
    connection.connect();
    await at.clock.runUntil(connection.connected({ proven: true }));
    const { of } = await collect();
    expect(of('ninja_tcp.heal.duration')).toEqual({});
    expect(of('ninja_tcp.reconnects')).toEqual({ 'till NINJA_DISCONNECTED': 1 });
    await at.clock.runUntil(Promise.all([connection.dispose(), server.dispose()]));
  });

  test.each([
    [false, {}],
    [
      true,
      { 'connection transmit': [1, 5], 'connection receive': [1, 5], 'peer transmit': [1, 5], 'peer receive': [1, 5] },
    ],
  ])('lengths of messages, with messageSizes: %s', async (messageSizes, expected) => {
    const { collect } = sdk({ messageSizes });
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    connection.send('hello');
    await at.clock.runUntil(() => connection.stats().received.messages === 1);
    const sizes = (await collect()).of('ninja_tcp.message.size') as Record<string, Histogram>;
    expect(Object.fromEntries(Object.entries(sizes).map(([name, { count, sum }]) => [name, [count, sum]]))).toEqual(
      expected,
    );
    await at.clock.runUntil(Promise.all([connection.dispose(), server.dispose()]));
  });

  test('the 101st name is _OTHER, whoever has it; a peer has no series of its own', async () => {
    const { collect } = sdk();
    const at = stage();
    const server = await at.serve(echo, { name: 'tills' });
    const connections = Array.from({ length: 105 }, (_, number) => at.dial({ name: `till ${number}` }));
    await at.clock.runUntil(Promise.all(connections.map((one) => one.connected({ proven: true }))));
    const { of } = await collect();
    const names = new Set(Object.keys(of('ninja_tcp.connections')).map((words) => words.replace(/ \S+$/, '')));
    expect(names.size).toBeLessThanOrEqual(101);
    expect(of('ninja_tcp.connections')['_OTHER connected.live']).toBeGreaterThanOrEqual(5);
    expect(of('ninja_tcp.peers')).toSatisfy((peers: object) => Object.keys(peers).length === 1);
    await at.clock.runUntil(Promise.all([server.dispose(), ...connections.map((one) => one.dispose())]));
  });

  test('every metric has the unit that its table says; no other is there', async () => {
    const { collect } = sdk({ messageSizes: true });
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial();
    await at.clock.runUntil(connection.connected({ proven: true }));
    connection.send('x');
    connection.reconnectNow();
    await at.clock.runUntil(connection.connected({ proven: true }));
    const { units } = await collect();
    expect(Object.fromEntries(units)).toEqual(
      Object.fromEntries(Object.entries(metricTable).map(([name, { unit }]) => [name, unit])),
    );
    await at.clock.runUntil(Promise.all([connection.dispose(), server.dispose()]));
  });

  test('a sleeping statechart of a peer is not woken', async () => {
    const { collect } = sdk();
    const at = stage();
    const server = await at.serve(echo);
    const client = await dialRaw(at);
    client.say('x');
    await at.clock.advance(5);
    await collect();
    const [peer] = server.peers;
    expect((peer as unknown as { life: { awake: unknown } }).life.awake).toBeUndefined();
    client.transport.destroy();
    await at.clock.runUntil(server.dispose());
  });
});

describe('spans', () => {
  test('one for each attempt, with attributes after the conventions, each linked to the one before', async () => {
    const { spans } = sdk();
    const at = stage();
    at.server.refuse();
    const connection = at.dial({ name: 'till' });
    await at.clock.runUntil(() => connection.substate === 'waiting');
    at.server.refuse(false);
    const server = await at.serve(echo);
    await at.clock.runUntil(connection.connected());
    const [first, second] = spans.getFinishedSpans();
    expect([first?.name, first?.kind, first?.links]).toEqual(['ninja-tcp connect', 2, []]);
    expect(first?.attributes).toEqual({
      'network.transport': 'tcp',
      'server.address': 'server',
      'server.port': PORT,
      'ninja_tcp.name': 'till',
      'ninja_tcp.epoch': 1,
      'ninja_tcp.attempt': 1,
      'error.type': 'NINJA_CONNECT_FAILED',
    });
    expect(first?.status).toMatchObject({
      code: SpanStatusCode.ERROR,
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(second?.attributes).toMatchObject({
      'network.peer.address': expect.any(String),
      'network.peer.port': PORT,
      'ninja_tcp.attempt': 2,
    });
    expect(second?.status.code).toBe(SpanStatusCode.UNSET);
    expect(second?.links.map(({ context: linked }) => linked.spanId)).toEqual([first?.spanContext().spanId]);
    const [seconds = 0, nanoseconds = 0] = first?.startTime ?? [];
    expect(seconds * 1000 + nanoseconds / 1e6).toBe(connection.history[1]?.at);
    await at.clock.runUntil(Promise.all([connection.dispose(), server.dispose()]));
  });

  test('the first is a child of the active span, later ones are not', async () => {
    let active: Context = ROOT_CONTEXT;
    const manager = {
      active: () => active,
      with: (_: Context, call: () => unknown) => call(),
      enable: () => manager,
      disable: () => manager,
    } as unknown as ContextManager;
    context.setGlobalContextManager(manager);
    undone.push(() => context.disable());
    const { spans } = sdk();
    const at = stage();
    const outer = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    active = trace.setSpanContext(ROOT_CONTEXT, outer);
    const connection = at.dial({ port: 1 });
    await at.clock.runUntil(() => connection.epoch === 3);
    const parents = spans.getFinishedSpans().map(({ parentSpanContext }) => parentSpanContext?.spanId);
    expect(parents).toEqual(['b7ad6b7169203331', undefined]);
    await connection.dispose();
  });

  test('at a path', async () => {
    const { spans } = sdk();
    const connection = stage().dial({ host: undefined, port: undefined, path: '/run/till.sock' });
    await connection.dispose();
    expect(spans.getFinishedSpans()[0]?.attributes).toMatchObject({
      'network.transport': 'unix',
      'server.address': '/run/till.sock',
      'error.type': 'NINJA_DISPOSED',
    });
  });
});

describe('disable()', () => {
  test('ends all of it, and spans that are open; twice is once', async () => {
    const { collect, spans, disable } = sdk({ messageSizes: true });
    const at = stage();
    const connection = at.dial();
    disable();
    disable();
    expect(spans.getFinishedSpans()).toHaveLength(1);
    await at.clock.advance(500);
    expect(spans.getFinishedSpans()).toHaveLength(1);
    expect((await collect()).names).toEqual([]);
    await connection.dispose();
  });

  test('without providers it takes the global ones, which do nothing unless they are set', async () => {
    metrics.disable();
    const { disable } = instrument();
    const connection = stage().dial();
    await connection.dispose();
    disable();
  });
});

// Metrics and spans of every connection, peer and server of the process.
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { connect, listen } from 'ninja-tcp';
import { instrument } from 'ninja-tcp/opentelemetry';

// In a program: an exporter that sends to your collector.
const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const reader = new PeriodicExportingMetricReader({ exporter });
const meterProvider = new MeterProvider({ readers: [reader] });
const spans = new InMemorySpanExporter();
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] });
const { disable } = instrument({ meterProvider, tracerProvider });

const server = await listen({ host: '127.0.0.1', port: 0, name: 'tills' }, async (peer) => {
  for await (const message of peer) peer.send(message);
});
const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0, name: 'till 7' });
connection.send('hello');
for await (const message of connection) {
  console.log(`${message}`); // → hello
  break;
}

await reader.forceFlush();
for (const { descriptor, dataPoints } of exporter.getMetrics().flatMap((one) => one.scopeMetrics[0]?.metrics ?? [])) {
  if (descriptor.name !== 'ninja_tcp.connections') continue;
  for (const { attributes, value } of dataPoints) console.log(attributes['ninja_tcp.state'], value); // → connected.live 1
}
for (const { name, attributes } of spans.getFinishedSpans()) {
  console.log(name, attributes['server.address'], attributes['network.transport']); // → ninja-tcp connect 127.0.0.1 tcp
}

await connection.close();
await server.close();
disable();
await Promise.all([meterProvider.shutdown(), tracerProvider.shutdown()]);

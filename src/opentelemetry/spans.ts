import {
  context,
  type HrTime,
  type Link,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { ConnectAttempt } from '../diagnostics.js';
import type { Target } from '../target.js';
import { listenToTrace, type Undo } from './listening.js';

/** `[seconds, nanoseconds]` of wall-clock milliseconds since 1970. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)];
}

function attributesOf({ path, host, port }: Target) {
  if (path === undefined) return { 'network.transport': 'tcp', 'server.address': host, 'server.port': port };
  return { 'network.transport': path.startsWith('\\\\') ? 'pipe' : 'unix', 'server.address': path };
}

/** A span for each attempt of a connection. */
export function traceAttempts(tracer: Tracer): Undo[] {
  const open = new Map<ConnectAttempt, Span>();
  /** The last attempt of each connection, which the next one links to. */
  const last = new WeakMap<object, Link>();

  const begun = (attempt: ConnectAttempt): void => {
    const { source, name, epoch, endpoint, at } = attempt;
    const link = last.get(source);
    const span = tracer.startSpan(
      'ninja-tcp connect',
      {
        kind: SpanKind.CLIENT,
        startTime: hrTime(at),
        // A timer begins the later ones: what was active when it was set has nothing to do with them.
        root: epoch > 1,
        ...(link && { links: [link] }),
        attributes: {
          ...(endpoint && attributesOf(endpoint)),
          'ninja_tcp.name': name,
          'ninja_tcp.epoch': epoch,
          'ninja_tcp.attempt': attempt.attempt,
        },
      },
      context.active(),
    );
    open.set(attempt, span);
    last.set(source, { context: span.spanContext() });
  };

  const over = (attempt: ConnectAttempt): void => {
    const span = open.get(attempt);
    if (!span) return;
    open.delete(attempt);
    const { at, durationMs = 0, remoteAddress, remotePort, error } = attempt;
    if (remoteAddress !== undefined) span.setAttribute('network.peer.address', remoteAddress);
    if (remotePort !== undefined) span.setAttribute('network.peer.port', remotePort);
    if (error) {
      span.setAttribute('error.type', error.code);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span.end(hrTime(at + durationMs));
  };

  return [
    listenToTrace('ninja-tcp:connect', 'start', begun),
    listenToTrace('ninja-tcp:connect', 'asyncEnd', over),
    () => {
      for (const span of open.values()) span.end();
      open.clear();
    },
  ];
}

export function tracerOf(provider = trace.getTracerProvider()): Tracer {
  return provider.getTracer('ninja-tcp');
}

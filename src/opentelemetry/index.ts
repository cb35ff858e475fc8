/** ninja-tcp/opentelemetry: metrics and spans of all that lives in this process, through `@opentelemetry/api`. */
import { type MeterProvider, metrics, type TracerProvider } from '@opentelemetry/api';
import { Census } from './census.js';
import { countMoments, measureMessages } from './moments.js';
import { traceAttempts, tracerOf } from './spans.js';
import { Names } from './tally.js';

export interface InstrumentOptions {
  /** Where metrics go. Default: the global one of `@opentelemetry/api`. */
  readonly meterProvider?: MeterProvider | undefined;
  /** Where spans go. Default: the global one of `@opentelemetry/api`. */
  readonly tracerProvider?: TracerProvider | undefined;
  /** Record the length of every message, as `ninja_tcp.message.size`. That takes more than a microsecond for each, all else nothing. Default false. */
  readonly messageSizes?: boolean | undefined;
}

export interface Instrumentation {
  /** Ends it; what was told stays told. */
  disable(): void;
}

/**
 * Tells OpenTelemetry of every connection, peer and server of this process, also of those that live already.
 *
 * ```ts
 * const { disable } = instrument();
 * ```
 */
export function instrument(options: InstrumentOptions = {}): Instrumentation {
  const meter = (options.meterProvider ?? metrics.getMeterProvider()).getMeter('ninja-tcp');
  const names = new Names();
  const undo = [
    new Census(names).observe(meter),
    ...countMoments(meter, names),
    ...traceAttempts(tracerOf(options.tracerProvider)),
    ...(options.messageSizes ? [measureMessages(meter)] : []),
  ];
  return {
    disable: () => {
      for (const one of undo.splice(0)) one();
    },
  };
}

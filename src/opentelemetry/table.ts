/** Every metric once: `docs/diagnostics.md` is made from this table. */

export interface MetricRule {
  readonly kind: 'gauge' | 'counter' | 'histogram';
  /** As OpenTelemetry writes units: `s`, `By`, `{message}`. */
  readonly unit: string;
  readonly attributes: readonly string[];
  readonly words: string;
}

const NAME = 'ninja_tcp.name';
const KIND = 'ninja_tcp.kind';
const STATE = 'ninja_tcp.state';
const DIRECTION = 'network.io.direction';
const QUEUE = 'ninja_tcp.queue';
const ERROR = 'error.type';

export const metricTable = {
  'ninja_tcp.connections': {
    kind: 'gauge',
    unit: '{connection}',
    attributes: [NAME, STATE],
    words: 'Connections that live, by the state that they are in, such as `connected.live`.',
  },
  'ninja_tcp.peers': {
    kind: 'gauge',
    unit: '{peer}',
    attributes: [NAME, STATE],
    words: 'Peers of each server, by the state that they are in.',
  },
  'ninja_tcp.servers': {
    kind: 'gauge',
    unit: '{server}',
    attributes: [NAME, STATE],
    words: 'Servers that live, by the state that they are in.',
  },
  'ninja_tcp.reconnects': {
    kind: 'counter',
    unit: '{attempt}',
    attributes: [NAME, ERROR],
    words: 'Attempts after the first of a connection, by why the line before was lost or the attempt before failed.',
  },
  'ninja_tcp.messages': {
    kind: 'counter',
    unit: '{message}',
    attributes: [KIND, NAME, DIRECTION],
    words: 'Messages received, and written.',
  },
  'ninja_tcp.io': {
    kind: 'counter',
    unit: 'By',
    attributes: [KIND, NAME, DIRECTION],
    words: 'Bytes of these messages, without headers.',
  },
  'ninja_tcp.message.size': {
    kind: 'histogram',
    unit: 'By',
    attributes: [KIND, DIRECTION],
    words: 'Length of each message. Only with `messageSizes: true`, since it costs more than a microsecond for each.',
  },
  'ninja_tcp.silence': {
    kind: 'gauge',
    unit: 's',
    attributes: [KIND, NAME],
    words:
      'Time since the last byte of a connection that is up; of a server, of its peer that is silent for the longest.',
  },
  'ninja_tcp.queue.messages': {
    kind: 'gauge',
    unit: '{message}',
    attributes: [KIND, NAME, QUEUE],
    words: 'Messages in the `outbox` (accepted, not written yet) and in the `inbox` (decoded, not taken yet).',
  },
  'ninja_tcp.queue.size': {
    kind: 'gauge',
    unit: 'By',
    attributes: [KIND, NAME, QUEUE],
    words: 'Bytes of these messages.',
  },
  'ninja_tcp.heal.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: [NAME, ERROR],
    words: 'Time from the loss of a line to the first byte on the next, by why it was lost.',
  },
  'ninja_tcp.connect.duration': {
    kind: 'histogram',
    unit: 's',
    attributes: [NAME, ERROR],
    words: 'Time that an attempt took: name look-up, TCP, TLS and `onConnect`. With `error.type` where it failed.',
  },
} as const satisfies Record<`ninja_tcp.${string}`, MetricRule>;

export type MetricName = keyof typeof metricTable;

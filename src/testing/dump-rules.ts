/** The rules of a dump, format 1, field by field. */
import type { FlightDump } from '../recorder/dump.js';
import {
  ascending,
  type Check,
  code,
  count,
  duration,
  fields,
  flag,
  list,
  number,
  oneOf,
  optional,
  orNull,
  refuse,
  text,
  values,
} from './dump-check.js';
import { places } from './path-moves.js';
import { peerPlaces } from './peer-path-move.js';

const reason = fields({ code, message: text, at: number, epoch: count });

const lineContext = {
  epoch: count,
  proven: flag,
  closing: flag,
  closingAt: number,
  reason: orNull(reason),
  lastHeardAt: orNull(number),
  silentForMs: orNull(number),
  refused: count,
};

const contexts = {
  connection: {
    ...lineContext,
    greets: flag,
    failures: count,
    fatal: flag,
    retryInMs: orNull(duration),
    openedAt: number,
    liveAt: orNull(number),
  },
  peer: { ...lineContext, resumable: flag },
} as const;

const event = fields({
  type: text,
  epoch: optional(number),
  code: optional(text),
  message: optional(text),
  fatal: optional(flag),
  held: optional(number),
  owed: optional(number),
  reason: optional(fields({ code: text, message: text })),
});

const sessionPlaces = ['fresh', 'establishing', 'attached', 'detached', 'ended.closed', 'ended.lost'];

const numbers = optional(list(number));
const answers = fields({
  now: numbers,
  wallNow: numbers,
  silenceDelay: numbers,
  silentForMs: numbers,
  heardInTime: optional(list(flag)),
  owesSession: optional(list(flag)),
  backoff: optional(
    list((path, value) => {
      if (value !== false) duration(path, value);
    }),
  ),
});

const amount = fields({ messages: count, bytes: count });

/** What a chart runs on; of other settings only that they are plain. */
const needed = {
  connection: { connectTimeout: duration, discardTimeout: duration, drainTimeout: duration, stableAfter: duration },
  peer: { discardTimeout: duration, drainTimeout: duration },
} as const;

const plainSetting: Check = (path, value) => {
  if (Array.isArray(value)) list(text)(path, value);
  else if (!['string', 'number', 'boolean'].includes(typeof value)) refuse(path, 'a number, a word or a flag', value);
};

function dumpOf(kind: FlightDump['kind']): Check {
  const state = oneOf(kind === 'connection' ? places : peerPlaces);
  const partial = Object.entries(contexts[kind]).map(([key, check]) => [key, optional(check)] as const);
  const timer = fields({ event: text, at: number, ms: duration });
  const chart = fields({
    state,
    context: fields(contexts[kind]),
    timers: list(timer, 100),
    socket: optional(text),
  });
  return fields({
    format: oneOf([1]),
    kind: oneOf([kind]),
    name: text,
    versions: fields({ ninjaTcp: text, node: text }),
    dumpedAt: number,
    settings: values(plainSetting),
    fallen: fields({ steps: count, traffic: count, messages: count }),
    start: fields({ at: number, wallAt: number, chart: optional(chart) }),
    steps: list(
      fields({
        at: number,
        event,
        answers,
        entered: list(fields({ to: state, cause: text, reason: optional(reason) }), 100),
        did: list(text, 1000),
        changed: fields(Object.fromEntries(partial)),
        state,
        broke: optional(text),
      }),
    ),
    traffic: list(fields({ at: number, received: amount, sent: amount, heardBytes: count }), 100_001),
    messages: list(fields({ at: number, way: oneOf(['received', 'sent']), length: count, base64: optional(text) })),
    session: optional(
      list(fields({ at: number, epoch: count, to: oneOf(sessionPlaces), cause: text, reason: optional(reason) }), 100),
    ),
  });
}

const rules = { connection: dumpOf('connection'), peer: dumpOf('peer') } as const;

/**
 * Checks a dump field by field.
 *
 * @throws DumpError naming the field, the rule and the value
 */
export function checkedDump(given: unknown): FlightDump {
  const kind = (given as { readonly kind?: unknown } | null | undefined)?.kind;
  const format = (given as { readonly format?: unknown } | null | undefined)?.format;
  if (typeof given === 'object' && given !== null && !Array.isArray(given)) {
    // What this program cannot know must not be read by chance.
    oneOf([1])('format', format);
    oneOf(['connection', 'peer'])('kind', kind);
  }
  rules[kind === 'peer' ? 'peer' : 'connection']('', given);
  const dump = given as FlightDump;
  for (const [name, check] of Object.entries(needed[dump.kind])) check(`settings.${name}`, dump.settings[name]);
  flag('settings.session', dump.settings.session);
  if (dump.kind === 'connection') {
    const { maxAttempts, onConnect } = dump.settings;
    if (maxAttempts !== 'Infinity') duration('settings.maxAttempts', maxAttempts);
    flag('settings.onConnect', onConnect);
  }
  if (!dump.start.chart && dump.fallen.steps > 0) {
    refuse('start.chart', 'there, since steps fell out', dump.start.chart);
  }
  for (const list of ['steps', 'traffic', 'messages'] as const) ascending(list, dump[list], Number.NEGATIVE_INFINITY);
  return dump;
}

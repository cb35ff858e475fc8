/** From what a statechart holds to plain values without secrets. */
import type { FlightEvent, Plain } from './dump.js';

const LEFT_OUT = '(left out)';

/**
 * Words of ours, without what a message or the program may have put into them: what a framing shows of the stream, and
 * what the program's own code threw.
 */
export function discreet(message: string): string {
  return message.replace(/(; the stream went on with |\bthrew: )[\s\S]*$/, `$1${LEFT_OUT}`);
}

/** A reason and the like: their words are looked through, and nothing but plain values is kept. */
export function plain(value: unknown): Plain {
  switch (typeof value) {
    case 'string':
      return discreet(value);
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'object':
      if (value === null) return null;
      if (Array.isArray(value)) return value.map(plain);
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, plain(one)]));
    default:
      return null;
  }
}

/** Of an event what is ours: a program may send its statechart anything. */
export function plainEvent(event: object): FlightEvent {
  const { type, epoch, code, message, fatal, held, owed, reason } = event as Record<string, unknown>;
  return {
    type: String(type),
    ...(typeof epoch === 'number' && Number.isFinite(epoch) && { epoch }),
    ...(typeof code === 'string' && { code }),
    ...(typeof message === 'string' && { message: discreet(message) }),
    ...(typeof fatal === 'boolean' && { fatal }),
    ...(typeof held === 'number' && Number.isFinite(held) && { held }),
    ...(typeof owed === 'number' && Number.isFinite(owed) && { owed }),
    ...plainReason(reason),
  };
}

function plainReason(reason: unknown): Pick<FlightEvent, 'reason'> {
  const { code, message } = (reason ?? {}) as Record<string, unknown>;
  if (typeof code !== 'string' || typeof message !== 'string') return {};
  return { reason: { code, message: discreet(message) } };
}

/** What lies in a context beside plain values: the hands, and settings that have a place of their own. */
const NOT_PLAIN: ReadonlySet<string> = new Set(['ports', 'times']);

export function plainContext(context: object): { [key: string]: Plain } {
  const entries = Object.entries(context).filter(([key]) => !NOT_PLAIN.has(key));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, plain(value)]));
}

/** What is new in `after`. */
export function changes(before: object, after: object): { [key: string]: Plain } {
  const old = plainContext(before);
  return Object.fromEntries(
    Object.entries(plainContext(after)).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(old[key])),
  );
}

/** `connected.live`, from the value of a statechart. */
export function stateWords(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const [outer, inner] = Object.entries(value)[0] as [string, unknown];
  return `${outer}.${typeof inner === 'object' && inner !== null && 'line' in inner ? inner.line : inner}`;
}

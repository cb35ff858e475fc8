/** Figures and states as people read them. */

/** How serious a state is; the page has one colour for each. */
export type Tone = 'bad' | 'alarm' | 'wait' | 'busy' | 'unsure' | 'ending' | 'good' | 'off' | 'gone';

/** What a state looks like where colours are not seen. */
export type Shape = 'disc' | 'half' | 'ring' | 'arrow' | 'down' | 'glass' | 'cross' | 'diamond' | 'dash';

export interface Look {
  readonly tone: Tone;
  readonly shape: Shape;
  /** The word that stands beside the shape. */
  readonly word: string;
}

const looks: Readonly<Record<string, readonly [Tone, Shape]>> = {
  'connected.live': ['good', 'disc'],
  'connected.unproven': ['unsure', 'half'],
  'connected.draining': ['ending', 'down'],
  connected: ['good', 'disc'],
  connecting: ['busy', 'arrow'],
  'disconnected.waiting': ['wait', 'glass'],
  'disconnected.failed': ['bad', 'cross'],
  disconnected: ['off', 'ring'],
  stale: ['alarm', 'diamond'],
  'detached.draining': ['ending', 'down'],
  detached: ['wait', 'glass'],
  disposed: ['gone', 'dash'],
  fresh: ['off', 'ring'],
  establishing: ['busy', 'arrow'],
  attached: ['good', 'disc'],
  'ended.lost': ['bad', 'cross'],
  ended: ['gone', 'dash'],
  closed: ['off', 'ring'],
  binding: ['busy', 'arrow'],
  listening: ['good', 'disc'],
  paused: ['wait', 'glass'],
  draining: ['ending', 'down'],
};

/** @param place `connected.live`, `stale` */
export function lookOf(place: string): Look {
  const [state = place, substate] = place.split('.');
  const [tone, shape] = looks[place] ?? looks[state] ?? ['off', 'ring'];
  return { tone, shape, word: substate ?? state };
}

/** The worst first. */
export const TONES: readonly Tone[] = ['bad', 'alarm', 'wait', 'busy', 'unsure', 'ending', 'good', 'off', 'gone'];

const whole = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 });
const tenth = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 1 });

/** `1,234` */
export function count(value: number): string {
  return whole.format(value);
}

/** `3,012 ms` */
export function millis(ms: number): string {
  return `${whole.format(Math.max(0, Math.round(ms)))} ms`;
}

/** A length of time at a glance: `812 ms`, `3.4 s`, `2 min 05 s`, `1 h 12 min`, `3 d 4 h`. */
export function span(ms: number): string {
  const all = Math.max(0, ms);
  if (all < 1000) return `${Math.round(all)} ms`;
  const seconds = all / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${String(Math.floor(seconds % 60)).padStart(2, '0')} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `0 B`, `1.5 KiB`, `12 MiB` */
export function bytes(value: number): string {
  let rest = Math.max(0, value);
  let unit = 0;
  while (rest >= 1024 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${(rest < 10 && unit > 0 ? tenth : whole).format(rest)} ${UNITS[unit]}`;
}

/** Messages per second: `0`, `0.4`, `1,200`. */
export function rate(perSecond: number): string {
  if (perSecond <= 0) return '0';
  if (perSecond < 0.05) return '<0.1';
  return (perSecond < 10 ? tenth : whole).format(perSecond);
}

const daytime = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

/** `12:03:07`, in local time. */
export function timeOfDay(wall: number): string {
  return daytime.format(wall);
}

/** `12:03:07.042`, in local time. */
export function exactTime(wall: number): string {
  return `${daytime.format(wall)}.${String(Math.floor(wall) % 1000).padStart(3, '0')}`;
}

/** `1 peer`, `2 peers`; `many` where the plural is another word. */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** What a timer of the statechart brings, as a sentence before its time: `Attempt 5`. */
export function comingWords(name: string, attempt: number | undefined): string {
  switch (name) {
    case 'backoff':
      return attempt === undefined ? 'The next attempt' : `Attempt ${count(attempt)}`;
    case 'connectTimeout':
      return 'This attempt is given up';
    case 'silence':
      return 'Next check for silence';
    case 'drainTimeout':
      return 'What is left is dropped, and it ends';
    case 'discardTimeout':
      return 'The dead socket is forgotten';
    case 'resumeWindow':
      return 'Its session is given up';
    case 'pause':
      return 'Tries to accept again';
    default:
      return name;
  }
}

/** The data of an event on one line: `code: NINJA_RESET, epoch: 3`. */
export function dataWords(data: unknown): string {
  if (data === undefined || data === null) return '';
  if (typeof data !== 'object') return String(data);
  return Object.entries(data)
    .map(([name, value]) => `${name}: ${typeof value === 'object' ? JSON.stringify(value) : String(value)}`)
    .join(', ');
}

import type { VirtualClock } from './clock.js';
import type { Network, Way } from './network.js';
import { createRandom } from './random.js';

/** The faults that can be drawn: words of {@link Network} and of its hosts. */
export type ChaosFault =
  | 'cut'
  | 'resetAll'
  | 'freeze'
  | 'crash'
  | 'refuse'
  | 'acceptAndDrop'
  | 'stall'
  | 'blackhole'
  | 'setName';

/** Options of {@link createChaos}. */
export interface ChaosOptions {
  readonly clock: VirtualClock;
  readonly network: Network;
  /** Every draw comes from this number. Default 1. */
  readonly seed?: number;
  /** When the last fault is over, milliseconds from now. Default 50 000, less than what `runUntil` waits. */
  readonly forMs?: number;
  /** How many faults. Default 10. */
  readonly faults?: number;
  /** The longest of them, milliseconds. Default 10 000. */
  readonly longestMs?: number;
  /** The hosts that they happen to, servers first: dials are refused at the first one only. Default `['server', 'client']`. */
  readonly hosts?: readonly [string, ...string[]];
  /** What is drawn from. Default: all but `crash`, and that one too where there is `restart`. */
  readonly kinds?: readonly ChaosFault[];
  /** Starts the program of the first host anew after a crash. */
  readonly restart?: () => unknown;
}

/** One fault that was drawn. */
export interface DrawnFault {
  readonly kind: ChaosFault;
  /** When it begins, and when it is taken back, milliseconds of the clock. */
  readonly from: number;
  readonly to: number;
  readonly host: string;
  /** Of a cut. */
  readonly way: Way;
}

/** Faults that were drawn from a seed. */
export interface Chaos {
  /** All of them, in the order in which they begin: known from the first. */
  readonly faults: readonly DrawnFault[];
  /** One line for each, for the message of a test that failed. */
  readonly words: string;
  /**
   * Resolves when the last one is over and all is healed.
   *
   * @throws what `restart` threw (as a rejection)
   */
  done(): Promise<void>;
}

const withoutRestart: readonly ChaosFault[] = [
  'cut',
  'resetAll',
  'freeze',
  'refuse',
  'acceptAndDrop',
  'stall',
  'blackhole',
  'setName',
];
/** They concern those who dial: a host that is only a client has nothing of them. */
const ofServers: readonly ChaosFault[] = ['crash', 'refuse', 'acceptAndDrop', 'blackhole', 'setName'];

/**
 * Draws faults from a seed, makes each happen on the virtual clock, and takes it back: the same seed, the same faults.
 *
 * ```ts
 * const chaos = createChaos({ clock, network, seed });
 * await clock.runUntil(chaos.done());
 * await clock.runUntil(app.connected({ proven: true })); // it has to come back, whatever has been
 * ```
 *
 * @throws RangeError for a number out of bounds
 */
export function createChaos(options: ChaosOptions): Chaos {
  const { clock, network, seed = 1, forMs = 50_000, faults: count = 10, longestMs = 10_000, restart } = options;
  const { hosts = ['server', 'client'] as const, kinds = restart ? [...withoutRestart, 'crash'] : withoutRestart } =
    options;
  bounded('forMs', forMs, 1);
  bounded('faults', count, 0);
  bounded('longestMs', longestMs, 1);
  if (kinds.length === 0) throw new RangeError('kinds: at least one');
  if (kinds.includes('crash') && !restart) throw new TypeError('kinds: `crash` needs `restart`');
  const random = createRandom(seed, 'chaos');
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;

  const start = clock.now();
  const faults = Array.from({ length: count }, (): DrawnFault => {
    // Each draw is made in any case, so that one choice does not change the next.
    const [kind, when, length, which] = [pick(kinds), random(), random(), pick(hosts)];
    const host = ofServers.includes(kind) ? hosts[0] : which;
    const way = pick<Way>([{}, { from: host }, { to: host }]);
    const from = start + Math.floor(when * forMs);
    const lasts = kind === 'resetAll' ? 0 : 1 + Math.floor(length * longestMs);
    return { kind, from, to: Math.min(start + forMs, from + lasts), host, way };
  }).sort((a, b) => a.from - b.from);

  const failures: unknown[] = [];
  const started: PromiseLike<unknown>[] = [];
  const begin = async (): Promise<unknown> => restart?.();
  const happening = new Happening(network, () => {
    started.push(begin().catch((error: unknown) => failures.push(error)));
  });
  for (const fault of faults) {
    clock.setTimeout(() => happening.turn(fault, true), fault.from - start);
    if (fault.kind !== 'resetAll') clock.setTimeout(() => happening.turn(fault, false), fault.to - start);
  }
  const over = clock.sleep(forMs + 1);
  return {
    faults,
    words: faults.map(wordsOf).join('\n'),
    async done() {
      await over;
      await Promise.all(started);
      if (failures.length > 0) throw failures[0];
    },
  };
}

/** What is on at the moment. The same fault drawn twice ends when both have ended. */
class Happening {
  private readonly on = new Map<string, number>();

  constructor(
    private readonly network: Network,
    private readonly restart: () => void,
  ) {}

  turn(fault: DrawnFault, on: boolean): void {
    const key = JSON.stringify([fault.kind, fault.host, fault.kind === 'cut' ? fault.way : undefined]);
    const before = this.on.get(key) ?? 0;
    if (fault.kind !== 'resetAll') this.on.set(key, before + (on ? 1 : -1));
    if (on ? before === 0 : before === 1) this.set(fault, on);
  }

  private set({ kind, host: name, way }: DrawnFault, on: boolean): void {
    const { network } = this;
    const host = network.host(name);
    switch (kind) {
      case 'cut':
        if (on) network.cut(way);
        else network.heal(way);
        return;
      case 'resetAll':
        network.resetAll();
        return;
      case 'freeze':
        if (on) host.freeze();
        else host.thaw();
        return;
      case 'crash':
        if (on) host.crash();
        else this.restart();
        return;
      case 'setName':
        network.setName(name, on ? undefined : name);
        return;
      default:
        host[kind](on);
    }
  }
}

function wordsOf({ kind, from, to, host, way }: DrawnFault): string {
  const where = kind === 'cut' ? ` from ${way.from ?? '*'} to ${way.to ?? '*'}` : kind === 'resetAll' ? '' : ` ${host}`;
  return `${from} ms: ${kind}${where}${to > from ? `, for ${to - from} ms` : ''}`;
}

function bounded(name: string, value: number, least: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= 2 ** 31 - 2))
    throw new RangeError(`${name}: a whole number from ${least}, not ${value}`);
}

import type { Network, VirtualClock, Way } from '../../src/testing/index.js';
import type { Dice } from './dice.js';

export type FaultKind =
  | 'cut'
  | 'resetAll'
  | 'freeze'
  | 'crash'
  | 'refuse'
  | 'acceptAndDrop'
  | 'stall'
  | 'blackhole'
  | 'dns'
  | 'block'
  | 'jump';

export interface FaultPlan {
  readonly kind: FaultKind;
  readonly at: number;
  /** Milliseconds; 0 for what is over at once. */
  readonly lasts: number;
  readonly host: string;
  readonly way: Way;
  /** Blocks once more from within. */
  readonly again: boolean;
  /** By how much the wall clock moves. */
  readonly wallMs: number;
}

/** A time in which a fault was on. */
interface Interval {
  readonly fault: FaultPlan;
  readonly from: number;
  to: number;
}

/** The name that clients dial: a fault takes it away. */
export const SERVICE = 'service';

export function drawFaults(dice: Dice, clients: readonly string[], chaosMs: number, staleAfter: number): FaultPlan[] {
  const faults: FaultPlan[] = [];
  for (
    let left = dice.weighted([
      [1, 0],
      [3, dice.int(1, 6)],
      [6, dice.int(5, 25)],
    ]);
    left > 0;
    left -= 1
  ) {
    const kind = dice.weighted<FaultKind>([
      [6, 'cut'],
      [3, 'resetAll'],
      [4, 'freeze'],
      [2, 'crash'],
      [1, 'refuse'],
      [1, 'acceptAndDrop'],
      [2, 'stall'],
      [1, 'blackhole'],
      [1, 'dns'],
      [2, 'block'],
      [2, 'jump'],
    ]);
    const client = dice.pick(clients);
    const way = dice.pick<Way>([
      {},
      {},
      { from: client },
      { to: client },
      { from: 'server' },
      { to: 'server' },
      { from: client, to: 'server' },
    ]);
    const momentary = kind === 'resetAll' || kind === 'jump';
    const lasts = momentary
      ? 0
      : Math.round(dice.chance(0.5) ? staleAfter * (0.2 + 2 * dice.next()) : dice.scale(1, 40_000));
    const anyHost = kind === 'freeze' || kind === 'stall';
    const at = dice.int(0, chaosMs);
    faults.push({
      kind,
      at,
      // When the chaos ends, all is healed.
      lasts: Math.min(lasts, chaosMs - at, kind === 'block' ? 15_000 : chaosMs),
      host: anyHost && dice.chance(0.5) ? client : 'server',
      way,
      again: dice.chance(0.5),
      wallMs: (dice.chance(0.5) ? -1 : 1) * dice.scale(1, 10_000_000),
    });
  }
  return faults.sort((a, b) => a.at - b.at);
}

/** Applies faults, takes them back, and knows when the network or a host really was silent. */
export class Faults {
  private readonly past: Interval[] = [];
  private readonly on = new Map<string, number>();

  constructor(
    private readonly clock: VirtualClock,
    private readonly network: Network,
    private readonly server: { crash(): void; start(): void },
    private readonly note: (what: string) => void,
  ) {}

  schedule(plan: readonly FaultPlan[]): void {
    for (const fault of plan) this.clock.setTimeout(() => this.apply(fault), fault.at);
  }

  /** Milliseconds within `from … to` in which bytes could not reach `hearer` from `speaker`, or be heard there. */
  silent(hearer: string, speaker: string, from: number, to: number, blocksCount: boolean): number {
    const spans = this.past
      .filter(({ fault }) => {
        const { kind, host, way } = fault;
        if (kind === 'cut') return touches(way, hearer, speaker) || touches(way, speaker, hearer);
        if (kind === 'freeze') return host === speaker;
        if (kind === 'stall') return host === hearer;
        return kind === 'block' && blocksCount;
      })
      .map((interval) => [Math.max(from, interval.from), Math.min(to, interval.to)] as const)
      .sort((a, b) => a[0] - b[0]);
    let sum = 0;
    let covered = from;
    for (const [start, end] of spans) {
      sum += Math.max(0, end - Math.max(start, covered));
      covered = Math.max(covered, end);
    }
    return sum;
  }

  /** When a program on `host` was last not called on time, or the clocks moved apart. */
  shakenUntil(host: string): number {
    let last = Number.NEGATIVE_INFINITY;
    for (const { fault, to } of this.past) {
      const { kind } = fault;
      if (kind === 'block' || kind === 'jump' || (kind === 'freeze' && fault.host === host)) last = Math.max(last, to);
    }
    return last;
  }

  frozen(host: string): boolean {
    return this.network.host(host).frozen;
  }

  private apply(fault: FaultPlan): void {
    const { clock, network } = this;
    const interval = { fault, from: clock.now(), to: Number.POSITIVE_INFINITY };
    this.past.push(interval);
    this.note(`fault ${fault.kind} ${fault.kind === 'cut' ? words(fault.way) : fault.host} for ${fault.lasts}`);
    if (fault.kind === 'block') {
      // A timer within the block blocks once more, before the library's timers that came due behind it are called.
      if (fault.again) {
        clock.setTimeout(() => {
          clock.block(fault.lasts);
          interval.to = clock.now();
        }, 1);
      }
      clock.block(fault.lasts);
      interval.to = clock.now();
      return;
    }
    if (fault.kind === 'resetAll' || fault.kind === 'jump') {
      if (fault.kind === 'jump') clock.jump({ wallMs: fault.wallMs });
      else network.resetAll();
      interval.to = clock.now();
      return;
    }
    this.turn(fault, true);
    clock.setTimeout(() => {
      interval.to = clock.now();
      this.note(`fault over: ${fault.kind} ${fault.kind === 'cut' ? words(fault.way) : fault.host}`);
      this.turn(fault, false);
    }, fault.lasts);
  }

  /** The same fault twice ends when both have ended. */
  private turn(fault: FaultPlan, on: boolean): void {
    const key = `${fault.kind} ${fault.kind === 'cut' ? words(fault.way) : fault.host}`;
    const before = this.on.get(key) ?? 0;
    this.on.set(key, before + (on ? 1 : -1));
    if (on ? before === 0 : before === 1) this.set(fault, on);
  }

  private set(fault: FaultPlan, on: boolean): void {
    const host = this.network.host(fault.host);
    switch (fault.kind) {
      case 'cut':
        if (on) this.network.cut(fault.way);
        else this.network.heal(fault.way);
        break;
      case 'freeze':
        if (on) host.freeze();
        else host.thaw();
        break;
      case 'crash':
        if (on) this.server.crash();
        else this.server.start();
        break;
      case 'dns':
        this.network.setName(SERVICE, on ? undefined : 'server');
        break;
      case 'refuse':
      case 'acceptAndDrop':
      case 'stall':
      case 'blackhole':
        host[fault.kind](on);
    }
  }
}

function touches(way: Way, from: string, to: string): boolean {
  return (way.from ?? from) === from && (way.to ?? to) === to;
}

function words(way: Way): string {
  return `${way.from ?? '*'}>${way.to ?? '*'}`;
}

import type { Dice } from '../dice.js';
import type { ClientSide } from './client.js';
import type { ServerSide } from './server.js';
import type { Stage } from './stage.js';

type Kind =
  | 'reset'
  | 'resetThere'
  | 'fin'
  | 'finThere'
  | 'bothEnds'
  | 'ghost'
  | 'cut'
  | 'cutUp'
  | 'cutDown'
  | 'freeze'
  | 'freezeServer'
  | 'stall'
  | 'refuse'
  | 'acceptAndDrop'
  | 'blackhole'
  | 'block'
  | 'reconnectNow';

/** Breaks sockets, by every means, until the chaos is over. */
export class Breaks {
  /** How often each was done. */
  readonly done: Record<string, number> = {};
  /** What is on, and how to end it. */
  private readonly on = new Map<string, { count: number; readonly end: () => void }>();
  private over = false;

  constructor(
    private readonly stage: Stage,
    private readonly dice: Dice,
    private readonly server: ServerSide,
    private readonly clients: readonly ClientSide[],
  ) {}

  begin(): void {
    const { stage, dice } = this;
    const { breaks, chaosMs } = stage.plan;
    for (const client of this.clients) this.next(client);
    for (let left = breaks.crashes; left > 0; left -= 1) {
      const at = dice.int(0, chaosMs);
      stage.clock.setTimeout(() => {
        if (this.over) return;
        this.server.crash();
        this.last(
          'crash',
          'server',
          dice.scale(1, breaks.longest),
          () => {},
          () => this.server.start(),
        );
      }, at);
    }
  }

  /** A fresh socket: it may break in its handshake, or in the replay behind it. */
  dialed(client: ClientSide): void {
    const { stage, dice } = this;
    if (this.over || !dice.chance(stage.plan.breaks.early)) return;
    stage.clock.setTimeout(() => this.strike(client), dice.next() * 4 * stage.plan.roundTrip);
  }

  /** All is healed. */
  end(): void {
    this.over = true;
    for (const { end } of this.on.values()) end();
    this.on.clear();
  }

  private next(client: ClientSide): void {
    const { stage, dice } = this;
    const wait = dice.int(1, 2 * stage.plan.breaks.every);
    if (stage.clock.now() + wait > stage.plan.chaosMs) return;
    stage.clock.setTimeout(() => {
      this.strike(client);
      this.next(client);
    }, wait);
  }

  private strike(client: ClientSide): void {
    const { stage, dice } = this;
    const { wire, name } = client;
    if (this.over) return;
    const kind = dice.weighted<Kind>([
      [4, 'reset'],
      [3, 'resetThere'],
      [2, 'fin'],
      [2, 'finThere'],
      [3, 'bothEnds'],
      [4, 'ghost'],
      [2, 'cut'],
      [2, 'cutUp'],
      [2, 'cutDown'],
      [0.5, 'freeze'],
      [0.5, 'freezeServer'],
      [0.5, 'stall'],
      [0.3, 'refuse'],
      [0.3, 'acceptAndDrop'],
      [0.2, 'blackhole'],
      [0.2, 'block'],
      [2, 'reconnectNow'],
    ]);
    const ms = Math.round(dice.scale(1, stage.plan.breaks.longest));
    this.done[kind] = (this.done[kind] ?? 0) + 1;
    stage.note(`break ${kind} ${name} ${ms}`);
    const there = wire && this.server.otherEndOf(wire);
    const { network } = stage;
    const host = network.host('server');
    switch (kind) {
      case 'reset':
      case 'fin':
        wire?.kill(kind);
        return;
      case 'resetThere':
        there?.kill('reset');
        return;
      case 'finThere':
        there?.kill('fin');
        return;
      case 'bothEnds':
        wire?.kill('reset');
        there?.kill('reset');
        return;
      case 'ghost':
        // The server hears of the old socket long after the client has another one.
        there?.holdUp(ms);
        wire?.kill(dice.chance(0.5) ? 'reset' : 'fin');
        return;
      case 'reconnectNow':
        if (!client.closing) client.connection.reconnectNow();
        return;
      case 'block':
        stage.clock.block(Math.min(ms, 1000));
        return;
      case 'cut':
      case 'cutUp':
      case 'cutDown': {
        const ways = [
          { from: name, to: 'server' },
          { from: 'server', to: name },
        ].filter(({ from }) => kind === 'cut' || (from === 'server') === (kind === 'cutDown'));
        for (const way of ways) {
          const words = `cut ${way.from}`;
          this.last(
            words,
            name,
            ms,
            () => network.cut(way),
            () => network.heal(way),
          );
        }
        return;
      }
      case 'freeze':
        this.last(
          kind,
          name,
          ms,
          () => network.host(name).freeze(),
          () => network.host(name).thaw(),
        );
        return;
      case 'freezeServer':
        this.last(
          kind,
          'server',
          ms,
          () => host.freeze(),
          () => host.thaw(),
        );
        return;
      default:
        this.last(
          kind,
          'server',
          ms,
          () => host[kind](true),
          () => host[kind](false),
        );
    }
  }

  /** The same twice ends when both have ended. */
  private last(what: string, who: string, ms: number, begin: () => void, end: () => void): void {
    const key = `${what} ${who}`;
    const entry = this.on.get(key) ?? { count: 0, end };
    if (entry.count === 0) begin();
    entry.count += 1;
    this.on.set(key, entry);
    this.stage.clock.setTimeout(() => {
      entry.count -= 1;
      if (entry.count > 0 || !this.on.has(key)) return;
      this.on.delete(key);
      end();
    }, ms);
  }
}

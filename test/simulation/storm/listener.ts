import type { Timeline } from './timeline.js';

/**
 * A listening port and the process behind it. The kernel keeps `backlog` + 1 open sockets for the process, as Linux does
 * (its check is "longer than", not "as long as"); the process takes one after the other, each in the same time.
 *
 * Half-open sockets have no bound of their own: with SYN cookies, the default, none is turned away for their number.
 */
export class Listener<Socket> {
  /** Open, and waiting for the process. */
  private queue: Socket[] = [];
  /** The one that the process is busy with. */
  private taken: Socket | undefined;
  /** A process that died does not finish what it had begun. */
  private lives = 0;

  constructor(
    private readonly timeline: Timeline,
    private readonly backlog: number,
    private readonly perSecond: number,
    private readonly served: (socket: Socket) => void,
  ) {}

  get full(): boolean {
    return this.queue.length > this.backlog;
  }

  /** The last ACK of a handshake came, and there is room. */
  push(socket: Socket): void {
    this.queue.push(socket);
    if (this.taken === undefined) this.take();
  }

  /** The process dies: all that was open is gone with it, whether it had been taken or not. */
  die(): Socket[] {
    const gone = this.taken === undefined ? [] : [this.taken, ...this.queue];
    this.queue = [];
    this.taken = undefined;
    this.lives += 1;
    return gone;
  }

  private take(): void {
    const socket = this.queue.shift();
    this.taken = socket;
    if (socket === undefined) return;
    const { lives } = this;
    this.timeline.at(this.timeline.now + 1000 / this.perSecond, () => {
      if (lives !== this.lives) return;
      this.served(socket);
      this.take();
    });
  }
}

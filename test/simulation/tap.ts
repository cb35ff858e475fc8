/** Listens at the seam between the library and the network: what each socket really heard, whatever the library says. */
import type { Clock, Environment, Timer, Transport } from '../../src/index.js';

export class Tapped {
  openedAt = Number.POSITIVE_INFINITY;
  /** The last chunk, or the opening. */
  heardAt = 0;
  chunks = 0;
  /** Reading was resumed. */
  resumedAt = 0;
  paused = false;
  ended = false;
  /** It broke, or closed without our doing. */
  broke = false;
  /** The library threw it away, or it is gone. */
  over = false;
  /** Bytes written before the first chunk came. */
  writtenUnheard = 0;

  constructor(
    readonly transport: Transport,
    /** The number of this dial, from 1. */
    readonly epoch: number,
  ) {}

  open(now: number): void {
    this.openedAt = now;
    this.heardAt = now;
  }
}

type Now = () => number;

function tap(transport: Transport, tapped: Tapped, now: Now): Transport {
  return {
    attach: (handlers) =>
      transport.attach({
        opened() {
          tapped.open(now());
          handlers.opened();
        },
        chunk(bytes) {
          tapped.heardAt = now();
          tapped.chunks += 1;
          handlers.chunk(bytes);
        },
        ended() {
          tapped.ended = true;
          handlers.ended();
        },
        failed(error) {
          tapped.broke = true;
          handlers.failed(error);
        },
        closed() {
          if (!tapped.over) tapped.broke = true;
          tapped.over = true;
          handlers.closed();
        },
      }),
    write(bytes, written) {
      if (tapped.chunks === 0) tapped.writtenUnheard += bytes.length;
      transport.write(bytes, written);
    },
    cork: () => transport.cork(),
    uncork: () => transport.uncork(),
    end: (finished) => transport.end(finished),
    destroy() {
      tapped.over = true;
      transport.destroy();
    },
    reset() {
      tapped.over = true;
      transport.reset();
    },
    pause() {
      tapped.paused = true;
      transport.pause();
    },
    resume() {
      if (tapped.paused) tapped.resumedAt = now();
      tapped.paused = false;
      transport.resume();
    },
    ref: () => transport.ref(),
    unref: () => transport.unref(),
    get pendingBytes() {
      return transport.pendingBytes;
    },
    get remoteAddress() {
      return transport.remoteAddress;
    },
    get remotePort() {
      return transport.remotePort;
    },
    get localAddress() {
      return transport.localAddress;
    },
    get localPort() {
      return transport.localPort;
    },
  };
}

/** The same clock, and the library's timers that are set on it. */
function tapClock(clock: Clock, timers: Set<Timer>): Clock {
  return {
    now: () => clock.now(),
    wallNow: () => clock.wallNow(),
    polledAt: () => clock.polledAt(),
    defer: (callback) => clock.defer(callback),
    setTimeout(callback, ms) {
      const timer = clock.setTimeout(() => {
        timers.delete(timer);
        callback();
      }, ms);
      timers.add(timer);
      return timer;
    },
    clearTimeout(timer) {
      timers.delete(timer);
      clock.clearTimeout(timer);
    },
  };
}

export interface TappedEnvironment extends Environment {
  readonly timers: ReadonlySet<Timer>;
}

/** The same environment, with an ear at every socket. `heard` is called with each before the library has it. */
export function tapEnvironment(environment: Environment, heard: (tapped: Tapped) => void): TappedEnvironment {
  let dials = 0;
  const timers = new Set<Timer>();
  const now: Now = () => environment.clock.now();
  const listenTo = (transport: Transport, epoch: number): Transport => {
    const tapped = new Tapped(transport, epoch);
    if (epoch === 0) tapped.open(now());
    heard(tapped);
    return tap(transport, tapped, now);
  };
  return {
    timers,
    clock: tapClock(environment.clock, timers),
    random: () => environment.random(),
    warn: (error) => environment.warn(error),
    dial: (target) => {
      dials += 1;
      return listenTo(environment.dial(target), dials);
    },
    listen: (target, handlers) =>
      environment.listen(target, {
        ...handlers,
        accepted: (transport) => handlers.accepted(listenTo(transport, 0)),
      }),
  };
}

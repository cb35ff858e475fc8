import { EventEmitter } from 'node:events';
import { messageOf, NinjaTcpError } from '../errors.js';
import { handlerThrew, Peer } from '../peer.js';
import type { ServerEvents } from './events.js';

/** How a server tells what happens. What a listener throws is reported, and harms nobody else. */
export abstract class Voice extends EventEmitter<ServerEvents> {
  constructor() {
    super({ captureRejections: true });
  }

  /** Tells people where no listener does. */
  protected abstract warn(error: NinjaTcpError): void;

  /** Emits; what a listener throws is reported, and harms nobody else. */
  protected announce<Name extends keyof ServerEvents>(name: Name, ...event: ServerEvents[Name]): void {
    try {
      (this as EventEmitter).emit(name, ...event);
    } catch (cause) {
      this.listenerThrew(name, cause, event[0]);
    }
  }

  /** An async listener rejected: Node brings it here. A listener of `peer` is a handler of that peer. */
  [Symbol.for('nodejs.rejection')](cause: unknown, name: string, subject: unknown): void {
    this.listenerThrew(name, cause, subject);
  }

  private listenerThrew(name: string, cause: unknown, subject: unknown): void {
    if (name === 'peer' && subject instanceof Peer) {
      handlerThrew(subject, cause);
      return;
    }
    const message = `a listener of '${name}' threw: ${messageOf(cause)}`;
    this.warn(new NinjaTcpError('NINJA_HANDLER_FAILED', message, cause));
  }
}

import type { ConnectionActor, ConnectionLife } from './connection-life.js';
import type { Reason } from './errors.js';
import type { ConnectionEvents, ConnectionState } from './line/connection-events.js';
import type { ConnectionLine } from './line/connection-line.js';
import { connectionWords } from './line/explain.js';
import { Face } from './line/face.js';
import type { Step } from './line/line.js';
import type { ConnectionStatus } from './line/status.js';
import { connectionStatus, connectionTimers } from './line/statuses.js';
import type { ConnectionSnapshot } from './snapshot.js';
import { type Target, targetWords } from './target.js';

/** What can be seen of a connection. */
export abstract class ConnectionView extends Face<ConnectionLine, ConnectionEvents, ConnectionStatus> {
  readonly kind = 'connection';
  protected abstract readonly life: ConnectionLife;

  /** The XState actor itself. It is made when it is first asked for, as a peer's. */
  get actor(): ConnectionActor {
    return this.life.actor;
  }

  /** One of the five states of docs/states.md. */
  get state(): ConnectionState {
    // A chart that broke stands where it was.
    return this.endReason ? 'disposed' : this.life.state;
  }

  /** The state within the state: `idle`, `waiting`, `failed`; `dialing`, `greeting`; `unproven`, `live`, `draining`. */
  get substate(): string | undefined {
    return this.endReason ? undefined : this.life.substate;
  }

  /** The number of the present or last attempt, from 1. */
  get epoch(): number {
    return this.life.context.epoch;
  }

  /** Where the present or last attempt went; before the first, where it will go. */
  get endpoint(): Readonly<Target> {
    return this.line.endpoints.current;
  }

  /** Why the last line was lost, or the life ended. */
  get reason(): Reason | undefined {
    return this.endReason ?? this.life.context.reason;
  }

  /** All there is to see of it, as plain values. */
  get snapshot(): ConnectionSnapshot {
    const { context } = this.life;
    const { failures } = context;
    return {
      kind: 'connection',
      ...this.lineSnapshot(connectionTimers(this.line, this.standing, context)),
      endpoint: targetWords(this.endpoint),
      failures,
      attempt: failures + 1,
    };
  }

  protected override get standing(): Step {
    const { epoch, failures, retryInMs, reason } = this.life.context;
    return { ...super.standing, epoch, failures, retryInMs, reason: this.endReason ?? reason };
  }

  protected statusOf(step: Step): ConnectionStatus {
    return connectionStatus(step);
  }

  /** One sentence on where it stands, why, and what comes next. */
  explain(): string {
    return connectionWords(this.name, this.line, this.standing);
  }
}

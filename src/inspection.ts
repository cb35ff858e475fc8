/** XState's inspection, attached to one statechart: what an inspector throws harms nothing, and nobody pays who does not look. */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { messageOf, NinjaTcpError, show } from './errors.js';

/** What hears each event of XState's inspection. */
export type InspectorFunction = (event: InspectionEvent) => unknown;

/** The same, as an object. */
export interface InspectorObserver {
  next?: InspectorFunction | undefined;
}

/**
 * An XState inspector: a function, an observer, or what `createBrowserInspector()`, `createWebSocketInspector()`,
 * `createSkyInspector()` and `createInspector()` of `@statelyai/inspect` return.
 */
export type Inspector =
  | InspectorFunction
  | InspectorObserver
  | { readonly inspect: InspectorFunction | InspectorObserver };

/** @returns undefined where it is no inspector */
function hearing(inspector: unknown): InspectorFunction | undefined {
  if (typeof inspector === 'function') return inspector as InspectorFunction;
  if (typeof inspector !== 'object' || inspector === null) return undefined;
  // What a package returns has both, perhaps: then `inspect` is meant.
  if ('inspect' in inspector) return hearing(inspector.inspect);
  if (!('next' in inspector) || typeof inspector.next !== 'function') return undefined;
  const observer = inspector as { next: InspectorFunction };
  return (event) => observer.next(event);
}

/** @throws NinjaTcpError `NINJA_INVALID_OPTION` */
export function checkedInspector(what: string, inspector: unknown): InspectorFunction {
  const found = hearing(inspector);
  if (found) return found;
  const rule = 'an XState inspector: a function, an observer { next }, or what @statelyai/inspect returns';
  throw new NinjaTcpError('NINJA_INVALID_OPTION', `${what} must be ${rule}, got ${show(inspector)}`);
}

/**
 * One inspector, on one statechart or on several. One that throws would jam XState for good: it is caught, detached from
 * all of them, and warned of once.
 */
export class Inspection {
  over = false;
  private readonly attached = new Map<AnyActorRef, { unsubscribe(): void }>();

  constructor(
    private readonly inspector: InspectorFunction,
    private readonly warn: (error: Error) => void,
  ) {}

  /**
   * Attaches it to a statechart that runs, and first tells it what is there: `@xstate.actor` and `@xstate.snapshot` of the
   * chart and of its children. One that has not started yet tells its first snapshot itself.
   */
  add(actor: AnyActorRef, started = true): void {
    if (started) introduce(actor, this.tell);
    else this.tell({ type: '@xstate.actor', actorRef: actor, rootId: actor.sessionId });
    if (!this.over) this.attached.set(actor, actor.system.inspect({ next: this.tell }));
  }

  /** Detaches it from one of them. */
  leave(actor: AnyActorRef): void {
    this.attached.get(actor)?.unsubscribe();
    this.attached.delete(actor);
  }

  readonly unsubscribe = (): void => {
    this.over = true;
    for (const one of this.attached.keys()) this.leave(one);
  };

  private readonly tell = (event: InspectionEvent): void => {
    if (this.over) return;
    try {
      const result = this.inspector(event);
      if (result instanceof Promise) result.catch(this.fail);
    } catch (error) {
      this.fail(error);
    }
  };

  private readonly fail = (cause: unknown): void => {
    if (this.over) return;
    this.unsubscribe();
    const words = `an inspector threw, and is detached: ${messageOf(cause)}`;
    this.warn(new NinjaTcpError('NINJA_HANDLER_FAILED', words, cause));
  };
}

/** Attaches an inspector to a statechart: {@link Inspection}. */
export function attach(
  actor: AnyActorRef,
  inspector: InspectorFunction,
  warn: (error: Error) => void,
  started = true,
): Inspection {
  const inspection = new Inspection(inspector, warn);
  inspection.add(actor, started);
  return inspection;
}

function introduce(actor: AnyActorRef, tell: (event: InspectionEvent) => void): void {
  const rootId = actor.sessionId;
  const snapshot = actor.getSnapshot();
  const children = Object.values(snapshot.children ?? {}) as AnyActorRef[];
  for (const actorRef of [actor, ...children]) {
    tell({ type: '@xstate.actor', actorRef, rootId });
    const standing = actorRef.getSnapshot();
    tell({ type: '@xstate.snapshot', actorRef, event: { type: 'xstate.init' }, snapshot: standing, rootId });
  }
}

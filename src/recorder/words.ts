/** What a statechart did, in words of its own plan. */

/** An action, as XState tells of it. */
export interface Action {
  readonly type: string;
  readonly params: unknown;
}

interface Done {
  /** Undefined for what the states entered tell already. */
  readonly words: string | undefined;
  /** A delayed transition is under way from now on. */
  readonly sets?: { readonly event: string; readonly ms: number };
  /** This one is not, any more. */
  readonly clears?: string;
}

interface Params {
  readonly id?: unknown;
  readonly actorRef?: { readonly id: string };
  readonly event?: { readonly type: string };
  readonly delay?: number;
  readonly sendId?: string;
  readonly targetId?: string;
  readonly code?: string;
}

/** `silence`, from `xstate.after.silence.peer.connected.watch.listening`; what is no delay as it is. */
export function delayName(event: string): string {
  return /^xstate\.after\.([^.]+)\./.exec(event)?.[1] ?? event;
}

/** `settleHeld NINJA_DISPOSED`, `announce live`, `set silence 3000 ms` */
export function wordsOf({ type, params }: Action): Done {
  const { id, actorRef, event, delay, sendId, targetId, code } = (params ?? {}) as Params;
  const what = event?.type ?? '';
  switch (type) {
    case 'remember':
      return { words: undefined };
    case 'xstate.emit':
      return { words: `announce ${what}` };
    case 'xstate.raise':
      return delay === undefined
        ? { words: `raise ${what}` }
        : { words: `set ${delayName(what)} ${delay} ms`, sets: { event: what, ms: delay } };
    case 'xstate.cancel':
      return { words: `clear ${delayName(sendId ?? '')}`, clears: sendId ?? '' };
    case 'xstate.spawnChild':
      return { words: `start ${actorRef?.id}` };
    case 'xstate.stopChild':
      return { words: `stop ${typeof id === 'string' ? id : 'no socket'}` };
    case 'xstate.sendTo':
      return { words: `tell ${targetId ?? 'its socket'} ${what}` };
    default:
      return { words: code === undefined ? type : `${type} ${code}` };
  }
}

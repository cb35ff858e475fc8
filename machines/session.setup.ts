/** The vocabulary of a session's statechart: events, context, actions, guards, the delay. */
import { assign, emit, setup } from 'xstate';
import { causeOf } from './line.setup.js';

/** Whose end of the session it is. Only the server's clock ends one: the client cannot know when that began to count. */
export type SessionSide = 'client' | 'server';

/** Messages in a row, by their numbers, both included. */
interface Numbers {
  readonly from: number;
  readonly to: number;
}

/** How a session ended. */
export type SessionVerdict =
  /** Everything of this side was handled. */
  | { readonly how: 'closed' }
  | {
      readonly how: 'lost';
      /** The refusal, or `ABANDONED` by this side. */
      readonly code: string;
      /** Of this side's messages everything up to this number was handled. */
      readonly handledUpTo: number;
      /** These were written, and nobody can say. */
      readonly unknown: Numbers | undefined;
      /** These were not. */
      readonly notSent: Numbers | undefined;
    };

/** The hands of a session's statechart. The core of the protocol does the work, and tells what became of it as facts. */
export interface SessionPorts {
  /** Monotonic milliseconds, as those of the facts. */
  now(): number;
  /** How long a session without a socket is kept, as it was granted, milliseconds. Asked of a server's only. */
  resumeWindow(): number;
  /** Nobody came back for it: ends it. `session.ended` follows. */
  expire(): void;
  /** Gives it up. `session.ended` follows. */
  abandon(): void;
  /** No more will be sent: it ends when all is handled. */
  finish(): void;
  /** A state was entered, by this cause: for the history. */
  entered(state: string, cause: string, standing: Pick<SessionStanding, 'epoch' | 'lastReason'>): void;
  toJSON(): undefined;
}

/** How a session stands, beside its state. */
export interface SessionStanding {
  /** Monotonic milliseconds at which the present state was entered. */
  readonly since: number;
  /** The number of its socket in this session, from 1; 0 before the first. */
  readonly epoch: number;
  /** How often it went on over another socket. */
  readonly resumes: number;
  /** Messages of this side that were written again at the last resume. */
  readonly replayed: number;
  /** Messages of the other side that came twice, ever. */
  readonly deduplicated: number;
  /** The last refusal, or why it is lost. */
  readonly lastReason: string | undefined;
  /** `finish` was ordered. */
  readonly leaving: boolean;
  readonly end: SessionVerdict | undefined;
}

/** A session before anything happened. */
export const freshSession: SessionStanding = {
  since: 0,
  epoch: 0,
  resumes: 0,
  replayed: 0,
  deduplicated: 0,
  lastReason: undefined,
  leaving: false,
  end: undefined,
};

export interface SessionContext extends SessionStanding {
  readonly ports: SessionPorts;
  readonly side: SessionSide;
  /** Since when it has no socket, monotonic milliseconds. */
  readonly awaySince: number | undefined;
}

export interface SessionInput {
  readonly ports: SessionPorts;
  readonly side: SessionSide;
  /** How it stands already, for a chart that is made late and led through the last facts. */
  readonly standing?: SessionStanding;
}

/** What the core tells. `at`: monotonic milliseconds. */
export type SessionFact =
  /** A socket is open for it, and was asked for a session, or for this one again. */
  | { readonly type: 'session.opening'; readonly at: number }
  | ({ readonly type: 'session.attached'; readonly at: number; readonly resumed: boolean } & Pick<
      SessionStanding,
      'epoch' | 'replayed' | 'deduplicated'
    >)
  | { readonly type: 'session.detached'; readonly at: number }
  /** Not this time. `anew`: nothing was carried yet, so another session will be asked for. */
  | { readonly type: 'session.refused'; readonly at: number; readonly code: string; readonly anew: boolean }
  | { readonly type: 'session.ended'; readonly at: number; readonly end: SessionVerdict };

export type SessionEvent = { readonly type: 'abandon' } | { readonly type: 'finish' } | SessionFact;

export type SessionAnnouncement =
  | {
      readonly type: 'resumed';
      readonly replayed: number;
      readonly deduplicated: number;
      /** Milliseconds without a socket. */
      readonly afterMs: number;
    }
  | ({ readonly type: 'sessionLost' } & Omit<Extract<SessionVerdict, { readonly how: 'lost' }>, 'how'>);

/** Node's timers know no longer delay. */
const LONGEST = 2 ** 31 - 1;

/** What is left of the resume window, milliseconds, of a session that is without a socket since `since`. */
export function windowLeft(ports: Pick<SessionPorts, 'now' | 'resumeWindow'>, since: number): number {
  return Math.min(LONGEST, Math.max(0, since + ports.resumeWindow() - ports.now()));
}

export const sessionSetup = setup({
  types: {
    context: {} as SessionContext,
    events: {} as SessionEvent,
    emitted: {} as SessionAnnouncement,
    input: {} as SessionInput,
  },
  actions: {
    noteOffLine: assign(({ context, event }) => ({
      since: 'at' in event ? event.at : context.since,
      awaySince: undefined,
    })),
    noteAttached: assign(({ event }) => {
      if (event.type !== 'session.attached') return {};
      const { at, epoch, replayed, deduplicated } = event;
      return { since: at, awaySince: undefined, epoch, replayed, deduplicated };
    }),
    countResume: assign(({ context }) => ({ resumes: context.resumes + 1 })),
    noteDetached: assign(({ event }) =>
      event.type === 'session.detached' ? { since: event.at, awaySince: event.at } : {},
    ),
    noteRefusal: assign(({ event }) => (event.type === 'session.refused' ? { lastReason: event.code } : {})),
    noteLeaving: assign({ leaving: true }),
    noteEnd: assign(({ context, event }) => {
      if (event.type !== 'session.ended') return {};
      const { at, end } = event;
      return {
        since: at,
        awaySince: undefined,
        end,
        lastReason: end.how === 'lost' ? end.code : context.lastReason,
      };
    }),
    expire: ({ context }) => context.ports.expire(),
    abandon: ({ context }) => context.ports.abandon(),
    finish: ({ context }) => context.ports.finish(),
    remember: ({ context, event }, params: { state: string }) => {
      const { epoch, lastReason } = context;
      context.ports.entered(params.state, causeOf(event.type), { epoch, lastReason });
    },
    announceResumed: emit(({ context, event }) => {
      const { at, replayed, deduplicated } = event as Extract<SessionEvent, { type: 'session.attached' }>;
      return { type: 'resumed', replayed, deduplicated, afterMs: at - (context.awaySince ?? at) };
    }),
    announceLost: emit(({ context }) => {
      const { how: _, ...lost } = context.end as Extract<SessionVerdict, { how: 'lost' }>;
      return { type: 'sessionLost', ...lost };
    }),
  },
  guards: {
    resumed: ({ event }) => event.type === 'session.attached' && event.resumed,
    beginsAnew: ({ event }) => event.type === 'session.refused' && event.anew,
    allHandled: ({ context }) => context.end?.how === 'closed',
    onServer: ({ context }) => context.side === 'server',
  },
  delays: {
    // A client's guard lets nothing happen then; it has to be some delay.
    resumeWindow: ({ context: { side, ports, since } }) => (side === 'server' ? windowLeft(ports, since) : LONGEST),
  },
});

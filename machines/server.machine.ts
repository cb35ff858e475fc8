import { assign, emit, fromCallback, setup, spawnChild, stopChild } from 'xstate';
import type { ErrorCode, Reason } from '../src/errors.js';
import { causeOf } from './line.setup.js';

/** What a listening port says. */
export type AcceptorFact =
  | { readonly type: 'acceptor.listening' }
  /** It could not be bound, or was lost. */
  | { readonly type: 'acceptor.failed'; readonly code: ErrorCode; readonly message: string }
  /** The process is short of descriptors. */
  | { readonly type: 'acceptor.starved'; readonly code: ErrorCode; readonly message: string };

/** The hands of the server's statechart. */
export interface ServerPorts {
  /** Wall-clock milliseconds since 1970. */
  wallNow(): number;
  /** Binds the port and reports; after a pause the same port again. */
  openAcceptor(report: (fact: AcceptorFact) => void): { close(): void };
  /** Whether the process has descriptors enough to listen again. */
  enoughDescriptors(): boolean;
  /** A state was entered, by this cause: for the history. */
  entered(state: string, cause: string, reason: Reason | undefined): void;
  toJSON(): undefined;
}

export interface ServerContext {
  readonly ports: ServerPorts;
  /** Milliseconds. */
  readonly drainTimeout: number;
  /** Why it is paused, or ended. */
  readonly reason: Reason | undefined;
}

export interface ServerInput {
  readonly ports: ServerPorts;
  readonly drainTimeout: number;
}

export type ServerEvent =
  | { readonly type: 'listen' }
  | { readonly type: 'close' }
  | { readonly type: 'dispose' }
  | { readonly type: 'peers.gone' }
  | AcceptorFact;

export type ServerAnnouncement =
  | { readonly type: 'listening' }
  | { readonly type: 'paused' }
  /** Every peer is to drain now. `peers.gone` is sent when the last one is disposed, at once if there is none. */
  | { readonly type: 'draining' }
  /** Every peer is to be disposed of. */
  | { readonly type: 'disposed'; readonly reason: Reason };

/** Stands for the listening port where there is no network: does nothing. `listen()` puts the real one in. */
const inertAcceptor = fromCallback<{ type: 'close' }, { readonly ports: ServerPorts }>(() => {});

/** So long the port stays closed before it is looked whether descriptors are free, milliseconds: nginx's measure. */
const PAUSE = 500;

function blame(context: ServerContext, code: ErrorCode, message: string): { reason: Reason } {
  return { reason: { code, message, at: context.ports.wallNow(), epoch: 0 } };
}

const serverSetup = setup({
  types: {
    context: {} as ServerContext,
    events: {} as ServerEvent,
    emitted: {} as ServerAnnouncement,
    input: {} as ServerInput,
  },
  actors: { acceptor: inertAcceptor },
  actions: {
    spawnAcceptor: spawnChild('acceptor', { id: 'acceptor', input: ({ context }) => ({ ports: context.ports }) }),
    stopAcceptor: stopChild('acceptor'),
    blameAcceptor: assign(({ context, event }) =>
      event.type === 'acceptor.failed' || event.type === 'acceptor.starved'
        ? blame(context, event.code, event.message)
        : {},
    ),
    forgetReason: assign({ reason: undefined }),
    blameClose: assign(({ context }) => blame(context, 'NINJA_DISPOSED', 'the program called close()')),
    blameDispose: assign(({ context }) => blame(context, 'NINJA_DISPOSED', 'the program called dispose()')),
    blameDrainTimeout: assign(({ context }) =>
      blame(context, 'NINJA_DRAIN_TIMEOUT', `peers were not drained within ${context.drainTimeout} ms`),
    ),
    remember: ({ context, event }, params: { state: string }) =>
      context.ports.entered(params.state, causeOf(event.type), context.reason),
    announceListening: emit({ type: 'listening' }),
    announcePaused: emit({ type: 'paused' }),
    announceDraining: emit({ type: 'draining' }),
    announceDisposed: emit(({ context }) => ({
      type: 'disposed',
      reason: context.reason ?? blame(context, 'NINJA_DISPOSED', 'disposed before anything happened').reason,
    })),
  },
  guards: { enoughDescriptors: ({ context }) => context.ports.enoughDescriptors() },
  delays: { drainTimeout: ({ context }) => context.drainTimeout, pause: PAUSE },
});

/** A listener: `closed → binding → listening → draining → disposed`, and `paused` while descriptors are short. */
export const serverMachine = serverSetup.createMachine({
  id: 'server',
  description: 'A listening port and the peers that it accepted.',
  context: ({ input }) => ({ ports: input.ports, drainTimeout: input.drainTimeout, reason: undefined }),
  initial: 'closed',
  on: { dispose: { target: '.disposed', actions: 'blameDispose', description: 'Ends at once, from anywhere.' } },
  states: {
    closed: {
      description: 'Not bound yet.',
      entry: { type: 'remember', params: { state: 'closed' } },
      on: { listen: { target: 'binding' }, close: { target: 'disposed', actions: 'blameClose' } },
    },
    binding: {
      description: 'The system is asked for the port.',
      entry: [{ type: 'remember', params: { state: 'binding' } }, 'spawnAcceptor'],
      on: {
        'acceptor.listening': { target: 'listening' },
        'acceptor.failed': { target: 'disposed', actions: 'blameAcceptor' },
        close: { target: 'disposed', actions: 'blameClose' },
      },
    },
    listening: {
      description: 'Sockets are accepted; each gets a peer with a statechart of its own.',
      entry: ['forgetReason', { type: 'remember', params: { state: 'listening' } }, 'announceListening'],
      on: {
        'acceptor.starved': { target: 'paused', actions: 'blameAcceptor' },
        'acceptor.failed': { target: 'disposed', actions: 'blameAcceptor' },
        close: { target: 'draining', actions: 'blameClose' },
      },
    },
    paused: {
      description: 'The process is short of descriptors: the port is closed for a while, and peers live on.',
      entry: [{ type: 'remember', params: { state: 'paused' } }, 'stopAcceptor', 'announcePaused'],
      initial: 'waiting',
      on: { close: { target: 'draining', actions: 'blameClose' } },
      states: {
        waiting: {
          description: 'The port is closed; now and then it is looked whether descriptors are free.',
          after: {
            pause: [
              { guard: 'enoughDescriptors', target: 'rebinding' },
              { target: 'waiting', reenter: true },
            ],
          },
        },
        rebinding: {
          description: 'The system is asked for the same port again.',
          entry: 'spawnAcceptor',
          on: {
            'acceptor.listening': { target: '#server.listening' },
            'acceptor.failed': {
              target: 'waiting',
              actions: 'stopAcceptor',
              description: 'Somebody else has it, perhaps for a moment.',
            },
          },
        },
      },
    },
    draining: {
      description: 'Accepts no more; every peer drains.',
      entry: [{ type: 'remember', params: { state: 'draining' } }, 'stopAcceptor', 'announceDraining'],
      after: { drainTimeout: { target: 'disposed', actions: 'blameDrainTimeout' } },
      on: { 'peers.gone': { target: 'disposed' } },
    },
    disposed: {
      description: 'The end. Port and peers are gone, the reason is kept.',
      type: 'final',
      entry: [{ type: 'remember', params: { state: 'disposed' } }, 'stopAcceptor', 'announceDisposed'],
    },
  },
});

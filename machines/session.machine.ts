import { freshSession, sessionSetup } from './session.setup.js';

/**
 * A session over any number of sockets: `fresh → establishing → attached ⇄ detached → ended`. It hears facts of the core,
 * and decides one thing: when nobody came back for it in time.
 */
export const sessionMachine = sessionSetup.createMachine({
  id: 'session',
  description: 'A session, which outlives its sockets.',
  context: ({ input: { ports, side, standing } }) => ({
    ...freshSession,
    ...standing,
    ports,
    side,
    awaySince: undefined,
  }),
  initial: 'fresh',
  on: {
    'session.ended': { target: '.ended', actions: 'noteEnd' },
    finish: { actions: ['noteLeaving', 'finish'], description: 'It ends when all is handled, both ways.' },
    abandon: { actions: 'abandon', description: 'It ends at once, as lost.' },
  },
  states: {
    fresh: {
      description: 'Never on a line.',
      entry: { type: 'remember', params: { state: 'fresh' } },
      on: {
        'session.opening': { target: 'establishing', actions: 'noteOffLine' },
        'session.attached': [
          {
            guard: 'resumed',
            target: 'attached',
            actions: ['announceResumed', 'countResume', 'noteAttached'],
            description: 'It was kept elsewhere, and goes on here.',
          },
          { target: 'attached', actions: 'noteAttached', description: 'A server answers at once.' },
        ],
      },
    },
    establishing: {
      description: 'The server was asked for a session.',
      entry: { type: 'remember', params: { state: 'establishing' } },
      on: {
        'session.attached': { target: 'attached', actions: 'noteAttached' },
        'session.detached': { target: 'fresh', actions: 'noteOffLine', description: 'The socket is gone, unanswered.' },
        'session.refused': { target: 'fresh', actions: ['noteRefusal', 'noteOffLine'] },
      },
    },
    attached: {
      description: 'It has a socket: messages go both ways.',
      entry: { type: 'remember', params: { state: 'attached' } },
      on: {
        'session.detached': { target: 'detached', actions: 'noteDetached' },
        'session.attached': [
          {
            guard: 'resumed',
            target: 'attached',
            reenter: true,
            actions: ['announceResumed', 'countResume', 'noteAttached'],
            description: 'Another socket took the place of one that seemed to live.',
          },
          {
            target: 'attached',
            reenter: true,
            actions: 'noteAttached',
            description: 'The client asked for it twice: the first answer was lost.',
          },
        ],
      },
    },
    detached: {
      description: 'It has no socket: what is not acknowledged is kept until there is another.',
      entry: { type: 'remember', params: { state: 'detached' } },
      after: {
        resumeWindow: {
          guard: 'onServer',
          actions: 'expire',
          description: 'Nobody came back for it: it is ended, and how is told by session.ended.',
        },
      },
      on: {
        'session.attached': [
          { guard: 'resumed', target: 'attached', actions: ['announceResumed', 'countResume', 'noteAttached'] },
          { target: 'attached', actions: 'noteAttached', description: 'The first answer was lost: it begins again.' },
        ],
        'session.refused': [
          {
            guard: 'beginsAnew',
            target: 'fresh',
            actions: ['noteRefusal', 'noteOffLine'],
            description: 'Nothing was carried: another one loses nothing.',
          },
          { actions: 'noteRefusal', description: 'Not this time.' },
        ],
      },
    },
    ended: {
      description: 'Over for good, and how.',
      initial: 'deciding',
      on: {
        'session.ended': { description: 'It ends once.' },
        finish: { description: 'Not any more.' },
        abandon: { description: 'Not any more.' },
      },
      states: {
        deciding: {
          description: 'How. Passed at once.',
          always: [{ guard: 'allHandled', target: 'closed' }, { target: 'lost' }],
        },
        closed: {
          description: 'Everything of this side was handled.',
          type: 'final',
          entry: { type: 'remember', params: { state: 'ended.closed' } },
        },
        lost: {
          description: 'Given up, or refused for good: what was not handled is told.',
          type: 'final',
          entry: [{ type: 'remember', params: { state: 'ended.lost' } }, 'announceLost'],
        },
      },
    },
  },
});

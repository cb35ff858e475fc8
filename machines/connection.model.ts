import { assign, setup } from 'xstate';

/** What the world is like, as far as a connection can feel it. */
export interface ModelContext {
  /** `stopped`: as by SIGSTOP; its kernel still opens connections and takes bytes, nobody reads or answers. */
  readonly server: 'up' | 'down' | 'stopped';
  readonly names: 'answered' | 'silent';
  /** Whether the line has a greeting, and nobody has answered it yet. */
  readonly login: 'none' | 'asked';
  /** A message that was accepted: `held` waits for a line, `written` was given to a server that does not read. */
  readonly message: 'none' | 'held' | 'written';
  /** What the user hears of the last step: events, in order, each with its reason, or one of several. */
  readonly hears: readonly string[];
}

export type ModelEvent = {
  readonly type:
    | `user.${'connects' | 'disconnects' | 'reconnectsNow' | 'closes' | 'disposes' | 'sends' | 'losesPatience'}`
    | `server.${'starts' | 'dies' | 'stops' | 'continues' | 'hangsUp'}`
    | `names.${'fallSilent' | 'areAnswered'}`
    | `login.${'isAsked' | 'passes' | 'fails' | 'isRefused'}`
    | 'time.passes';
};

const modelSetup = setup({
  types: { context: {} as ModelContext, events: {} as ModelEvent },
  actions: {
    /** These words; one that ends in `if held` or `if written` only where there is such a message. */
    hear: assign(({ context }, words: readonly string[]) => ({
      hears: words.flatMap((word) => {
        const [said, condition] = word.split(' if ') as [string, string?];
        return condition === undefined || condition === context.message ? said : [];
      }),
    })),
    hold: assign({ message: 'held' }),
    write: assign({ message: 'written' }),
    /** What was held is on a line now, whose server does not read. */
    writeHeld: assign({ message: ({ context }) => (context.message === 'held' ? 'written' : context.message) }),
    letGo: assign({ message: 'none' }),
    serverStarts: assign({ server: 'up' }),
    serverDies: assign({ server: 'down' }),
    serverStops: assign({ server: 'stopped' }),
    namesFallSilent: assign({ names: 'silent' }),
    namesAreAnswered: assign({ names: 'answered' }),
    askLogin: assign({ login: 'asked' }),
    passLogin: assign({ login: 'none' }),
  },
  guards: {
    namesAreSilent: ({ context }) => context.names === 'silent',
    serverIsDown: ({ context }) => context.server === 'down',
    serverIsStopped: ({ context }) => context.server === 'stopped',
    loginIsAsked: ({ context }) => context.login === 'asked',
    holds: ({ context }) => context.message === 'held',
    hasNoMessage: ({ context }) => context.message === 'none',
    /** One thing at a time is out of the ordinary when the story begins: else it would have too many beginnings. */
    ordinary: ({ context }) => context.server === 'up' && context.names === 'answered' && context.login === 'none',
  },
});

const hear = (...params: string[]) => ({ type: 'hear', params }) as const;
const nothing = { actions: hear() };

const refused = 'disconnected CONNECT_FAILED';
const up = ['connected', 'live', 'message if held'] as const;
const end = ['dropped DISPOSED if held', 'disposed DISPOSED'] as const;

const toTrying = { guard: 'serverIsDown', target: '#trying', actions: hear('connecting', refused) } as const;
const toGreeting = { guard: 'loginIsAsked', target: '#greeting', actions: hear('connecting', 'onConnect') } as const;
const toLive = { target: '#live', actions: [hear('connecting', ...up), 'letGo' as const] };
/** The line is wanted; what comes of it depends on the world. */
const dial = [
  { guard: 'namesAreSilent' as const, target: '#dialing', actions: hear('connecting') },
  toTrying,
  {
    guard: 'serverIsStopped' as const,
    target: '#deaf',
    actions: [hear('connecting', 'connected'), 'writeHeld' as const],
  },
  toGreeting,
  toLive,
];
const dispose = { target: '#disposed', actions: [hear(...end), 'letGo' as const] };
/** After close(), nobody wants the line back. */
const part = {
  target: '#disposed',
  actions: [hear('dropped DISPOSED if held', 'disposed DISCONNECTED'), 'letGo' as const],
};
const disconnect = { target: '#idle', actions: hear('disconnected DISCONNECTED') };
/** The kernel of a dead server sends a RST or a FIN, as it happens. */
const lost = ['disconnected RESET|CLOSED_BY_PEER', 'connecting', refused] as const;
/** What was written on a line that is lost is not sent again. */
const lose = { target: '#trying', actions: ['serverDies' as const, hear(...lost), 'letGo' as const] };
const again = ['connecting', 'connected'] as const;
const goStale = { actions: [hear('stale', 'disconnected STALE', ...again), 'letGo' as const] };
const redial = { actions: [hear('disconnected DISCONNECTED', ...again), 'letGo' as const] };
const disconnectAndLose = { target: '#idle', actions: [hear('disconnected DISCONNECTED'), 'letGo' as const] };

/**
 * The life of a connection as its user sees it: what the user and the world do, and what is then heard. It knows
 * nothing of connection.machine.ts, and is what that is tested against: @xstate/test walks every path of it.
 */
export const connectionModel = modelSetup.createMachine({
  id: 'model',
  description: 'The life of a connection as its user sees it.',
  context: { server: 'up', names: 'answered', login: 'none', message: 'none', hears: [] },
  initial: 'absent',
  states: {
    absent: {
      description: 'The program has not called connect() yet.',
      on: {
        'server.dies': { guard: 'ordinary', actions: ['serverDies', hear()] },
        'server.stops': { guard: 'ordinary', actions: ['serverStops', hear()] },
        'names.fallSilent': { guard: 'ordinary', actions: ['namesFallSilent', hear()] },
        'login.isAsked': { guard: 'ordinary', actions: ['askLogin', hear()] },
        'user.connects': dial,
      },
    },
    idle: {
      id: 'idle',
      description: 'No line is wanted.',
      on: {
        'user.connects': dial,
        'user.disconnects': nothing,
        'user.reconnectsNow': nothing,
        'user.sends': { guard: 'hasNoMessage', actions: ['hold', hear()] },
        'user.closes': dispose,
        'user.disposes': dispose,
        'server.dies': { guard: 'ordinary', actions: ['serverDies', hear()] },
        'server.starts': { guard: 'serverIsDown', actions: ['serverStarts', hear()] },
        'server.continues': { guard: 'serverIsStopped', actions: ['serverStarts', hear()] },
      },
    },
    dialing: {
      id: 'dialing',
      description: 'The name server does not answer, so the attempt goes on and on.',
      on: {
        'names.areAnswered': { target: 'live', actions: ['namesAreAnswered', hear(...up), 'letGo'] },
        'time.passes': { actions: hear('disconnected CONNECT_TIMEOUT', 'connecting') },
        'user.connects': nothing,
        'user.reconnectsNow': nothing,
        'user.disconnects': disconnect,
        'user.sends': { guard: 'hasNoMessage', actions: ['hold', hear()] },
        'user.closes': [{ guard: 'holds', target: 'leaving', actions: hear() }, dispose],
        'user.disposes': dispose,
      },
    },
    leaving: {
      description: 'close() was called while dialing, with a message held: connect first, then hand it over.',
      on: {
        'names.areAnswered': {
          target: 'disposed',
          actions: ['namesAreAnswered', hear('connected', 'message', 'disposed DISPOSED'), 'letGo'],
        },
        'time.passes': { target: 'disposed', actions: [hear('dropped DISPOSED', 'disposed CONNECT_TIMEOUT'), 'letGo'] },
        'user.connects': nothing,
        'user.reconnectsNow': nothing,
        'user.disconnects': part,
        'user.closes': nothing,
        'user.sends': { actions: hear('thrown DISPOSED') },
        'user.disposes': dispose,
      },
    },
    greeting: {
      id: 'greeting',
      description: 'TCP is open, and the onConnect hook waits for an answer.',
      on: {
        'login.passes': { target: 'live', actions: ['passLogin', hear(...up), 'letGo'] },
        'login.fails': { actions: hear(refused, 'connecting', 'onConnect') },
        'login.isRefused': {
          target: 'failed',
          actions: [hear('dropped GAVE_UP if held', 'disconnected NOT_A_PEER', 'failed NOT_A_PEER'), 'letGo'],
        },
        'time.passes': { actions: hear('disconnected CONNECT_TIMEOUT', 'connecting', 'onConnect') },
        'server.dies': { target: 'trying', actions: ['serverDies', hear(...lost)] },
        'user.connects': nothing,
        'user.reconnectsNow': nothing,
        'user.disconnects': disconnect,
        'user.closes': { guard: 'hasNoMessage', ...dispose },
        'user.disposes': dispose,
      },
    },
    trying: {
      id: 'trying',
      description: 'Nobody listens there: attempt after attempt is refused, with a wait between them.',
      on: {
        'server.starts': [
          { guard: 'loginIsAsked', target: 'greeting', actions: ['serverStarts', hear('connecting', 'onConnect')] },
          { target: 'live', actions: ['serverStarts', hear('connecting', ...up), 'letGo'] },
        ],
        'time.passes': { actions: hear('connecting', refused) },
        'user.losesPatience': {
          target: 'failed',
          actions: [hear('connecting', 'dropped GAVE_UP if held', refused, 'failed CONNECT_FAILED'), 'letGo'],
        },
        'user.connects': { actions: hear('connecting', refused) },
        'user.reconnectsNow': { actions: hear('connecting', refused) },
        'user.disconnects': { target: 'idle', actions: hear() },
        'user.sends': { guard: 'hasNoMessage', actions: ['hold', hear()] },
        'user.closes': dispose,
        'user.disposes': dispose,
      },
    },
    deaf: {
      id: 'deaf',
      description:
        'TCP opens, for the kernel of a stopped server accepts; but no byte ever comes: not live, then stale.',
      on: {
        'server.continues': { target: 'live', actions: ['serverStarts', hear('live', 'message if written'), 'letGo'] },
        'server.dies': lose,
        'time.passes': goStale,
        'user.connects': nothing,
        'user.reconnectsNow': redial,
        'user.disconnects': disconnectAndLose,
        'user.closes': { target: 'draining', actions: hear() },
        'user.disposes': dispose,
      },
    },
    live: {
      id: 'live',
      description: 'The other side speaks.',
      on: {
        'user.sends': { actions: hear('message') },
        'time.passes': nothing,
        'server.dies': lose,
        'server.stops': { target: 'silent', actions: ['serverStops', hear()] },
        'server.hangsUp': { actions: hear('disconnected CLOSED_BY_PEER', 'connecting', 'connected', 'live') },
        'user.connects': nothing,
        'user.reconnectsNow': { actions: hear('disconnected DISCONNECTED', 'connecting', 'connected', 'live') },
        'user.disconnects': disconnect,
        'user.closes': dispose,
        'user.disposes': dispose,
      },
    },
    silent: {
      description: 'The server was stopped a moment ago, and nobody can know it yet.',
      on: {
        'server.continues': { target: 'live', actions: ['serverStarts', hear('message if written'), 'letGo'] },
        'time.passes': { target: 'deaf', ...goStale },
        'server.dies': lose,
        'user.sends': { guard: 'hasNoMessage', actions: ['write', hear()] },
        'user.connects': nothing,
        'user.reconnectsNow': { target: 'deaf', ...redial },
        'user.disconnects': disconnectAndLose,
        'user.closes': { target: 'draining', actions: hear() },
        'user.disposes': dispose,
      },
    },
    draining: {
      description: 'close() was called, and the server, stopped, does not answer our FIN.',
      on: {
        'server.continues': {
          target: 'disposed',
          actions: ['serverStarts', hear('message if written', 'disposed DISPOSED'), 'letGo'],
        },
        'server.dies': { target: 'disposed', actions: ['serverDies', hear('disposed RESET|DISPOSED'), 'letGo'] },
        'time.passes': { target: 'disposed', actions: [hear('stale', 'disposed STALE'), 'letGo'] },
        'user.connects': nothing,
        'user.reconnectsNow': nothing,
        'user.disconnects': part,
        'user.closes': nothing,
        'user.sends': { actions: hear('thrown DISPOSED') },
        'user.disposes': dispose,
      },
    },
    failed: {
      description: 'It gave up; nothing more happens by itself.',
      on: {
        'user.connects': [toTrying, toGreeting, toLive],
        'user.disconnects': nothing,
        'user.reconnectsNow': nothing,
        'user.sends': { actions: hear('thrown GAVE_UP') },
        'user.closes': dispose,
        'user.disposes': dispose,
        'server.starts': { guard: 'serverIsDown', actions: ['serverStarts', hear()] },
      },
    },
    disposed: {
      id: 'disposed',
      description: 'The end: whatever is called, nothing is heard any more.',
      on: {
        'user.connects': nothing,
        'user.disconnects': nothing,
        'user.reconnectsNow': nothing,
        'user.sends': { actions: hear('thrown DISPOSED') },
        'user.closes': nothing,
        'user.disposes': nothing,
      },
    },
  },
});

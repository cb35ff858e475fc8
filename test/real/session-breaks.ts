/** Two processes that talk over a session at full speed, and all that can happen to the socket between them. */
import type { ErrorCode } from '../../src/index.js';
import { createFaultProxy, type FaultProxy } from '../../src/testing/index.js';
import { type Cable, layCable, noFirewall } from './support-netns.js';
import { type Inside, type Later, type Program, startProgram } from './support-program.js';

/** The two, and how a socket of theirs comes to its end. */
export interface Talk {
  readonly client: Program;
  readonly server: Program;
  /** In this order. */
  readonly breaks: readonly Break[];
}

export interface Break {
  readonly name: string;
  /** While messages still flow. */
  readonly prepare?: () => unknown;
  readonly begin: () => unknown;
  /** When the loss was noticed. Absent where it is over as soon as it has happened. */
  readonly end?: () => unknown;
}

/** What programs/volume.mjs is given. */
export interface VolumeOptions {
  readonly messages: number;
  readonly size: number;
  readonly obeys?: boolean;
  readonly pace?: { readonly every: number; readonly restMs: number };
  readonly options?: { readonly session?: object } & Record<string, unknown>;
}

export interface Volume {
  readonly client: VolumeOptions;
  readonly server: VolumeOptions;
}

/** A way to break sockets. */
export interface Way {
  readonly name: string;
  /** Why it cannot be gone on this machine. */
  readonly missing?: string | undefined;
  /** Some breaks are noticed by silence alone: where a machine is too busy to speak, there may be more of them. */
  readonly silent: boolean;
  /** What the two are told of their losses, now one, now the other, if nothing else. */
  readonly codes: readonly ErrorCode[];
  readonly lay: (volume: Volume, later: Later) => Promise<Talk>;
}

/** Silence is noticed soon, so that a test can have some of it. */
const PATIENCE = { staleAfter: 600, heartbeatInterval: 150 };
/** What a client does where nobody answers. */
const PERSISTENCE = { waitMs: 20, connectTimeout: 400 };

async function startVolumeServer(later: Later, { server }: Volume, common: object = {}, inside: Inside = []) {
  const options = { host: '127.0.0.1', ...common, session: true, ...server.options };
  const program = startProgram(later, 'volume', { role: 'server', ...server, options }, inside);
  const { port } = await program.hears('listening');
  return { server: program, port: port as number };
}

function startVolumeClient(later: Later, { client }: Volume, where: object, inside: Inside = []): Program {
  const options = { ...PERSISTENCE, session: true, ...where, ...client.options };
  return startProgram(later, 'volume', { role: 'client', ...client, options }, inside);
}

/** So many of each, those of one kind not in a row. */
function mixed(counts: readonly (readonly [number, Break])[]): Break[] {
  const spread = counts.flatMap(([count, one]) =>
    Array.from({ length: count }, (_, index) => [(index + 0.5) / count, one] as const),
  );
  return spread.sort(([one], [other]) => one - other).map(([, one]) => one);
}

const killed = (server: Program): Break => ({
  name: 'the server kills its socket',
  begin: () => server.tell({ reset: true }),
});

const cables = ({ client, server }: Cable): readonly (readonly [number, Break])[] => [
  [2, { name: "the plug is pulled at the server's end", begin: () => server.pull(), end: () => server.plug() }],
  [1, { name: "the plug is pulled at the client's end", begin: () => client.pull(), end: () => client.plug() }],
  [1, { name: 'nothing comes to the client', begin: () => client.drop(), end: () => client.pass() }],
  [1, { name: 'nothing comes to the server', begin: () => server.drop(), end: () => server.pass() }],
];

/** Every loss that the proxy knows. */
const proxied = (proxy: FaultProxy): readonly (readonly [number, Break])[] => [
  [5, { name: 'RST', begin: () => proxy.resetAll() }],
  [2, { name: 'FIN', begin: () => proxy.hangUp() }],
  [
    2,
    {
      name: 'FIN within a frame',
      prepare: () => proxy.set({ cut: 'random' }),
      begin: () => proxy.hangUp(),
      end: () => proxy.set({ cut: 'asWritten' }),
    },
  ],
  [1, { name: 'half-open', begin: () => proxy.halfOpen() }],
  [1, { name: 'nothing passes', begin: () => proxy.cut(), end: () => proxy.heal() }],
  [1, { name: 'nothing comes to the client', begin: () => proxy.cut({ to: 'client' }), end: () => proxy.heal() }],
  [1, { name: 'nothing comes to the server', begin: () => proxy.cut({ to: 'server' }), end: () => proxy.heal() }],
  [1, { name: 'nobody reads what the client says', begin: () => proxy.stall(), end: () => proxy.stall(false) }],
  [
    2,
    {
      name: 'RST, and the port refuses',
      begin: async () => {
        await proxy.refuse();
        proxy.resetAll();
      },
      end: () => proxy.refuse(false),
    },
  ],
  [
    2,
    {
      name: 'FIN, and nobody is behind the proxy',
      begin: () => {
        proxy.acceptAndDrop();
        proxy.hangUp();
      },
      end: () => proxy.acceptAndDrop(false),
    },
  ],
  [
    2,
    {
      name: 'RST, and new lines lead nowhere',
      begin: () => {
        proxy.blackhole();
        proxy.resetAll();
      },
      end: () => proxy.blackhole(false),
    },
  ],
];

export const ways = {
  killed: {
    name: 'the server kills its socket',
    silent: false,
    codes: ['NINJA_RESET'],
    lay: async (volume, later) => {
      const { server, port } = await startVolumeServer(later, volume);
      const client = startVolumeClient(later, volume, { host: '127.0.0.1', port });
      return { client, server, breaks: mixed([[20, killed(server)]]) };
    },
  },
  cable: {
    name: 'the server kills its socket, and the cable is cut,',
    missing: noFirewall,
    silent: true,
    codes: ['NINJA_RESET', 'NINJA_STALE'],
    lay: async (volume, later) => {
      const cable = await layCable(later);
      const common = { ...PATIENCE, host: '0.0.0.0' };
      const { server, port } = await startVolumeServer(later, volume, common, cable.server.inside);
      const where = { ...PATIENCE, host: cable.server.address, port };
      const client = startVolumeClient(later, volume, where, cable.client.inside);
      return { client, server, breaks: mixed([[15, killed(server)], ...cables(cable)]) };
    },
  },
  proxy: {
    name: 'the proxy breaks the line in eleven ways, also within a frame,',
    silent: true,
    codes: ['NINJA_RESET', 'NINJA_CLOSED_BY_PEER', 'NINJA_TRUNCATED', 'NINJA_STALE'],
    lay: async (volume, later) => {
      const { server, port } = await startVolumeServer(later, volume, PATIENCE);
      const proxy = await createFaultProxy({ target: { port } });
      later(() => proxy.close());
      const where = { ...PATIENCE, host: proxy.host, port: proxy.port };
      const client = startVolumeClient(later, volume, where);
      return { client, server, breaks: mixed(proxied(proxy)) };
    },
  },
} satisfies Record<string, Way>;

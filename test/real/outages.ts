/** Outages for real: how each begins and ends, and with which reason the client has to notice. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorCode } from '../../src/index.js';
import { createFaultProxy, type FaultProxy } from '../../src/testing/index.js';
import { type Cable, layCable, noFirewall, noNamespaces } from './support-netns.js';
import { type Inside, type Later, Program, startServer, which } from './support-program.js';

/** A client's target, and the fault that will come over it. */
export interface Scene {
  readonly host: string;
  readonly port: number;
  /** Where the client runs. */
  readonly inside?: Inside;
  /** Our own server, as it is at present. */
  readonly server?: () => Program;
  /** Besides host and port, for programs/client.mjs. */
  readonly options?: object;
  readonly begin: () => unknown;
  readonly end: (client: Program) => unknown;
}

export interface Outage {
  /** What happens, in a few words. */
  readonly name: string;
  /** Why it cannot happen on this machine. */
  readonly missing?: string | undefined;
  /** With which the line is lost, or the first attempt fails. */
  readonly codes: readonly ErrorCode[];
  /** So long it lasts, milliseconds; 0 for what is over as soon as it has happened. */
  readonly lasts: number;
  /** Messages flow to and fro meanwhile; else only heartbeats. */
  readonly talks?: true;
  /** The client begins to dial when it has begun. */
  readonly fromTheStart?: true;
  /** The server has to find out by silence as well. */
  readonly serverToo?: true;
  readonly lay: (later: Later) => Promise<Scene>;
}

type Fault = Pick<Scene, 'begin' | 'end' | 'options'> & { readonly host?: string };

/** Two machines: what happens to the cable between them. */
function onCable(fault: (cable: Cable) => Fault): Outage['lay'] {
  return async (later) => {
    const cable = await layCable(later);
    const { server, port } = await startServer(later, { host: '0.0.0.0' }, cable.server.inside);
    return { host: cable.server.address, port, inside: cable.client.inside, server: () => server, ...fault(cable) };
  };
}

/** A server process on loopback. */
function onServer(fault: (server: Program) => Fault): Outage['lay'] {
  return async (later) => {
    const { server, port } = await startServer(later);
    return { host: '127.0.0.1', port, server: () => server, ...fault(server) };
  };
}

/** A server process behind a proxy with faults. */
function onProxy(begin: (proxy: FaultProxy) => unknown, end: (proxy: FaultProxy) => unknown = () => {}): Outage['lay'] {
  return async (later) => {
    const { server, port } = await startServer(later);
    const proxy = await createFaultProxy({ target: { port } });
    later(() => proxy.close());
    const { host } = proxy;
    return { host, port: proxy.port, server: () => server, begin: () => begin(proxy), end: () => end(proxy) };
  };
}

/** A server that is killed and started again on its port, perhaps behind something. */
async function mortal(later: Later) {
  const { server, port } = await startServer(later);
  let present = server;
  return {
    port,
    server: () => present,
    begin: () => {
      void present.kill();
    },
    end: async () => {
      present = (await startServer(later, { port })).server;
    },
  };
}

/** Waits until somebody listens. */
async function answers(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const opened = await new Promise((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    });
    socket.destroy();
    if (opened) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function behindHaproxy(later: Later): Promise<Scene> {
  const backend = await mortal(later);
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  const folder = mkdtempSync(join(tmpdir(), 'ninja-haproxy-'));
  try {
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(
      file,
      `defaults
  mode tcp
  retries 0
  timeout connect 1s
  timeout client 60s
  timeout server 60s
frontend in
  bind 127.0.0.1:${port}
  default_backend out
backend out
  server one 127.0.0.1:${backend.port}
`,
    );
    new Program(later, [which('haproxy') as string, '-db', '-q', '-f', file], false);
    await answers(port);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { ...backend, host: '127.0.0.1', port };
}

/** A server that closes in the middle of a frame, once. */
async function cutsItsFrame(later: Later): Promise<Scene> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket
      .on('error', () => {})
      .on('close', () => sockets.delete(socket))
      .pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const begin = () => {
    for (const socket of sockets) socket.end(Buffer.from('000000ff48616c66', 'hex'));
  };
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port, begin, end: () => {} };
}

const SILENT = 5000;
const SHORT = 1500;

export const outages: readonly Outage[] = [
  {
    name: "the cable is pulled at the client's end, idle",
    missing: noNamespaces,
    codes: ['NINJA_STALE'],
    lasts: SILENT,
    serverToo: true,
    lay: onCable(({ client }) => ({ begin: () => client.pull(), end: () => client.plug() })),
  },
  {
    name: "the cable is pulled at the client's end, messages flow",
    missing: noNamespaces,
    codes: ['NINJA_STALE'],
    lasts: SILENT,
    talks: true,
    serverToo: true,
    lay: onCable(({ client }) => ({ begin: () => client.pull(), end: () => client.plug() })),
  },
  {
    name: "the cable is pulled at the server's end, messages flow",
    missing: noNamespaces,
    codes: ['NINJA_STALE'],
    lasts: SILENT,
    talks: true,
    serverToo: true,
    lay: onCable(({ server }) => ({ begin: () => server.pull(), end: () => server.plug() })),
  },
  {
    name: 'a firewall drops all packets, messages flow',
    missing: noFirewall,
    codes: ['NINJA_STALE'],
    lasts: SILENT,
    talks: true,
    serverToo: true,
    lay: onCable(({ client, server }) => ({
      begin: () => Promise.all([client.drop(), server.drop()]),
      end: () => Promise.all([client.pass(), server.pass()]),
    })),
  },
  {
    name: "a firewall drops the server's packets only",
    missing: noFirewall,
    codes: ['NINJA_STALE'],
    lasts: SILENT,
    lay: onCable(({ client }) => ({ begin: () => client.drop(), end: () => client.pass() })),
  },
  {
    // Nothing is acknowledged, so the server's kernel soon sends nothing new. Where the server finds out first, its FIN comes.
    name: "a firewall drops the client's packets only",
    missing: noFirewall,
    codes: ['NINJA_STALE', 'NINJA_CLOSED_BY_PEER', 'NINJA_RESET'],
    lasts: SILENT,
    serverToo: true,
    lay: onCable(({ server }) => ({ begin: () => server.drop(), end: () => server.pass() })),
  },
  {
    name: 'the server is stopped (SIGSTOP), and goes on',
    codes: ['NINJA_STALE'],
    lasts: SILENT,
    talks: true,
    lay: onServer((server) => ({ begin: () => server.signal('SIGSTOP'), end: () => server.signal('SIGCONT') })),
  },
  {
    name: 'the server is killed (kill -9), and started again on its port',
    codes: ['NINJA_RESET', 'NINJA_CLOSED_BY_PEER'],
    lasts: SHORT,
    talks: true,
    lay: async (later) => ({ host: '127.0.0.1', ...(await mortal(later)) }),
  },
  { name: 'RST', codes: ['NINJA_RESET'], lasts: 0, lay: onProxy((proxy) => proxy.resetAll()) },
  { name: 'FIN', codes: ['NINJA_CLOSED_BY_PEER'], lasts: 0, lay: onProxy((proxy) => proxy.hangUp()) },
  { name: 'FIN in the middle of a frame', codes: ['NINJA_TRUNCATED'], lasts: 0, lay: cutsItsFrame },
  {
    name: 'RST, and then the port refuses',
    codes: ['NINJA_RESET'],
    lasts: SHORT,
    lay: onProxy(
      async (proxy) => {
        await proxy.refuse();
        proxy.resetAll();
      },
      (proxy) => proxy.refuse(false),
    ),
  },
  {
    name: 'the server accepts and closes at once',
    codes: ['NINJA_CLOSED_BY_PEER'],
    lasts: SHORT,
    lay: onProxy(
      (proxy) => {
        proxy.acceptAndDrop();
        proxy.hangUp();
      },
      (proxy) => proxy.acceptAndDrop(false),
    ),
  },
  {
    name: 'a proxy without a backend (haproxy)',
    missing: which('haproxy') ? undefined : 'haproxy is missing',
    codes: ['NINJA_RESET', 'NINJA_CLOSED_BY_PEER'],
    lasts: SHORT,
    talks: true,
    lay: behindHaproxy,
  },
  {
    name: 'the host answers nothing (every SYN is dropped)',
    missing: noFirewall,
    codes: ['NINJA_CONNECT_TIMEOUT'],
    lasts: 5500,
    fromTheStart: true,
    lay: onCable(({ server }) => ({ begin: () => server.drop('tcp flags syn'), end: () => server.pass() })),
  },
  {
    name: 'there is no host at the address',
    missing: noNamespaces,
    codes: ['NINJA_CONNECT_FAILED', 'NINJA_CONNECT_TIMEOUT'],
    lasts: 5500,
    fromTheStart: true,
    lay: onCable(({ server, nobody }) => ({ host: nobody, begin: () => {}, end: () => server.have(nobody) })),
  },
  {
    name: 'the name is not found, and then it is',
    codes: ['NINJA_CONNECT_FAILED'],
    lasts: SHORT,
    fromTheStart: true,
    lay: onServer(() => ({
      host: 'moves.test',
      options: { resolves: false },
      begin: () => {},
      end: (client) => client.tell({ resolves: true }),
    })),
  },
];

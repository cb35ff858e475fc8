/** A client and a server on hosts of their own, on virtual time; and what is heard of them, as short sentences. */
import type { Connection, ConnectOptions, ListenOptions, NinjaTcpError, Peer, PeerHandler } from '../../src/index.js';
import { connect, listen, type Server, type Transport } from '../../src/index.js';
import { createNetwork, createVirtualClock, type NetworkOptions } from '../../src/testing/index.js';

export const PORT = 65432;

/** What all tests here run on, unless they say otherwise: attempts are 100 ms apart, without chance. */
export function stage(options: Partial<NetworkOptions> = {}) {
  const clock = options.clock ?? createVirtualClock({ start: 1000 });
  const network = createNetwork({ ...options, clock });
  const server = network.host('server');
  return {
    clock,
    network,
    server,
    dial: (more: Partial<ConnectOptions> = {}): Connection =>
      connect({ host: 'server', port: PORT, environment: network.environment('client'), backoff: () => 100, ...more }),
    serve: (handler?: PeerHandler, more: Partial<ListenOptions> = {}): Promise<Server> =>
      clock.runUntil(listen({ port: PORT, environment: server.environment(), ...more }, handler)),
    raw: (): RawServer => rawServer(server.environment()),
  };
}

export type Stage = ReturnType<typeof stage>;

/** A handler that sends everything back. */
export const echo: PeerHandler = async (peer) => {
  for await (const message of peer) peer.send(message);
};

/** Takes everything; what came is in the list. */
export function collect(into: string[]): PeerHandler {
  return (peer) => void peer.on('message', (message) => into.push(`${message}`));
}

const range = (name: string, of: { from: number; to: number } | undefined): string =>
  of ? ` ${name} ${of.from}-${of.to}` : '';

export const short = (code: string): string => code.replace('NINJA_', '');

/** All events of a connection but its messages, one short sentence each. */
export function journal(connection: Connection): string[] {
  const heard: string[] = [];
  connection
    .on('connecting', ({ epoch, attempt }) => heard.push(`connecting ${epoch} attempt ${attempt}`))
    .on('connected', ({ epoch }) => heard.push(`connected ${epoch}`))
    .on('live', ({ epoch }) => heard.push(`live ${epoch}`))
    .on('stale', ({ epoch }) => heard.push(`stale ${epoch}`))
    .on('disconnected', ({ epoch, reason, unknown, held }) =>
      heard.push(`disconnected ${epoch} ${short(reason.code)}${range('unknown', unknown)}${range('held', held)}`),
    )
    .on('failed', ({ reason }) => heard.push(`failed ${short(reason.code)}`))
    .on('disposed', ({ reason, unknown }) => heard.push(`disposed ${short(reason.code)}${range('unknown', unknown)}`))
    .on('dropped', ({ code, from, to }) => heard.push(`dropped ${short(code)} ${from}-${to}`))
    .on('warning', ({ message }) => heard.push(`warning ${message}`))
    .on('error', ({ code }) => heard.push(`error ${short(code)}`));
  return heard;
}

/** One accepted transport without ninja-tcp: bytes in, bytes out. */
export interface Raw {
  readonly transport: Transport;
  /** All bytes that came, without our heartbeats. */
  readonly messages: string[];
  readonly heard: string[];
  /** Writes bytes, given as hex. */
  hex(bytes: string): void;
  /** Writes a whole frame. */
  say(message: string): void;
  end(): void;
}

export interface RawServer {
  readonly peers: Raw[];
  readonly last: Raw;
}

/** A server that speaks only when told to. */
function rawServer(environment: ReturnType<Stage['server']['environment']>): RawServer {
  const peers: Raw[] = [];
  environment.listen(
    { port: PORT, noDelay: true },
    { listening() {}, failed() {}, accepted: (transport) => peers.push(raw(transport)) },
  );
  return {
    peers,
    get last() {
      return peers.at(-1) as Raw;
    },
  };
}

export function raw(transport: Transport): Raw {
  const heard: string[] = [];
  const messages: string[] = [];
  let stream: Buffer = Buffer.alloc(0);
  transport.attach({
    opened: () => heard.push('opened'),
    chunk: (bytes) => {
      stream = Buffer.concat([stream, bytes]);
      for (; stream.length >= 4 && stream.length >= 4 + stream.readUInt32BE(); ) {
        const end = 4 + stream.readUInt32BE();
        if (end > 4) messages.push(stream.toString('utf8', 4, end));
        else heard.push('heartbeat');
        stream = stream.subarray(end);
      }
    },
    ended: () => heard.push('ended'),
    failed: (error) => heard.push(`failed ${(error as NodeJS.ErrnoException).code}`),
    closed: () => heard.push('closed'),
  });
  const hex = (bytes: string): void => transport.write(Buffer.from(bytes.replaceAll(' ', ''), 'hex'), () => {});
  return {
    transport,
    messages,
    heard,
    hex,
    say: (message) =>
      hex(`${Buffer.byteLength(message).toString(16).padStart(8, '0')}${Buffer.from(message).toString('hex')}`),
    end: () => transport.end(() => {}),
  };
}

/** The code that something is thrown or rejected with; `nothing` when it is not. */
export async function codeOf(doing: PromiseLike<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof doing === 'function' ? doing() : doing);
    return 'nothing';
  } catch (error) {
    return short((error as NinjaTcpError).code ?? String(error));
  }
}

/** Whatever a promise comes to, so that nobody has to catch it; `pending` until then. */
export function outcome(promise: PromiseLike<unknown>): { is: string } {
  const seen = { is: 'pending' };
  promise.then(
    (value) => {
      seen.is = value === undefined ? 'resolved' : short((value as { code?: string }).code ?? String(value));
    },
    (error: NinjaTcpError) => {
      seen.is = `rejected ${short(error.code ?? String(error))}`;
    },
  );
  return seen;
}

export function firstPeer(server: Server): Peer {
  return [...server.peers][0] as Peer;
}

/** The server's side of the stage of test/connection. */
import type { Acceptor, Environment, ListenTarget, Transport } from '../../src/environment.js';
import type { ListenOptions, Peer } from '../../src/index.js';
import type { Server } from '../../src/server.js';
import { echo, PORT, type Raw, raw, type Stage, short, stage } from '../connection/stage.js';

/** Dials without ninja-tcp. */
export async function dialRaw(at: Stage, host = 'client'): Promise<Raw> {
  const transport = at.network.environment(host).dial({ host: 'server', port: PORT, noDelay: true });
  const side = raw(transport);
  await at.clock.runUntil(() => side.heard.length > 0);
  await at.clock.advance(5);
  return side;
}

/** The same, for a server that says nothing by itself. */
export async function dialSilent(at: Stage, host = 'client'): Promise<Raw> {
  const side = raw(at.network.environment(host).dial({ host: 'server', port: PORT, noDelay: true }));
  await at.clock.runUntil(() => side.heard.length > 0);
  await at.clock.advance(5);
  return side;
}

type Done = (secured: Transport | undefined, error?: Error) => void;

/** A server whose handshakes are over when a test says so. */
export async function handshaking(options: Partial<ListenOptions> = {}) {
  const at = stage();
  const underway: { transport: Transport; received: string; done: Done }[] = [];
  const plain = at.server.environment();
  const environment: Environment = {
    ...plain,
    checkTls() {},
    listen(target: ListenTarget, handlers): Acceptor {
      const acceptor = plain.listen(target, handlers);
      return {
        close: () => acceptor.close(),
        ref: () => acceptor.ref(),
        unref: () => acceptor.unref(),
        secure: (transport, received, done) =>
          void underway.push({ transport, received: received.toString('hex'), done }),
      };
    },
  };
  const server = await at.serve(echo, { environment, tls: {}, ...options });
  return { at, server, underway, heard: serverJournal(server) };
}

/** All events of a server, one short sentence each. */
export function serverJournal(server: Server): string[] {
  const heard: string[] = [];
  server
    .on('listening', ({ port }) => heard.push(`listening ${port}`))
    .on('peer', ({ id }) => heard.push(`peer ${id}`))
    .on('peerError', ({ peer, error }) => heard.push(`peerError ${peer.id} ${short(error.code)}`))
    .on('refused', ({ remoteAddress, error }) => heard.push(`refused ${remoteAddress} ${short(error.code)}`))
    .on('closed', ({ reason }) => heard.push(`closed ${short(reason.code)}`));
  return heard;
}

/** All events of a peer but its messages. */
export function peerJournal(peer: Peer): string[] {
  const heard: string[] = [];
  peer
    .on('live', () => heard.push('live'))
    .on('stale', ({ silentForMs }) => heard.push(`stale after ${silentForMs}`))
    .on('dropped', ({ code, from, to }) => heard.push(`dropped ${short(code)} ${from}-${to}`))
    .on('warning', ({ message }) => heard.push(`warning ${message}`))
    .on('error', ({ code }) => heard.push(`error ${short(code)}`))
    .on('disposed', ({ reason, unknown }) =>
      heard.push(`disposed ${short(reason.code)}${unknown ? ` unknown ${unknown.from}-${unknown.to}` : ''}`),
    );
  return heard;
}

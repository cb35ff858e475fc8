/** The server's side of the stage of test/connection. */
import type { Peer } from '../../src/index.js';
import type { Server } from '../../src/server.js';
import { PORT, type Raw, raw, type Stage, short } from '../connection/stage.js';

/** Dials without ninja-tcp. */
export async function dialRaw(at: Stage, host = 'client'): Promise<Raw> {
  const transport = at.network.environment(host).dial({ host: 'server', port: PORT, noDelay: true });
  const side = raw(transport);
  await at.clock.runUntil(() => side.heard.length > 0);
  await at.clock.advance(5);
  return side;
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

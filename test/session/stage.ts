/** A client and a server that speak sessions, on virtual time. */
import type { Connection, ConnectOptions, ListenOptions, Peer, PeerHandler } from '../../src/index.js';
import { short, stage } from '../connection/stage.js';

/** Sends every message back. */
export const answer: PeerHandler = async (peer) => {
  for await (const message of peer) peer.send(message);
};

/** Events of a session's life, one short sentence each. */
export function sessionJournal(connection: Connection): string[] {
  const heard: string[] = [];
  connection
    .on('connected', ({ epoch }) => heard.push(`connected ${epoch}`))
    .on('disconnected', ({ reason, held, unknown }) => {
      const kept = held ? ` held ${held.from}-${held.to}` : '';
      heard.push(`disconnected ${short(reason.code)}${kept}${unknown ? ` unknown ${unknown.from}-${unknown.to}` : ''}`);
    })
    .on('resumed', ({ replayed, deduplicated }) => heard.push(`resumed ${replayed} again, ${deduplicated} twice`))
    .on('sessionLost', ({ code, handledUpTo, unknown, notSent }) => {
      const lost = unknown ? ` unknown ${unknown.from}-${unknown.to}` : '';
      heard.push(`lost ${code} ${handledUpTo}${lost}${notSent ? ` notSent ${notSent.from}-${notSent.to}` : ''}`);
    })
    .on('dropped', ({ code, from, to }) => heard.push(`dropped ${short(code)} ${from}-${to}`))
    .on('failed', ({ reason }) => heard.push(`failed ${short(reason.code)}`))
    .on('error', ({ code }) => heard.push(`error ${short(code)}`))
    .on('disposed', ({ reason, unknown }) =>
      heard.push(`disposed ${short(reason.code)}${unknown ? ` unknown ${unknown.from}-${unknown.to}` : ''}`),
    );
  return heard;
}

/** The same of a peer. */
export function peerSessionJournal(peer: Peer): string[] {
  const heard: string[] = [];
  peer
    .on('detached', ({ reason }) => heard.push(`detached ${short(reason.code)}`))
    .on('resumed', ({ replayed }) => heard.push(`resumed ${replayed} again`))
    .on('disposed', ({ reason, unknown }) =>
      heard.push(`disposed ${short(reason.code)}${unknown ? ` unknown ${unknown.from}-${unknown.to}` : ''}`),
    );
  return heard;
}

export interface Play {
  readonly handler?: PeerHandler;
  readonly client?: Partial<ConnectOptions>;
  readonly server?: Partial<ListenOptions>;
}

/** Both sides, connected; what the client heard; the peers that there were. */
export async function play({ handler = answer, client = {}, server = {} }: Play = {}) {
  const at = stage();
  const peers: Peer[] = [];
  const journals: string[][] = [];
  const refusals: string[] = [];
  const listening = await at.serve(
    (peer) => {
      peers.push(peer);
      journals.push(peerSessionJournal(peer));
      return handler(peer);
    },
    { session: 'require', ...server },
  );
  listening.on('refused', ({ error }) => refusals.push(error.message));
  const connection = at.dial({ session: true, ...client });
  const heard = sessionJournal(connection);
  await at.clock.advance(50);
  return { at, server: listening, connection, heard, peers, journals, refusals };
}

/** What a client's messages come to, as they are answered. */
export function answers(connection: Connection): string[] {
  const back: string[] = [];
  connection.on('message', (message) => void back.push(`${message}`));
  return back;
}

/** How a promise stands, or what it came to. */
export function settled(promise: Promise<unknown>): { is: string } {
  const told = { is: 'pending' };
  promise.then(
    (value) => {
      told.is = typeof value === 'object' ? JSON.stringify(value) : `${value}`;
    },
    (error: { code: string; outcome: string }) => {
      told.is = `${short(error.code)} ${error.outcome}`;
    },
  );
  return told;
}

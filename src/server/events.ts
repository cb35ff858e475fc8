import type { BoundAddress } from '../environment.js';
import type { NinjaTcpError, Reason } from '../errors.js';
import type { Peer } from '../peer.js';

export type ServerState = 'closed' | 'binding' | 'listening' | 'paused' | 'draining' | 'disposed';

/** The events of a server, with what their listeners are given. */
export interface ServerEvents {
  /** The port is bound; again after each pause. */
  listening: [address: BoundAddress];
  /** The process is short of descriptors: the port is closed until there are more, and peers live on. */
  paused: [event: { readonly error: NinjaTcpError }];
  /** A socket was accepted. The handler of `listen` is called right after. */
  peer: [peer: Peer];
  /** The program's handler or a listener threw; that peer ended, the others did not notice. */
  peerError: [event: { readonly peer: Peer; readonly error: NinjaTcpError }];
  /** A socket was dropped before it became a peer: the server is full, no TLS with it, a bad PROXY header. */
  refused: [event: { readonly remoteAddress: string | undefined; readonly error: NinjaTcpError }];
  /** The end. */
  closed: [event: { readonly reason: Reason }];
}

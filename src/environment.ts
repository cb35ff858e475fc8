/**
 * The seam between ninja-tcp and the world: clock, chance and network. Types only. The default environment is
 * `socket/node.ts`; `ninja-tcp/testing` has one in memory.
 */

import type { ServerOpts } from 'node:net';
import type { ConnectionOptions, PeerCertificate, TlsOptions } from 'node:tls';

/** A timer that was set; what it is, is its clock's own affair. */
export interface Timer {
  /** Let the timer keep the process alive (the default). */
  ref?(): unknown;
  /** Let the process end although the timer is set. */
  unref?(): unknown;
}

export interface Clock {
  /** Monotonic milliseconds. The origin means nothing; differences do. */
  now(): number;
  /** Wall-clock milliseconds since 1970. */
  wallNow(): number;
  /**
   * Monotonic milliseconds of an instant such that every byte which had arrived by then has been read, whatever has
   * blocked the loop since. While a timer's callback runs this is the time at which the timer came due in the loop,
   * before the poll phase that was then passed; so a late event loop cannot be mistaken for a silent peer.
   */
  polledAt(): number;
  /** Calls back once, at least `ms` milliseconds from now (0 … 2^31-1), after a poll phase. */
  setTimeout(callback: () => void, ms: number): Timer;
  clearTimeout(timer: Timer): void;
  /** Calls back when the running tick is over, before any I/O. */
  defer(callback: () => void): void;
}

/** What a transport tells its owner. All calls come from the event loop, never from inside a call to the transport. */
export interface TransportHandlers {
  /** TCP (and TLS) is open. Not called for an accepted transport: it is open from the first. */
  opened(): void;
  /** Bytes as the kernel gave them, cut anywhere. The owner may keep them. */
  chunk(bytes: Buffer): void;
  /** The other side has sent its FIN: no more chunks. */
  ended(): void;
  /** It broke; `closed` follows. */
  failed(error: Error): void;
  /** It is gone, for whatever cause. The last call. */
  closed(): void;
}

export interface TransportAddress {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  /** Of the proxy that stands between, where `remoteAddress` is the client's; undefined where there is none. */
  readonly proxyAddress?: string | undefined;
}

/** What `tls.connect` takes, but for where to dial. */
export type ClientTls = Omit<ConnectionOptions, 'host' | 'port' | 'path' | 'socket' | 'lookup' | 'timeout'>;

/** What `tls.createServer` takes, but for what is of the socket below. */
export type ServerTls = Omit<TlsOptions, keyof ServerOpts | 'handshakeTimeout'>;

/** What the handshake of a TLS line came to. */
export interface TlsFacts {
  /** Whether the other side showed a certificate that is good. A server sees none unless it has `requestCert: true`. */
  readonly authorized: boolean;
  /** Why it is not good, such as `DEPTH_ZERO_SELF_SIGNED_CERT`, where `rejectUnauthorized: false` let it pass. */
  readonly authorizationError: string | undefined;
  /** `TLSv1.3` */
  readonly protocol: string | undefined;
  /** What both sides chose by ALPN. */
  readonly alpnProtocol: string | undefined;
  /** The name that the client asked for (SNI). */
  readonly servername: string | undefined;
  /** The other side's certificate, as Node's `getPeerCertificate()` gives it; undefined where it showed none. */
  readonly peerCertificate: PeerCertificate | undefined;
}

/** One attempt's byte stream: TCP, TLS, or a simulated one. Half-open: a FIN closes one direction only. */
export interface Transport extends TransportAddress {
  /** Says who hears. Called once, at once; where `passesOn` is true, again for another one who hears from then on. */
  attach(handlers: TransportHandlers): void;
  readonly passesOn?: boolean;
  /** Hands bytes over; they must not be changed until `written` is called (with an error if they were not taken). */
  write(bytes: Uint8Array, written: (error?: Error | null) => void): void;
  /** Holds writes back … */
  cork(): void;
  /** … and hands them over in one. */
  uncork(): void;
  /** Sends a FIN behind all that was written; calls back when the kernel has taken it, never if it was destroyed before. */
  end(finished: () => void): void;
  /** Throws the transport away, at once: no FIN behind what is unsent. `closed` follows. */
  destroy(): void;
  /** Throws the transport away with a RST. */
  reset(): void;
  pause(): void;
  resume(): void;
  ref(): void;
  unref(): void;
  /** Bytes accepted by `write` that the kernel has not taken yet. */
  readonly pendingBytes: number;
  /** Undefined where there is no TLS, or its handshake is not over. */
  readonly tls?: TlsFacts | undefined;
}

/** Looks a name up, as `dns.lookup` does. */
export type LookupFunction = (
  hostname: string,
  // biome-ignore lint/suspicious/noExplicitAny: Node's own overloads of lookup differ between its versions
  options: any,
  // biome-ignore lint/suspicious/noExplicitAny: as above
  callback: (error: NodeJS.ErrnoException | null, address: any, family?: number) => void,
) => void;

/** Where to dial: a host's port, or a path. */
export interface DialTarget {
  readonly host: string;
  /** Absent where there is a path. */
  readonly port?: number | undefined;
  /** A Unix domain socket, or a Windows pipe. */
  readonly path?: string | undefined;
  readonly localAddress?: string | undefined;
  readonly localPort?: number | undefined;
  readonly lookup?: LookupFunction | undefined;
  readonly tls?: ClientTls | undefined;
  readonly noDelay: boolean;
}

/** Where to listen: on a port, or at a path. */
export interface ListenTarget {
  /** All addresses when absent. */
  readonly host?: string | undefined;
  /** 0 lets the system choose. Absent where there is a path. */
  readonly port?: number | undefined;
  /** A Unix domain socket, or a Windows pipe. */
  readonly path?: string | undefined;
  /** Length of the kernel's queue of connections not yet accepted. */
  readonly backlog?: number | undefined;
  readonly tls?: ServerTls | undefined;
  readonly noDelay: boolean;
}

export interface BoundAddress {
  /** An address, or the path. */
  readonly address: string;
  /** 0 for a path. */
  readonly port: number;
  /** `'IPv4'`, `'IPv6'`, or `'unix'` for a path. */
  readonly family: string;
}

/** What a listening port tells its owner. */
export interface AcceptorHandlers {
  listening(address: BoundAddress): void;
  accepted(transport: Transport): void;
  /** A connection could not be accepted; the port lives on. */
  refused?(error: Error): void;
  /** It could not be bound, or was lost. */
  failed(error: Error): void;
}

/** A listening port. */
export interface Acceptor {
  /** Accepts no more; what was accepted lives on. */
  close(): void;
  ref(): void;
  unref(): void;
  /**
   * The server's side of a TLS handshake on a transport that was accepted here; there where `tls` was asked for. Calls
   * back once, from the event loop, with the transport inside, open from the first, or with what went wrong. Meanwhile
   * the accepted transport can be destroyed or reset, no more.
   *
   * @param received what was read from it already
   */
  secure?(transport: Transport, received: Buffer, done: (secured: Transport | undefined, error?: Error) => void): void;
}

/** Clock, chance and network: all that ninja-tcp asks of the world. */
export interface Environment {
  readonly clock: Clock;
  /** Chance, from 0 up to but not including 1. */
  random(): number;
  /** So many bytes that nobody can guess: ids and secrets of sessions. Absent where this environment knows no sessions. */
  randomBytes?(length: number): Uint8Array;
  /** Begins to dial and returns at once. Names are looked up afresh each time. */
  dial(target: DialTarget): Transport;
  listen(target: ListenTarget, handlers: AcceptorHandlers): Acceptor;
  /**
   * How many descriptors (files, sockets, ports) the process may still open; undefined, or absent, where the system does
   * not tell.
   *
   * @param exactly false: an upper bound will do, at next to no cost
   */
  freeDescriptors?(exactly: boolean): number | undefined;
  /** Throws what is wrong with keys and certificates. Absent where this environment knows no TLS. */
  checkTls?(tls: ClientTls | ServerTls): void;
  /** Tells people of a failure that no listener wanted to hear. The process lives on. */
  warn(error: Error): void;
}

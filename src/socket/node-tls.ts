import type { EventEmitter } from 'node:events';
import { isIP, Server as NetServer, type Socket } from 'node:net';
import {
  type ConnectionOptions,
  createSecureContext,
  createServer,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { ClientTls, DialTarget, ServerTls, TlsFacts, Transport, TransportHandlers } from '../environment.js';
import { messageOf, NinjaTcpError, show } from '../errors.js';
import { NodeTransport } from './node-transport.js';
import { tlsFault } from './tls-fault.js';

/** Keys and certificates are read once for each set of options, not for each attempt. */
const contexts = new WeakMap<ClientTls | ServerTls, SecureContext>();

function contextOf(tls: ClientTls): SecureContext {
  const known = tls.secureContext ?? contexts.get(tls);
  if (known) return known;
  const context = createSecureContext(tls);
  contexts.set(tls, context);
  return context;
}

/** Throws what is wrong with keys and certificates. */
export function checkTls(tls: ClientTls | ServerTls): void {
  if (!tls.secureContext) contexts.set(tls, createSecureContext(tls));
}

/** TLS on a socket: all of it but the handshake. */
class TlsTransport extends NodeTransport {
  protected open = false;
  private known: TlsFacts | undefined;

  constructor(
    stream: Socket,
    isTcp: boolean,
    base: Socket,
    private readonly who: string,
  ) {
    super(stream, isTcp, base);
  }

  override get tls(): TlsFacts | undefined {
    if (!this.open) return undefined;
    this.known ??= factsOf(this.stream as TLSSocket);
    return this.known;
  }

  protected override explain(error: Error): Error {
    // Node leaves the socket open behind some errors of TLS.
    this.stream.destroy();
    return tlsFault(error, { who: this.who, open: this.open, authorizationError: refusalOf(this.stream as TLSSocket) });
  }
}

/** The client's side. TCP comes first, since a dial of several addresses changes its handle under way; then TLS. */
class DialedTls extends TlsTransport {
  constructor(
    socket: Socket,
    isTcp: boolean,
    private readonly options: ConnectionOptions,
    who: string,
  ) {
    super(socket, isTcp, socket, who);
  }

  override attach(handlers: TransportHandlers): void {
    const { base } = this;
    const failed = (error: Error) => handlers.failed(error);
    const closed = () => handlers.closed();
    base.on('error', failed).on('close', closed);
    base.once('connect', () => {
      if (!this.referenced) base.unref();
      try {
        this.stream = tlsConnect({ ...this.options, socket: base });
      } catch (error) {
        base.destroy();
        handlers.failed(new NinjaTcpError('NINJA_TLS_FAILED', `tls: ${messageOf(error)}`, error));
        return;
      }
      // TLS tells what becomes of its socket.
      base.off('error', failed).off('close', closed).on('error', ignore);
      this.listen('secureConnect', {
        opened: () => {
          this.open = true;
          handlers.opened();
        },
        chunk: (bytes) => handlers.chunk(bytes),
        ended: () => handlers.ended(),
        failed: (error) => handlers.failed(error),
        closed,
      });
    });
  }
}

/** The server's side, behind the handshake. */
class AcceptedTls extends TlsTransport {
  protected override open = true;
}

function ignore(): void {}

/** Why the other side's certificate is not good. On the client's side Node means null by it, whatever the types say. */
function refusalOf({ authorizationError }: TLSSocket): string | undefined {
  const error: unknown = authorizationError;
  if (error === null || error === undefined) return undefined;
  return error instanceof Error ? error.message : String(error);
}

function factsOf(socket: TLSSocket): TlsFacts {
  const certificate = socket.getPeerCertificate();
  const servername: unknown = (socket as { servername?: unknown }).servername;
  return {
    authorized: socket.authorized,
    authorizationError: refusalOf(socket),
    protocol: socket.getProtocol() ?? undefined,
    alpnProtocol: socket.alpnProtocol || undefined,
    servername: typeof servername === 'string' ? servername : undefined,
    peerCertificate: certificate && Object.keys(certificate).length > 0 ? certificate : undefined,
  };
}

type Check = NonNullable<ConnectionOptions['checkServerIdentity']>;

/** The program's own check: whatever it throws or returns is an objection, since Node lets an exception pass into nowhere. */
function guarded(check: Check): Check {
  return (hostname, certificate) => {
    try {
      const objection: unknown = check(hostname, certificate);
      if (!objection) return undefined;
      if (objection instanceof Error) return objection;
      // An async one would reject behind our back.
      Promise.resolve(objection).catch(ignore);
      return new Error(`checkServerIdentity must return an Error or undefined, got ${show(objection)}`);
    } catch (cause) {
      return new Error(`checkServerIdentity threw: ${messageOf(cause)}`, { cause });
    }
  };
}

export function dialTls(socket: Socket, target: DialTarget, tls: ClientTls): Transport {
  const { host, path } = target;
  // An address is no server name; a path has none either.
  const name = tls.servername ?? (path === undefined && isIP(host) === 0 ? host : undefined);
  const options: ConnectionOptions = {
    ...tls,
    secureContext: contextOf(tls),
    ...(tls.checkServerIdentity && { checkServerIdentity: guarded(tls.checkServerIdentity) }),
    // What the certificate has to be for, where there is no server name.
    ...(path === undefined && { host }),
    ...(name !== undefined && { servername: name }),
  };
  return new DialedTls(socket, path === undefined, options, name || (path ?? host));
}

/** Does the server's side of handshakes; it listens nowhere itself. */
export type Handshakes = (
  transport: NodeTransport,
  received: Buffer,
  done: (secured: Transport | undefined, error?: Error) => void,
) => void;

export function handshakes(tls: ServerTls): Handshakes {
  // Our own deadline comes first: see Admission.
  const server = createServer({ ...tls, handshakeTimeout: 2 ** 31 - 1 });
  return (transport, received, done) => {
    const { base, isTcp } = transport;
    const who = 'the client';
    transport.detach();
    base.on('error', ignore);
    // A FIN in the middle of the handshake ends it: else the socket would stay until the deadline.
    base.allowHalfOpen = false;
    if (received.length > 0) base.unshift(received);
    // The server's own listener is called as if by a server of this one socket, so that what it tells concerns just that.
    const one = Object.create(server, {
      emit: {
        value: (event: string, ...told: [TLSSocket] | [Error, TLSSocket]): boolean => {
          if (event === 'secureConnection') {
            const [stream] = told as [TLSSocket];
            stream.allowHalfOpen = true;
            done(new AcceptedTls(stream, isTcp, base, who));
          } else if (event === 'tlsClientError') {
            const [error, socket] = told as [Error, TLSSocket];
            done(undefined, tlsFault(error, { who, open: false, authorizationError: refusalOf(socket) }));
            socket.destroy();
          } else {
            return server.emit(event, ...told);
          }
          return true;
        },
      },
    });
    (NetServer.prototype as EventEmitter).emit.call(one, 'connection', base);
  };
}

import { randomBytes } from 'node:crypto';
import {
  createServer,
  type IpcNetConnectOpts,
  connect as netConnect,
  type Socket,
  type TcpNetConnectOpts,
} from 'node:net';
import type {
  Acceptor,
  AcceptorHandlers,
  BoundAddress,
  DialTarget,
  Environment,
  ListenTarget,
  Transport,
} from '../environment.js';
import { nodeClock } from './node-clock.js';
import { freeDescriptors } from './node-descriptors.js';
import { checkTls, dialTls, handshakes } from './node-tls.js';
import { NodeTransport } from './node-transport.js';

function dial(target: DialTarget): Transport {
  const socket = dialPlain(target);
  return target.tls ? dialTls(socket, target, target.tls) : new NodeTransport(socket, target.path === undefined);
}

function dialPlain(target: DialTarget): Socket {
  const { host, path, noDelay, localAddress, localPort, lookup } = target;
  if (path !== undefined) return netConnect({ noDelay, allowHalfOpen: true, path } as IpcNetConnectOpts);
  const options: TcpNetConnectOpts = { noDelay, allowHalfOpen: true, host, port: target.port as number };
  // Absent and undefined differ to Node.
  if (localAddress !== undefined) options.localAddress = localAddress;
  if (localPort !== undefined) options.localPort = localPort;
  if (lookup !== undefined) options.lookup = lookup;
  return netConnect(options);
}

function listen(target: ListenTarget, handlers: AcceptorHandlers): Acceptor {
  const { path, tls } = target;
  const isTcp = path === undefined;
  const secure = tls && handshakes(tls);
  const server = createServer({ allowHalfOpen: true, noDelay: target.noDelay });
  const bound = (): BoundAddress =>
    isTcp ? (server.address() as BoundAddress) : { address: path, port: 0, family: 'unix' };
  server
    .on('listening', () => handlers.listening(bound()))
    .on('connection', (socket) => handlers.accepted(new NodeTransport(socket, isTcp)))
    .on('error', (error: NodeJS.ErrnoException) => {
      // libuv goes on, and so does the port.
      if (error.syscall === 'accept') handlers.refused?.(error);
      else handlers.failed(error);
    });
  server.listen({
    ...(isTcp ? { port: target.port as number } : { path }),
    ...(target.host !== undefined && { host: target.host }),
    ...(target.backlog !== undefined && { backlog: target.backlog }),
  });
  return {
    close: () => void server.close(),
    ref: () => void server.ref(),
    unref: () => void server.unref(),
    ...(secure && {
      secure: (transport, received, done) => secure(transport as NodeTransport, received, done),
    }),
  };
}

/** The default environment: Node's own timers, chance and network. */
export const nodeEnvironment: Environment = {
  clock: nodeClock,
  random: () => Math.random(),
  randomBytes: (length) => randomBytes(length),
  dial,
  listen,
  freeDescriptors,
  checkTls,
  warn: (error) => process.emitWarning(error),
};

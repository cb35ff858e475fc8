import { createServer, connect as netConnect } from 'node:net';
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
import { NodeTransport } from './node-transport.js';

function dial(target: DialTarget): Transport {
  const { path } = target;
  const common = { noDelay: target.noDelay, allowHalfOpen: true };
  if (path !== undefined) return new NodeTransport(netConnect({ ...common, path }), false);
  const socket = netConnect({
    ...common,
    host: target.host,
    port: target.port as number,
    // Absent and undefined differ to Node.
    ...(target.localAddress !== undefined && { localAddress: target.localAddress }),
    ...(target.localPort !== undefined && { localPort: target.localPort }),
    ...(target.lookup !== undefined && { lookup: target.lookup }),
  });
  return new NodeTransport(socket, true);
}

function listen(target: ListenTarget, handlers: AcceptorHandlers): Acceptor {
  const { path } = target;
  const isTcp = path === undefined;
  const server = createServer({ allowHalfOpen: true, noDelay: target.noDelay });
  const bound = (): BoundAddress =>
    isTcp ? (server.address() as BoundAddress) : { address: path, port: 0, family: 'unix' };
  server
    .on('listening', () => handlers.listening(bound()))
    .on('connection', (socket) => handlers.accepted(new NodeTransport(socket, isTcp)))
    .on('error', (error) => handlers.failed(error));
  server.listen({
    ...(isTcp ? { port: target.port as number } : { path }),
    ...(target.host !== undefined && { host: target.host }),
    ...(target.backlog !== undefined && { backlog: target.backlog }),
  });
  return server;
}

/** The default environment: Node's own timers, chance and network. */
export const nodeEnvironment: Environment = {
  clock: nodeClock,
  random: () => Math.random(),
  dial,
  listen,
  warn: (error) => process.emitWarning(error),
};

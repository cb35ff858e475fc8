import { fromCallback } from 'xstate';
import type { SocketInput, SocketOrder } from '../../machines/line.setup.js';
import type { ServerPorts } from '../../machines/server.machine.js';

/** A socket as an XState actor: it lives as long as the actor, and reports to the statechart that spawned it. */
export const socketActor = fromCallback<SocketOrder, SocketInput>(({ input, receive, sendBack }) => {
  const socket = input.ports.openSocket(input.epoch, sendBack);
  receive(() => socket.discard());
  return () => socket.destroy();
});

/** A listening port as an XState actor: it is closed with the actor. */
export const acceptorActor = fromCallback<{ type: 'close' }, { readonly ports: ServerPorts }>(({ input, sendBack }) => {
  const acceptor = input.ports.openAcceptor(sendBack);
  return () => acceptor.close();
});

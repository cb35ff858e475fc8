// What a user's strict TypeScript sees of the package by `import`.
import { type Connection, connect, type ErrorCode, listen, NinjaTcpError, type Server } from 'ninja-tcp';
import { type Inspector, startInspector } from 'ninja-tcp/inspector';
import { connectionMachine } from 'ninja-tcp/machines';
import { createVirtualClock, type VirtualClock } from 'ninja-tcp/testing';

export const clock: VirtualClock = createVirtualClock();
export const connection: Connection = connect({ port: 1, host: 'localhost' });
export const server: Promise<Server> = listen({ port: 0 }, (peer) => void peer.send(Buffer.of(1)));
connection.on('stale', ({ silentForMs }) => silentForMs.toFixed());
export const codeOf = (error: unknown): ErrorCode | undefined =>
  error instanceof NinjaTcpError ? error.code : undefined;
export const states: string[] = Object.keys(connectionMachine.states);
export const inspector: Promise<Inspector> = startInspector({ port: 0, allowControl: false });
// @ts-expect-error: no option has this name
connect({ port: 1, staleAfterr: 1 });

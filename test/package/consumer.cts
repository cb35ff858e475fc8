// What a user's strict TypeScript sees of the package by `require`.
import ninja = require('ninja-tcp');
import inspector = require('ninja-tcp/inspector');
import machines = require('ninja-tcp/machines');
import testing = require('ninja-tcp/testing');

const clock: testing.VirtualClock = testing.createVirtualClock();
const connection: ninja.Connection = ninja.connect({ port: 1, host: 'localhost' });
const server: Promise<ninja.Server> = ninja.listen({ port: 0 }, (peer) => void peer.send(Buffer.of(1)));
connection.on('stale', ({ silentForMs }) => silentForMs.toFixed());
const codeOf = (error: unknown): ninja.ErrorCode | undefined =>
  error instanceof ninja.NinjaTcpError ? error.code : undefined;
const states: string[] = Object.keys(machines.connectionMachine.states);
const inspecting: Promise<inspector.Inspector> = inspector.startInspector({ port: 0, allowControl: false });
// @ts-expect-error: no option has this name
ninja.connect({ port: 1, staleAfterr: 1 });
export = { clock, server, codeOf, states, inspecting };

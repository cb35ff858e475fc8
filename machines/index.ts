/** `ninja-tcp/machines`: the statecharts, for tools that draw, walk or test them. */
export { connectionMachine } from './connection.machine.js';
export { peerMachine } from './peer.machine.js';
export { serverMachine } from './server.machine.js';
export { sessionMachine } from './session.machine.js';

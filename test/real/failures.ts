/** Ten things that go wrong with a line, each staged with real sockets: what is really the matter, and nothing around it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTls, type TlsOptions } from 'node:tls';
import { as, ca } from './certificates.js';
import { type Later, startServer } from './support-program.js';

/** What the order `connect` of programs/inspected.mjs takes. */
export type Target = Readonly<Record<string, unknown>>;

const host = '127.0.0.1';

/** Servers by whatever module: closed behind the test, with all that is open. */
async function serve(later: Later, server: Server, each: (socket: Socket) => void = () => {}): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    each(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  later(() => {
    for (const socket of sockets) socket.destroy();
    if (server.listening) server.close();
  });
  return (server.address() as AddressInfo).port;
}

const raw = (later: Later, each: (socket: Socket) => void) => serve(later, createServer(), each);

/** A port where nobody listens any more. */
export async function refused(): Promise<Target> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return { host, port };
}

/** A web server. */
export async function wrongPort(later: Later): Promise<Target> {
  return { host, port: await serve(later, createHttp() as Server) };
}

async function overTls(later: Later, options: TlsOptions): Promise<Target> {
  const server = createTls(options).on('tlsClientError', () => {});
  return { host, port: await serve(later, server), tls: { ca: ca.toString() } };
}

export const expired = (later: Later) => overTls(later, as('expired'));

/** Signed by an authority that we do not know. */
export const stranger = (later: Later) => overTls(later, as('stranger'));

/** TLS is wanted of a server that speaks none. */
export async function noTls(later: Later): Promise<Target> {
  return { ...(await wrongPort(later)), tls: { ca: ca.toString() } };
}

/** A process that is stopped as soon as it has been live. */
export async function stopped(later: Later): Promise<{ target: Target; stop: () => void }> {
  const { server, port } = await startServer(later, { heartbeatInterval: 100 });
  return { target: { host, port, staleAfter: 600 }, stop: () => server.signal('SIGSTOP') };
}

/** It speaks, and never reads. */
export async function slowReader(later: Later, options: object = {}): Promise<Target> {
  const port = await raw(later, (socket) => {
    socket.pause();
    const speaks = setInterval(() => socket.write(Buffer.alloc(4)), 100);
    socket.on('close', () => clearInterval(speaks));
  });
  return { host, port, sends: 100, ...options };
}

/** Its first bytes are these. */
async function says(later: Later, bytes: Buffer): Promise<Target> {
  return { host, port: await raw(later, (socket) => void socket.resume().write(bytes)) };
}

/** A message of 9 MB, one after another of 5 bytes. */
export const oversize = (later: Later) =>
  says(later, Buffer.concat([Buffer.from('0000000568656c6c6f00895440', 'hex'), Buffer.alloc(1000, 'record ')]));

export const garbage = (later: Later) => says(later, Buffer.from('f19e02c81f00ff7390ab', 'hex'));

export const otherEnd = (later: Later) => says(later, Buffer.from('0500000068656c6c6f', 'hex'));

/** It accepts everybody, and wants nobody. */
export async function dropsAll(later: Later): Promise<Target> {
  return { host, port: await raw(later, (socket) => void socket.destroy()) };
}

/** A name server that knows no name: the same words, with the answer's bit and NXDOMAIN. */
export async function noSuchName(later: Later): Promise<Target> {
  const server = createSocket('udp4').on('message', (asked, { port, address }) => {
    const answer = Buffer.from(asked);
    answer.writeUInt16BE(0x8183, 2);
    server.send(answer, port, address);
  });
  server.bind(0, host);
  await once(server, 'listening');
  later(() => void server.close());
  return { host: 'till-7.example', port: 65_432, names: server.address().port };
}

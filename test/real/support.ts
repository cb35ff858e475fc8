import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { type Connection, type ConnectOptions, connect } from '../../src/index.js';
import type { Later } from './support-program.js';

/** What a test has opened; closed behind it, also when it fails. */
const opened: (() => unknown)[] = [];

export function later(close: () => unknown): void {
  opened.push(close);
}

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
/** For `test.skipIf`: the tests of real processes run what was built. */
export const notBuilt = !existsSync(cli);

export const noPython = (() => {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
})();

export interface Child {
  readonly process: ChildProcess;
  readonly port: number;
  /** What else it printed, line by line. */
  readonly lines: readonly string[];
  /** Ends it, and waits until it is gone. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts a process whose first line of output ends with its port. */
async function startChild(command: string, args: readonly string[]): Promise<Child> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const kill = async (signal: NodeJS.Signals = 'SIGKILL') => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await gone;
  };
  later(() => kill('SIGKILL'));
  const printed = createInterface({ input: child.stdout });
  const first = await new Promise<string>((resolve) => {
    printed.once('line', resolve).once('close', () => resolve(''));
  });
  const lines: string[] = [];
  printed.on('line', (line) => lines.push(line));
  return { process: child, port: Number(/(\d+)\s*$/.exec(first)?.[1]), lines, kill };
}

/** Our own echo server, as a process of its own: it can be stopped and killed. */
export function echoProcess(port = 0): Promise<Child> {
  return startChild(process.execPath, [cli, 'echo', '--port', String(port)]);
}

/** An echo server that speaks every so many milliseconds and forgives a client's long silence. */
export function patientProcess(heartbeatInterval = 1000): Promise<Child> {
  const script = fileURLToPath(new URL('peers/patient_server.mjs', import.meta.url));
  return startChild(process.execPath, [script, String(heartbeatInterval)]);
}

/** An echo server with so many file descriptors, no more. @param path where it listens, instead of a port */
export function starvedProcess(descriptors: number, path = ''): Promise<Child> {
  const script = fileURLToPath(new URL('peers/few_descriptors.mjs', import.meta.url));
  return startChild('sh', [
    '-c',
    `ulimit -n ${descriptors}; exec "$0" "$1" ${path && '"$2"'}`,
    process.execPath,
    script,
    path,
  ]);
}

export function pythonProcess(script: string, ...args: string[]): Promise<Child> {
  const path = fileURLToPath(new URL(`peers/${script}`, import.meta.url));
  return startChild('python3', ['-u', path, ...args]);
}

/** A server of bare bytes in this process. Gives its port. @param closes where tests run side by side, each its own */
export async function rawServer(
  onSocket: (socket: Socket) => void,
  closes: Later = later,
): Promise<{ port: number; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closes(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(() => resolve()));
  });
  return { port: (server.address() as AddressInfo).port, server };
}

/** A port that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A connection that is disposed behind the test. */
export function connectTo(port: number, options: Partial<ConnectOptions> = {}, closes: Later = later): Connection {
  const connection = connect({ host: '127.0.0.1', port, ...options });
  closes(() => void connection.dispose());
  return connection;
}

/** The states that a connection passed through, from its history, without the first. */
export function pathOf(connection: Connection): string[] {
  return connection.history.slice(1).map(({ to }) => to);
}

/** The next event of this name. */
export function next<T = unknown>(emitter: NodeJS.EventEmitter, event: string): Promise<T> {
  return new Promise((resolve) => emitter.once(event, resolve));
}

/** A frame of NinjaTCP: 4 bytes, big-endian. */
export function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(4);
  header.writeUInt32BE(body.length);
  return Buffer.concat([header, body]);
}

/** Holds the event loop, as heavy work does. */
export function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Waits until it holds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

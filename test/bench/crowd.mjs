// One end of many idle connections, in a process of its own: `crowd.mjs serve|dial WAY [PORT]`.
import { once } from 'node:events';
import { createServer, connect as netConnect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, listen } from '../../dist/index.js';
import { answer, cpuSince, tell } from './processes.mjs';
import { ReferenceDecoder } from './reference.mjs';

const HOST = '127.0.0.1';
const BACKLOG = 4096;
/** Dials under way at a time. */
const WINDOW = 64;
/** As ninja-tcp's defaults. */
const HEARTBEAT = Buffer.alloc(4);
const INTERVAL_MS = 1000;
const STALE_MS = 3000;
const SWEEP_MS = 100;
const MAX_LENGTH = 8 * 1024 * 1024;

let open = 0;
/** Connections that were lost, which none should be, and what was heard of the first. */
let lost = 0;
let why;
function lose(reason) {
  lost += 1;
  why ??= reason;
}
const counted = (socket) => {
  open += 1;
  socket.on('error', (error) => lose(error.message));
  socket.on('close', () => {
    open -= 1;
    lose('closed');
  });
};

async function serveRaw(onSocket) {
  const server = createServer({ noDelay: true }, onSocket).listen({ port: 0, host: HOST, backlog: BACKLOG });
  await once(server, 'listening');
  return server.address().port;
}

async function dialRaw(port) {
  const socket = netConnect({ host: HOST, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

/** Heartbeats by hand, and the rule of silence: stamps of the turn for each connection, and one sweep over all of them. */
const lines = new Set();
function keepAlive(socket) {
  const now = performance.now();
  const line = { socket, wroteAt: now, heardAt: now };
  socket.write(HEARTBEAT);
  const decoder = new ReferenceDecoder(MAX_LENGTH, () => undefined);
  socket.on('data', (chunk) => {
    line.heardAt = performance.now();
    decoder.push(chunk);
  });
  socket.on('close', () => lines.delete(line));
  lines.add(line);
}
function sweep() {
  const now = performance.now();
  for (const line of lines) {
    if (now - line.heardAt > STALE_MS) line.socket.destroy();
    else if (now - line.wroteAt >= INTERVAL_MS) {
      line.wroteAt = now;
      line.socket.write(HEARTBEAT);
    }
  }
}

const oursWith = (session) => ({
  async serve() {
    const server = await listen({ host: HOST, port: 0, backlog: BACKLOG, session }, (peer) => {
      open += 1;
      peer.on('disposed', ({ reason }) => {
        open -= 1;
        lose(reason.message);
      });
    });
    return server.address().port;
  },
  async dial(port) {
    const connection = connect({ host: HOST, port, session });
    await connection.connected();
    open += 1;
    connection.on('disconnected', ({ reason }) => lose(reason.message));
    return connection;
  },
});

const ways = {
  ours: oursWith(false),
  'ours in a session': oursWith(true),
  /** A socket as it is. */
  raw: {
    serve: () =>
      serveRaw((socket) => {
        counted(socket);
        socket.on('data', () => undefined);
      }),
    async dial(port) {
      const socket = await dialRaw(port);
      counted(socket);
      socket.on('data', () => undefined);
      return socket;
    },
  },
  'by hand': {
    serve() {
      setInterval(sweep, SWEEP_MS);
      return serveRaw((socket) => {
        counted(socket);
        keepAlive(socket);
      });
    },
    async dial(port) {
      if (lines.size === 0) setInterval(sweep, SWEEP_MS);
      const socket = await dialRaw(port);
      counted(socket);
      keepAlive(socket);
      return socket;
    },
  },
};

const [role, way, portText] = process.argv.slice(2);
/** Kept: a program has them too. */
const dialled = [];

answer({
  /** Opens so many more. */
  async grow({ count }) {
    let begun = 0;
    const dialler = async () => {
      while (begun < count) {
        begun += 1;
        dialled.push(await ways[way].dial(Number(portText)));
      }
    };
    await Promise.all(Array.from({ length: WINDOW }, dialler));
  },
  /** The kernel connects for a server that has not accepted yet. */
  async accepted({ count }) {
    while (open < count) await sleep(1);
  },
  /** After all garbage is gone. */
  async memory() {
    for (let turn = 0; turn < 4; turn += 1) {
      global.gc();
      await sleep(50);
    }
    return { rss: process.memoryUsage.rss(), open, lost, why };
  },
  async cpu({ ms }) {
    const from = process.cpuUsage();
    const at = performance.now();
    await sleep(ms);
    return { share: cpuSince(from) / ((performance.now() - at) / 1000), open, lost, why };
  },
});

tell(role === 'serve' ? { port: await ways[way].serve() } : { ready: true });

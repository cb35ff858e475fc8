// The ways to send messages one way that need nothing installed. `receive` gives the port on which it listens; it calls
// `accept()` for each connection, and what that gives for each message, with a Buffer; `send` gives `put(message)`, which is false when `drained()` has to be awaited.
import { once } from 'node:events';
import { createServer, connect as netConnect } from 'node:net';
import { connect, listen } from '../../dist/index.js';
import { ReferenceDecoder, SlabWriter } from './reference.mjs';

const HOST = '127.0.0.1';
/** The limit of ninja-tcp's default, and more where a message is as long as that. */
const MAX_LENGTH = 8 * 1024 * 1024;

async function listenRaw(onSocket) {
  const server = createServer({ noDelay: true }, onSocket).listen(0, HOST);
  await once(server, 'listening');
  return server.address().port;
}

async function connectRaw(port) {
  const socket = netConnect({ host: HOST, port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

async function listenOurs(handler, options = {}) {
  const server = await listen({ host: HOST, port: 0, ...options }, handler);
  return server.address().port;
}

async function sendOurs(port, _job, options = {}) {
  const connection = connect({ host: HOST, port, ...options });
  await connection.connected({ proven: true });
  return { put: (message) => connection.send(message), drained: () => connection.drained() };
}

/** With the defaults that users get: heartbeats, silence rule, limits and counters are on. */
const ours = {
  receive: (accept) => listenOurs((peer) => peer.on('message', accept())),
  send: sendOurs,
};

/** Each message is numbered, kept until it is handled, and acknowledged. */
const oursInSession = {
  receive: (accept) => listenOurs((peer) => peer.on('message', accept()), { session: 'require' }),
  send: (port, job) => sendOurs(port, job, { session: true }),
};

const oursForAwait = {
  receive: (accept) =>
    listenOurs(async (peer) => {
      const onMessage = accept();
      for await (const message of peer) onMessage(message);
    }),
  send: sendOurs,
};

const oursBatches = {
  receive: (accept) =>
    listenOurs(async (peer) => {
      const onMessage = accept();
      for await (const batch of peer.batches()) for (const message of batch) onMessage(message);
    }),
  send: sendOurs,
};

/** The mark. */
const reference = {
  receive: (accept) =>
    listenRaw((socket) => {
      const decoder = new ReferenceDecoder(MAX_LENGTH, accept());
      socket.on('data', (chunk) => decoder.push(chunk));
    }),
  async send(port) {
    const writer = new SlabWriter(await connectRaw(port));
    return { put: (message) => writer.send(message), drained: () => writer.drained() };
  },
};

/** As one begins: a write for each message. */
const eachWritten = {
  receive: reference.receive,
  async send(port) {
    const socket = await connectRaw(port);
    return {
      put(message) {
        const frame = Buffer.allocUnsafe(4 + message.length);
        frame.writeUInt32BE(message.length, 0);
        frame.set(message, 4);
        return socket.write(frame);
      },
      drained: () => once(socket, 'drain'),
    };
  },
};

/** Only bytes are received; the places where a message begins and ends are looked at as they pass, to check it. */
const receiveRaw =
  (headerLength) =>
  (accept, { size }) => {
    const seen = Buffer.alloc(size);
    const whole = headerLength + size;
    return listenRaw((socket) => {
      const onMessage = accept();
      let at = 0;
      socket.on('data', (chunk) => {
        let from = 0;
        while (from < chunk.length) {
          const taken = Math.min(chunk.length - from, whole - at);
          for (let i = 0; i < 2; i += 1) {
            const place = headerLength + i - at;
            if (place >= 0 && place < taken) seen[i] = chunk[from + place];
          }
          at += taken;
          from += taken;
          if (at < whole) continue;
          seen[size - 1] = chunk[from - 1];
          at = 0;
          onMessage(seen);
        }
      });
    });
  };

/** No framing at all. */
const raw = {
  receive: receiveRaw(0),
  async send(port) {
    const socket = await connectRaw(port);
    return { put: (message) => socket.write(message), drained: () => once(socket, 'drain') };
  },
};

/** Frames are sent, and what is received is not cut into messages. */
const rawReceiver = { receive: receiveRaw(4), send: reference.send };

export const ways = {
  ours,
  'ours in a session': oursInSession,
  'ours for await': oursForAwait,
  'ours batches': oursBatches,
  reference,
  'each written': eachWritten,
  raw,
  'raw receiver': rawReceiver,
};

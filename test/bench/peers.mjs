// How the libraries of the registry send messages one way: as their own documentation says, for speed.
import { once } from 'node:events';
import { load } from './installer.mjs';

const HOST = '127.0.0.1';
const SUBJECT = 'bench';
/** Where a library tells nothing of back-pressure: so many messages, and then a look at what it holds. */
const TURN = 4096;
const turn = () => new Promise(setImmediate);

const ws = {
  async receive(accept) {
    const { WebSocketServer } = await load('ws');
    const server = new WebSocketServer({ host: HOST, port: 0, perMessageDeflate: false });
    server.on('connection', (socket) => socket.on('message', accept()));
    await once(server, 'listening');
    return server.address().port;
  },
  async send(port) {
    const { WebSocket } = await load('ws');
    const socket = new WebSocket(`ws://${HOST}:${port}`, { perMessageDeflate: false });
    await once(socket, 'open');
    return {
      put(message) {
        socket.send(message);
        return socket.bufferedAmount < 1024 * 1024;
      },
      async drained() {
        while (socket.bufferedAmount > 0) await turn();
      },
    };
  },
};

const nats = {
  async receive(accept, { broker }) {
    const { connect } = await load('@nats-io/transport-node');
    const connection = await connect({ servers: `${HOST}:${broker}` });
    const onMessage = accept();
    connection.subscribe(SUBJECT, {
      callback: (error, message) => onMessage(error ? Buffer.alloc(0) : Buffer.from(message.data)),
    });
    await connection.flush();
    return broker;
  },
  async send(port) {
    const { connect } = await load('@nats-io/transport-node');
    const connection = await connect({ servers: `${HOST}:${port}` });
    let sent = 0;
    return {
      put(message) {
        connection.publish(SUBJECT, message);
        sent += 1;
        return sent % (4 * TURN) > 0;
      },
      drained: () => connection.flush(),
    };
  },
};

const zeromq = {
  async receive(accept) {
    const { Pull } = await load('zeromq');
    const socket = new Pull({ receiveHighWaterMark: 0 });
    await socket.bind(`tcp://${HOST}:*`);
    const onMessage = accept();
    void (async () => {
      for await (const [message] of socket) onMessage(message);
    })();
    return Number(socket.lastEndpoint.split(':').at(-1));
  },
  async send(port) {
    const { Push } = await load('zeromq');
    const socket = new Push();
    socket.connect(`tcp://${HOST}:${port}`);
    let pending;
    return {
      put(message) {
        pending = socket.send(message);
        return false;
      },
      drained: () => pending,
    };
  },
};

const mqtt = {
  async receive(accept, { broker }) {
    const { connectAsync } = await load('mqtt');
    const client = await connectAsync({ host: HOST, port: broker, protocolVersion: 4 });
    const onMessage = accept();
    client.on('message', (_topic, message) => onMessage(message));
    await client.subscribeAsync(SUBJECT, { qos: 0 });
    return broker;
  },
  async send(port) {
    const { connectAsync } = await load('mqtt');
    const client = await connectAsync({ host: HOST, port, protocolVersion: 4 });
    let sent = 0;
    return {
      put(message) {
        client.publish(SUBJECT, message, { qos: 0 });
        sent += 1;
        return sent % TURN > 0;
      },
      async drained() {
        while (client.stream.writableLength > 64 * 1024) await turn();
        await turn();
      },
    };
  },
};

export const peerWays = { ws, nats, zeromq, mqtt };

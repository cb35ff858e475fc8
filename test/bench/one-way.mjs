// One end of a one-way transfer, as a process of its own: `node one-way.mjs receive|send WAY SIZE COUNT [PORT]`.
//
// WAY ours: ninja-tcp with the defaults that users get, built into dist.
//     write: node:net, one write per message, as one begins; its receiver is the hand-written decoder below.
//     slab: node:net, messages copied into a slab, one write per slab or tick; the same receiver.
import { createServer, connect as netConnect } from 'node:net';

const [role, way, sizeText, countText, portText] = process.argv.slice(2);
const size = Number(sizeText);
const count = Number(countText);

function report(received, seconds, bad) {
  process.stdout.write(`${JSON.stringify({ received, seconds, bad, cpu: process.cpuUsage() })}\n`);
}

/** Counts messages, checks that each carries its number, and reports when all are there. */
function counter(done) {
  let received = 0;
  let bad = 0;
  let from = 0;
  return (bytes, at, length) => {
    if (received === 0) from = performance.now();
    const number = bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16);
    if (length !== size || number !== (received & 0xffffff)) bad += 1;
    received += 1;
    if (received === count) done(received, (performance.now() - from) / 1000, bad);
  };
}

/** The obvious zero-copy decoder, without limits, for 4 bytes big-endian. */
function handWritten(onMessage) {
  let rest;
  return (chunk) => {
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= 4) {
      const length = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      if (bytes.length - at - 4 < length) break;
      onMessage(bytes, at + 4, length);
      at += 4 + length;
    }
    rest = at < bytes.length ? bytes.subarray(at) : undefined;
  };
}

async function receive() {
  if (way === 'ours') {
    const { listen } = await import('../../dist/index.js');
    const server = await listen({ host: '127.0.0.1', port: 0 }, (peer) => {
      const onMessage = counter((...result) => {
        report(...result);
        peer.send('done');
        server.close();
      });
      peer.on('message', (message) => onMessage(message, 0, message.length));
    });
    process.stdout.write(`${server.address().port}\n`);
    return;
  }
  const server = createServer((socket) => {
    const onMessage = counter((...result) => {
      report(...result);
      socket.end('done');
      server.close();
    });
    socket.on('data', handWritten(onMessage));
  });
  server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
}

/** Sends all, in turns that the way's back-pressure allows. */
async function send() {
  const port = Number(portText);
  if (way === 'ours') {
    const { connect } = await import('../../dist/index.js');
    const connection = connect({ host: '127.0.0.1', port });
    connection.once('message', () => connection.close());
    await connection.connected({ proven: true });
    for (let number = 0; number < count; number += 1) {
      const message = Buffer.allocUnsafe(size);
      stamp(message, 0, number);
      if (!connection.send(message)) await connection.drained();
    }
    return;
  }
  const socket = netConnect({ host: '127.0.0.1', port, noDelay: true });
  socket.on('data', () => socket.end());
  await new Promise((resolve) => socket.once('connect', resolve));
  const drained = () => new Promise((resolve) => socket.once('drain', resolve));
  if (way === 'write') {
    for (let number = 0; number < count; number += 1) {
      const frame = Buffer.allocUnsafe(4 + size);
      frame.writeUInt32BE(size, 0);
      stamp(frame, 4, number);
      if (!socket.write(frame)) await drained();
    }
    return;
  }
  const SLAB = 128 * 1024;
  let slab = Buffer.allocUnsafeSlow(SLAB);
  let filled = 0;
  for (let number = 0; number < count; number += 1) {
    const message = Buffer.allocUnsafe(size);
    stamp(message, 0, number);
    if (filled + 4 + size > SLAB) {
      const ready = socket.write(slab.subarray(0, filled));
      slab = Buffer.allocUnsafeSlow(SLAB);
      filled = 0;
      if (!ready) await drained();
    }
    slab[filled] = size >>> 24;
    slab[filled + 1] = size >>> 16;
    slab[filled + 2] = size >>> 8;
    slab[filled + 3] = size;
    slab.set(message, filled + 4);
    filled += 4 + size;
  }
  socket.write(slab.subarray(0, filled));
}

function stamp(bytes, at, number) {
  bytes[at] = number;
  bytes[at + 1] = number >>> 8;
  bytes[at + 2] = number >>> 16;
}

await (role === 'receive' ? receive() : send());

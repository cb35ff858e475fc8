// Decodes in memory, in a process of its own: `decode.mjs WAY SCENARIO`; tells that it is warm, then works when asked.
import { lengthPrefixed } from '../../dist/index.js';
import { makeMessages } from './messages.mjs';
import { headerFor, peerDecoders } from './peers-decode.mjs';
import { answer, cpuSince, tell } from './processes.mjs';
import { ReferenceDecoder } from './reference.mjs';

const [way, scenarioText] = process.argv.slice(2);
const { size, chunk, bytes, warmMs } = JSON.parse(scenarioText);
const MAX_LENGTH = 32 * 1024 * 1024;

const decoders = {
  ours(receive) {
    const decoder = lengthPrefixed().decoder({ maxFrameLength: MAX_LENGTH });
    return (pieces) => {
      for (const piece of pieces) decoder.push(piece, receive);
    };
  },
  reference(receive) {
    const decoder = new ReferenceDecoder(MAX_LENGTH, receive);
    return (pieces) => {
      for (const piece of pieces) decoder.push(piece);
    };
  },
  ...peerDecoders,
};

/** So many whole frames that they are `bytes` long, at least one. */
function makeStream(messages) {
  const header = headerFor(way)(size);
  const frames = [];
  for (let number = 0, length = 0; length < bytes; number += 1) {
    const message = messages[number % messages.length];
    frames.push(header, message);
    length += header.length + message.length;
  }
  return { stream: Buffer.concat(frames), expected: frames.length / 2 };
}

/** As the kernel gives them: each chunk is memory of its own. */
function cut(stream) {
  const pieces = [];
  let noise = 7;
  for (let at = 0; at < stream.length; ) {
    noise = (Math.imul(noise, 1_103_515_245) + 12_345) >>> 0;
    const length = chunk === 'random' ? 1 + ((noise >>> 8) % 4096) : chunk;
    const end = Math.min(stream.length, at + length);
    const piece = Buffer.allocUnsafeSlow(end - at);
    stream.copy(piece, 0, at, end);
    pieces.push(piece);
    at = end;
  }
  return pieces;
}

const messages = makeMessages(size);
const { stream, expected } = makeStream(messages);
const pieces = cut(stream);

let received = 0;
let compare = true;
let wrong = 0;
const decode = await decoders[way]((message) => {
  const right = compare ? messages[received % messages.length].equals(message) : message.length === size;
  if (!right || !Buffer.isBuffer(message)) wrong += 1;
  received += 1;
}, MAX_LENGTH);

/** Passes over the stream for so long; gives messages per second of the processor, which others cannot take away. */
async function passes(forMs) {
  const from = process.cpuUsage();
  let count = 0;
  let seconds = 0;
  do {
    received = 0;
    const later = decode(pieces);
    if (later) await later;
    // Streams hand over later than they are given.
    for (let turn = 0; received < expected && turn < 10_000; turn += 1) await new Promise(setImmediate);
    if (received !== expected || wrong > 0) throw new Error(`${way}: ${received} of ${expected}, ${wrong} wrong`);
    count += 1;
    seconds = cpuSince(from);
  } while (seconds * 1000 < forMs);
  return { rate: (count * expected) / seconds };
}

// All bytes of all messages are compared once.
await passes(0);
compare = false;
await passes(warmMs);
tell({ ready: true });
answer({ slice: ({ ms }) => passes(ms) });

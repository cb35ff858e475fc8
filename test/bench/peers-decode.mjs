// How the length-prefixed decoders of the registry are called. installer.mjs puts them under node_modules/.cache.
import { load } from './installer.mjs';

/** Through a stream that cuts; back-pressure is obeyed. */
const throughStream = (decoder, receive) => {
  decoder.on('data', receive);
  return async (pieces) => {
    for (const piece of pieces) {
      if (!decoder.write(piece)) await new Promise((resolve) => decoder.once('drain', resolve));
    }
  };
};

/** Each gives a function that decodes all pieces, and may return a promise. Limits are on wherever there are some. */
export const peerDecoders = {
  async 'length-prefixed-stream'(receive, maxLength) {
    const { decode } = await load('length-prefixed-stream');
    return throughStream(decode({ limit: maxLength }), receive);
  },
  async 'frame-stream'(receive, maxLength) {
    const { decode } = await load('frame-stream');
    return throughStream(decode({ maxSize: maxLength }), receive);
  },
  async 'it-length-prefixed'(receive, maxLength) {
    const { decode } = await load('it-length-prefixed');
    const lengthDecoder = Object.assign((list) => list.getUint32(0), { bytes: 4 });
    return (pieces) => {
      for (const list of decode(pieces, { lengthDecoder, maxDataLength: maxLength })) {
        const bytes = list.subarray();
        receive(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      }
    };
  },
};

function uint32(length) {
  const header = Buffer.alloc(4);
  header.writeUInt32BE(length);
  return header;
}

function varint(length) {
  const bytes = [];
  for (let rest = length; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push(128 | (rest & 127));
  }
}

/** The header that a decoder wants: one of them knows varints only. */
export const headerFor = (way) => (way === 'length-prefixed-stream' ? varint : uint32);

// What is sent, and whether it arrived. Messages are made beforehand and never changed, so that what is measured is the
// way and not the making; each carries its number, at its begin and at its end.
const MAX_KINDS = 4096;
const MAX_BYTES = 1024 * 1024;

/** How many different messages of a size there are, before they begin again: a power of two. */
export const kindsOf = (size) => {
  let kinds = MAX_KINDS;
  while (kinds > 4 && kinds * size > MAX_BYTES) kinds /= 2;
  return kinds;
};

/** Its length is no multiple of anything, so that large messages differ where they hold the same. */
function makeNoise() {
  const bytes = Buffer.allocUnsafeSlow(65_521);
  let noise = 0x2545f491;
  for (let at = 0; at < bytes.length; at += 1) {
    noise = (Math.imul(noise, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = noise >>> 24;
  }
  return bytes;
}

/** All messages of a size, at least 4 bytes each; the same in each process. */
export function makeMessages(size) {
  const kinds = kindsOf(size);
  const memory = Buffer.allocUnsafeSlow(kinds * size);
  const noise = makeNoise();
  for (let at = 0; at < memory.length; at += noise.length) noise.copy(memory, at);
  return Array.from({ length: kinds }, (_, kind) => {
    const message = memory.subarray(kind * size, (kind + 1) * size);
    message[0] = kind;
    message[1] = kind >>> 8;
    message[size - 1] = ~kind;
    return message;
  });
}

/**
 * Counts what arrives, over all connections. The first of each kind are compared byte by byte, which `warm` covers; of all
 * that follow the number, the end and the length.
 *
 * @param job `warm`: so many are received before the measurement begins. `compare: false`: only their ends can be seen
 * @param from called when it begins
 * @param to called at its end, with the number of messages that were wrong
 * @returns to be called for each connection, gives what is to be called for each of its messages
 */
export function counter({ size, warm, count, connections = 1, compare = true }, from, to) {
  const messages = makeMessages(size);
  const mask = messages.length - 1;
  const compared = compare ? Math.min(messages.length, Math.floor(warm / connections)) : 0;
  const all = warm + count;
  let total = 0;
  let wrong = 0;
  return () => {
    let received = 0;
    return (message) => {
      const kind = received & mask;
      if (
        message.length !== size ||
        message[0] !== (kind & 0xff) ||
        message[1] !== kind >>> 8 ||
        message[size - 1] !== (~kind & 0xff) ||
        (received < compared && !messages[kind].equals(message))
      ) {
        wrong += 1;
      }
      received += 1;
      total += 1;
      if (total === warm) from();
      else if (total === all) to(wrong);
    };
  };
}

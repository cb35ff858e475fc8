import { expect, test } from 'vitest';
import { listen } from '../../src/index.js';
import { connectTo, echoProcess, later, next, notBuilt, until } from './support.js';

/** So many of each size; of the largest fewer, since the landing run has little time. */
const COUNTS = { 16: 100_000, 1024: 100_000, 65536: 20_000 } as const;

/** A message that says its number and is filled with it. */
function numbered(number: number, size: number): Buffer {
  const message = Buffer.alloc(size, number);
  message.writeUInt32BE(number);
  return message;
}

for (const size of [16, 1024, 65_536] as const) {
  const count = COUNTS[size];
  test.skipIf(notBuilt)(
    `an echo of ${count} messages of ${size} B: whole, in order, and memory stays bounded`,
    async () => {
      const server = await echoProcess();
      const connection = connectTo(server.port);
      const template = numbered(0, size);
      let received = 0;
      let bad = 0;
      let mostPending = 0;
      const done = (async () => {
        for await (const message of connection) {
          // The whole of one in a hundred; of all others the number, the length and the last byte.
          const number = message.readUInt32BE();
          const whole = received % 100 === 0 ? message.equals(numbered(received, size)) : true;
          if (number !== received || message.length !== size || message[size - 1] !== (received & 0xff) || !whole)
            bad += 1;
          received += 1;
          if (received === count) break;
        }
      })();
      for (let number = 0; number < count; number += 1) {
        const message = Buffer.from(template).fill(number & 0xff, 4);
        message.writeUInt32BE(number);
        if (!connection.send(message)) await connection.drained();
        mostPending = Math.max(mostPending, connection.stats().pending.bytes);
      }
      await done;
      expect([received, bad]).toEqual([count, 0]);
      expect([connection.epoch, connection.accepted]).toEqual([1, count]);
      // highWaterMark, and the one message that went over it.
      expect(mostPending).toBeLessThan(2 ** 20 + size + 8);
    },
    90_000,
  );
}

test('a reader that does not take: the inbox stops at its bound, the sender is held, and all arrives later', async () => {
  const size = 10_000;
  const total = 3000;
  const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
    for (let number = 0; number < total; number += 1) {
      if (!peer.send(numbered(number, size))) await peer.drained();
    }
    await peer.closed();
  });
  later(() => server.dispose());
  const inboxBytes = 1_000_000;
  const connection = connectTo(server.address()?.port as number, { inboxBytes });
  await next(connection, 'warning');
  const [peer] = server.peers;
  // The kernel's buffers fill up, then the sender waits for half of its highWaterMark: nothing moves any more.
  let sent = -1;
  await until(() => {
    const { pending, sent: now } = peer?.stats() ?? {};
    const still = now?.messages === sent && (pending?.bytes ?? 0) > 2 ** 19;
    sent = now?.messages ?? -1;
    return still;
  });
  expect(connection.stats().inbox.bytes).toBeLessThan(inboxBytes + 65_536 + size);
  expect(peer?.stats().pending.bytes).toBeLessThan(2 ** 20 + 2 * size);
  let taken = 0;
  for await (const message of connection) {
    expect(message.readUInt32BE()).toBe(taken);
    taken += 1;
    if (taken === total) break;
  }
  expect(connection.epoch).toBe(1);
});

test('close() towards a slow reader that lives: all that was accepted arrives, though it takes longer than finTimeout', async () => {
  const total = 60;
  const got: number[] = [];
  const server = await listen({ host: '127.0.0.1', port: 0, inboxMessages: 1, heartbeatInterval: 50 }, async (peer) => {
    for await (const message of peer) {
      got.push(message.readUInt32BE());
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
  });
  later(() => server.dispose());
  const connection = connectTo(server.address()?.port as number, {
    finTimeout: 200,
    staleAfter: 300,
    heartbeatInterval: 50,
  });
  await connection.connected({ proven: true });
  for (let number = 0; number < total; number += 1) connection.send(numbered(number, 100_000));
  const disposed = next<{ unknown: unknown; reason: unknown }>(connection, 'disposed');
  await connection.close();
  expect(got).toEqual(Array.from({ length: total }, (_, i) => i));
  expect(await disposed).toMatchObject({
    unknown: { from: 1, to: total, messages: total },
    reason: { code: 'NINJA_DISPOSED' },
  });
});

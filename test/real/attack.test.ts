/** A server under attack: what it holds, what it drops, and whether those who behave are served meanwhile. */
import { afterAll, describe, expect, test } from 'vitest';
import { MiB, noProc, sleep, Target, write, writeFigures } from './attack/target.js';
import { frame, notBuilt } from './support.js';

/** Beside what a bound allows: what a process takes for so many sockets, and what waits for the collector. */
const SLACK = 64 * MiB;
const CONNECTIONS = 1000;
const ANNOUNCES_8_MIB = Buffer.from('00800000', 'hex');
const LIMIT = 120_000;
const attack = test.skipIf(notBuilt || noProc);

afterAll(writeFigures);

describe('unfinished frames', () => {
  attack(`${CONNECTIONS} connections announce 8 MiB each, and drip bytes`, { timeout: LIMIT }, async () => {
    const target = await Target.start({});
    const sockets = await target.openAll(CONNECTIONS);
    for (const socket of sockets) socket.write(ANNOUNCES_8_MIB);
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(sockets.map((socket) => write(socket, Buffer.of(round))));
      await sleep(50);
    }
    const { ends } = await target.tallied(({ peers }) => peers === CONNECTIONS + 1);
    await target.servesAgain();
    expect(ends).toEqual({});
    expect(target.grown).toBeLessThan(256 * MiB + SLACK);
    expect(target.served).toMatchObject({ epoch: 1 });
    target.note(
      `${CONNECTIONS} connections announce 8 MiB each, and drip bytes`,
      '`unfinishedBytes` 256 MiB',
      'all stay, until `frameTimeout`',
    );
  });

  attack(
    '100 connections send 1 MiB of 8 each: the budget holds, the largest are dropped',
    {
      timeout: LIMIT,
    },
    async () => {
      const unfinishedBytes = 32 * MiB;
      const target = await Target.start({ unfinishedBytes, maxFrameLength: 8 * MiB });
      const sockets = await target.openAll(100);
      for (const socket of sockets) socket.write(ANNOUNCES_8_MIB);
      const piece = Buffer.alloc(32 * 1024, 1);
      for (let sent = 0; sent < MiB; sent += piece.length) {
        await Promise.all(sockets.map((socket) => write(socket, piece)));
      }
      // Who is left holds at least what it sent, and at most twice as much.
      const { peers, ends } = await target.tallied(
        (tally) => tally.peers <= 33 && tally.peers + (tally.ends.NINJA_FRAME_BUDGET ?? 0) === 101,
      );
      expect(ends).toEqual({ NINJA_FRAME_BUDGET: 101 - peers });
      await target.servesAgain();
      expect(target.served).toMatchObject({ epoch: 1 });
      const before = target.grown;
      // What is held is the budget. The rest is dead: 100 MiB came, and V8 lets some 64 MiB
      // of dead buffers lie before it collects; what was freed the allocator does not give back at once.
      expect(await target.held()).toBeLessThan(unfinishedBytes + 8 * MiB);
      expect(before).toBeLessThan(unfinishedBytes + SLACK + 32 * MiB);
      const dropped = `${ends.NINJA_FRAME_BUDGET} dropped with \`NINJA_FRAME_BUDGET\``;
      target.note('100 connections send 1 MiB of 8 each', '`unfinishedBytes` 32 MiB', dropped);
    },
  );

  attack('200 connections send a byte every 50 ms: frameTimeout ends them', { timeout: LIMIT }, async () => {
    const target = await Target.start({ frameTimeout: 1000 });
    const begun = performance.now();
    const sockets = await target.openAll(200);
    for (const socket of sockets) socket.write(ANNOUNCES_8_MIB);
    const drip = setInterval(() => {
      for (const socket of sockets) if (socket.writable) socket.write('x');
    }, 50);
    try {
      const { ends } = await target.tallied((tally) => tally.peers === 1);
      expect(performance.now() - begun).toBeGreaterThanOrEqual(1000);
      expect(ends).toEqual({ NINJA_FRAME_TIMEOUT: 200 });
    } finally {
      clearInterval(drip);
    }
    expect(target.served).toMatchObject({ epoch: 1 });
    target.note(
      '200 connections send a byte every 50 ms',
      '`frameTimeout` 1 s',
      'all dropped with `NINJA_FRAME_TIMEOUT`',
    );
  });
});

describe('messages', () => {
  attack('10 million empty frames: nothing is kept of them', { timeout: LIMIT }, async () => {
    const target = await Target.start({});
    const sockets = await target.openAll(4);
    const frames = Buffer.alloc(64 * 1024);
    const rounds = Math.ceil((4 * 10e6) / frames.length / sockets.length);
    for (let round = 0; round < rounds; round += 1) {
      await Promise.all(sockets.map((socket) => write(socket, frames)));
    }
    await target.servesAgain();
    expect(target.grown).toBeLessThan(SLACK);
    expect([(await target.tally()).peers, target.served.epoch]).toEqual([5, 1]);
    target.note('4 connections send 10 million empty frames', 'none is kept', 'all stay: they are heartbeats');
  });

  attack(
    'clients that never read: the outbox is bounded, writeStallTimeout ends them',
    {
      timeout: LIMIT,
    },
    async () => {
      const count = 30;
      const target = await Target.start({ writeStallTimeout: 1000 });
      const sockets = await target.openAll(count, (socket) => socket.pause());
      for (const socket of sockets) socket.write(frame('much, politely'));
      const { ends } = await target.tallied((tally) => tally.peers === 1);
      expect(ends.NINJA_WRITE_STALL).toBe(count);
      await target.servesAgain();
      expect(target.served).toMatchObject({ epoch: 1 });
      // highWaterMark, and the one message that went over it.
      expect(target.grown).toBeLessThan(count * (MiB + 65_536) + SLACK);
      target.note(
        `${count} clients ask for 64 MiB each and never read`,
        '`highWaterMark` 1 MiB each, `writeStallTimeout` 1 s',
        'all dropped with `NINJA_WRITE_STALL`',
      );
    },
  );

  attack(
    'clients that never read, and a handler that does not wait: send() throws at outboxBytes',
    {
      timeout: LIMIT,
    },
    async () => {
      const count = 10;
      const target = await Target.start({});
      const sockets = await target.openAll(count, (socket) => socket.pause());
      for (const socket of sockets) socket.write(frame('much, rudely'));
      const { ends } = await target.tallied((tally) => tally.peers === 1);
      expect(ends['NINJA_HANDLER_FAILED by NINJA_OUTBOX_FULL']).toBe(count);
      await target.servesAgain();
      expect(target.served).toMatchObject({ epoch: 1 });
      expect(target.grown).toBeLessThan(count * 9 * MiB + SLACK);
      target.note(
        `${count} clients never read, and the handler does not wait for \`drained()\``,
        '`outboxBytes` 9 MiB each',
        'its `send()` throws `NINJA_OUTBOX_FULL`, those peers end',
      );
    },
  );
});

describe('connections', () => {
  attack(`${CONNECTIONS} clients send their FIN at once: no peer is left`, { timeout: LIMIT }, async () => {
    const target = await Target.start({});
    let parted = 0;
    await target.openAll(CONNECTIONS, (socket) => {
      socket.resume().end();
      socket.on('end', () => {
        parted += 1;
      });
    });
    const { ends } = await target.tallied((tally) => tally.peers === 1);
    expect(Object.values(ends).reduce((sum, times) => sum + times)).toBe(CONNECTIONS);
    await target.servesAgain();
    expect([parted, target.served.epoch]).toEqual([CONNECTIONS, 1]);
    expect(target.grown).toBeLessThan(SLACK);
    target.note(`${CONNECTIONS} clients send their FIN at once`, 'the handler ends, so does the peer', 'all gone');
  });

  attack(`${CONNECTIONS} connections to a server for 100: the rest is refused`, { timeout: LIMIT }, async () => {
    const target = await Target.start({ maxConnections: 100 });
    await target.openAll(CONNECTIONS);
    const { peers, most, ends } = await target.tallied((tally) => (tally.ends.NINJA_SERVER_FULL ?? 0) >= 901);
    expect([peers, most, ends]).toEqual([100, 100, { NINJA_SERVER_FULL: 901 }]);
    await target.servesAgain();
    expect(target.served).toMatchObject({ epoch: 1 });
    expect(target.grown).toBeLessThan(SLACK);
    target.note(`${CONNECTIONS} connections`, '`maxConnections` 100', '901 reset as they were accepted');
  });
});

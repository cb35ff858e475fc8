/** A framing of the program's own that throws: its line is over, as by any other fault of the line, and nothing else is. */
import { describe, expect, test } from 'vitest';
import { type Decoder, type Framing, lengthPrefixed } from '../../src/index.js';
import { echo, journal, stage } from '../connection/stage.js';
import { dialRaw, peerJournal } from '../server/stage.js';

const oops = new TypeError('oops');
const throws = (): never => {
  throw oops;
};

/** Like the default, but for what is put in its place. */
function framing(own: Partial<Framing>, decoder: (good: Decoder) => PropertyDescriptorMap = () => ({})): Framing {
  const good = lengthPrefixed();
  return {
    name: 'own',
    headerLength: good.headerLength,
    maxLength: good.maxLength,
    writeHeader: (target, offset, length) => good.writeHeader(target, offset, length),
    decoder: (limits) => {
      const inner = good.decoder(limits);
      const usual = {
        push: { value: inner.push.bind(inner) },
        unfinished: { get: () => inner.unfinished },
        heldBytes: { get: () => inner.heldBytes },
        progress: { get: () => inner.progress },
      };
      return Object.create(null, { ...usual, ...decoder(inner) }) as Decoder;
    },
    ...own,
  };
}

const good = lengthPrefixed();
const writing = (fails: (length: number) => boolean): Framing =>
  framing({
    writeHeader: (target, offset, length) => {
      if (fails(length)) throws();
      good.writeHeader(target, offset, length);
    },
  });
/** Fails from the second empty frame on: the first one is written on opening. */
const laterHeartbeats = (): Framing => {
  let heartbeats = 0;
  return writing((length) => {
    if (length === 0) heartbeats += 1;
    return heartbeats > 1;
  });
};

const inUse: [string, () => Framing][] = [
  ['push', () => framing({}, () => ({ push: { value: throws } }))],
  ['unfinished', () => framing({}, () => ({ unfinished: { get: throws } }))],
  ['heldBytes', () => framing({}, () => ({ heldBytes: { get: throws } }))],
  ['writeHeader of a message', () => writing((length) => length > 0)],
  ['writeHeader of a message that is not copied', () => writing((length) => length > 40_000)],
  ['writeHeader of a later heartbeat', laterHeartbeats],
];

describe("a connection's own framing that throws in", () => {
  test.each(inUse)('%s: the line is lost with FRAME_INVALID, and tried again', async (name, make) => {
    const at = stage();
    const server = await at.serve(echo);
    const other = at.dial();
    const connection = at.dial({ framing: make(), maxAttempts: 2 });
    const heard = journal(connection);
    await at.clock.runUntil(connection.connected());
    const size = name.endsWith('not copied') ? 50_000 : 5;
    connection.send('x'.repeat(size));
    await at.clock.advance(2500);
    expect(heard.find((line) => line.startsWith('disconnected'))).toBe('disconnected 1 FRAME_INVALID unknown 1-1');
    expect(heard.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(connection.epoch).toBe(2);
    expect([other.state, other.epoch, at.network.warnings]).toEqual(['connected', 1, []]);
    for (const one of [connection, other, server]) await one.dispose();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test('writeHeader of a message that was held: it is unknown with that line, and does not break the next', async () => {
    const at = stage();
    const received: string[] = [];
    await at.serve((peer) => void peer.on('message', (message) => received.push(`${message}`)));
    const connection = at.dial({ framing: writing((length) => length === 3) });
    const heard = journal(connection);
    for (const word of ['a', 'bad', 'c']) connection.send(word);
    await at.clock.advance(500);
    expect(heard.slice(0, 5)).toEqual([
      'connecting 1 attempt 1',
      'connected 1',
      'disconnected 1 FRAME_INVALID unknown 1-2 held 3-3',
      'connecting 2 attempt 2',
      'connected 2',
    ]);
    expect([received, connection.substate, connection.epoch]).toEqual([['c'], 'live', 2]);
    await connection.dispose();
  });

  test('writeHeader of a message that is sent on credit: send does not throw, and it is unknown', async () => {
    const at = stage();
    await at.serve(echo);
    const connection = at.dial({ framing: writing((length) => length === 3) });
    const heard = journal(connection);
    await at.clock.runUntil(connection.connected({ proven: true }));
    for (const word of ['a', 'b', 'bad']) connection.send(Buffer.from(word));
    await at.clock.advance(500);
    expect(heard.find((line) => line.startsWith('disconnected'))).toBe('disconnected 1 FRAME_INVALID unknown 1-3');
    expect([connection.substate, connection.epoch, at.network.warnings]).toEqual(['live', 2, []]);
    await connection.dispose();
  });

  test.each([
    ['decoder', () => framing({ decoder: throws }), 'CONNECT_FAILED'],
    ['writeHeader of the first heartbeat', () => writing(() => true), 'FRAME_INVALID'],
  ])('%s: the attempt has failed, with the cause', async (_, make, code) => {
    const at = stage();
    await at.serve(echo);
    const connection = at.dial({ framing: make(), maxAttempts: 1 });
    const causes: unknown[] = [];
    connection.on('disconnected', ({ error, reason }) => causes.push(reason.code, error.cause));
    await at.clock.advance(50);
    expect(causes).toEqual([`NINJA_${code}`, oops]);
    expect(connection.substate).toBe('failed');
    await connection.dispose();
  });

  test('progress: a FIN in the middle of a frame is told without it', async () => {
    const at = stage();
    const server = at.raw();
    const connection = at.dial({ framing: framing({}, () => ({ progress: { get: throws } })) });
    await at.clock.runUntil(connection.connected());
    await at.clock.advance(5);
    server.last.hex('00 00 00 05 61');
    server.last.end();
    await at.clock.advance(5);
    expect(connection.reason).toMatchObject({
      code: 'NINJA_TRUNCATED',
      message: 'the other side closed in the middle of a frame: an unknown part had come',
    });
    await connection.dispose();
  });
});

describe("a server's own framing that throws in", () => {
  test.each(inUse)('%s: that peer ends with FRAME_INVALID, the others do not notice', async (name, make) => {
    const at = stage();
    const shared = make();
    const size = name.endsWith('not copied') ? 50_000 : 5;
    const server = await at.serve((peer) => void peer.on('message', () => peer.send('x'.repeat(size))), {
      framing: shared,
    });
    const ends: string[] = [];
    server.on('peer', (peer) => {
      const heard = peerJournal(peer);
      peer.on('disposed', () => ends.push(`${peer.id} ${heard.at(-1)}`));
    });
    const client = await dialRaw(at);
    client.say('hello');
    // Its second heartbeat is due only now.
    await at.clock.advance(1500);
    expect(ends).toEqual([expect.stringMatching(/^1 disposed FRAME_INVALID( unknown 1-1)?$/)]);
    expect([server.state, server.peers.size, at.network.warnings]).toEqual(['listening', 0, []]);
    await server.dispose();
    client.transport.destroy();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test.each([
    ['decoder', () => framing({ decoder: throws })],
    ['writeHeader of the first heartbeat', () => writing(() => true)],
  ])('%s: that peer is gone at once, and takes no place', async (_, make) => {
    const at = stage();
    const server = await at.serve(undefined, { framing: make(), maxConnections: 1 });
    const clients = [await dialRaw(at), await dialRaw(at)];
    expect([server.peers.size, at.network.warnings]).toEqual([0, []]);
    await at.clock.runUntil(server.close(), { limit: 10 });
    for (const client of clients) client.transport.destroy();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });
});

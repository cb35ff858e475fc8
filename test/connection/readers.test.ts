import { describe, expect, test } from 'vitest';
import type { Connection, Peer, PeerHandler } from '../../src/index.js';
import { codeOf, echo, journal, outcome, stage } from './stage.js';

/** A handler that sends some messages, and then nothing. */
const say =
  (...words: string[]): PeerHandler =>
  (peer) => {
    for (const word of words) peer.send(word);
  };

const until = async (connection: Connection, length: number, into: string[] = []) => {
  for await (const message of connection) if (into.push(`${message}`) === length) break;
  return into;
};

describe('readers', () => {
  test('receive() gives a message or undefined, and never waits', async () => {
    const { clock, dial, serve } = stage();
    await serve(say('a', 'b'));
    const connection = dial();
    expect(connection.receive()).toBeUndefined();
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(5);
    expect([`${connection.receive()}`, `${connection.receive()}`, connection.receive()]).toEqual(['a', 'b', undefined]);
    await connection.dispose();
  });

  test('for await: break ends the iteration, and the connection goes on', async () => {
    const { clock, dial, serve } = stage();
    await serve(say('a', 'b', 'c'));
    const connection = dial();
    expect(await clock.runUntil(until(connection, 1))).toEqual(['a']);
    expect(connection.state).toBe('connected');
    expect(await clock.runUntil(until(connection, 2))).toEqual(['b', 'c']);
    await connection.dispose();
  });

  test('an iteration crosses reconnects, and ends when the connection is disposed', async () => {
    const { clock, network, dial, serve } = stage();
    await serve(async (peer) => {
      peer.send(`from ${peer.id}`);
      await echo(peer);
    });
    const connection = dial();
    const received: string[] = [];
    const reading = until(connection, 100, received);
    await clock.runUntil(() => received.length === 1);
    network.resetAll();
    await clock.runUntil(() => received.length === 2);
    await connection.dispose();
    expect(await clock.runUntil(reading)).toEqual(['from 1', 'from 2']);
  });

  test('what is in the inbox can be read after the end', async () => {
    const { clock, dial, serve } = stage();
    await serve(say('a', 'b'));
    const connection = dial();
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(5);
    await connection.dispose();
    expect(await clock.runUntil(until(connection, 100))).toEqual(['a', 'b']);
  });

  test('two iterations share the messages, each once', async () => {
    const { clock, dial, serve } = stage();
    await serve(say('a', 'b', 'c', 'd'));
    const connection = dial();
    const both = await clock.runUntil(Promise.all([until(connection, 2), until(connection, 2)]));
    expect(both.flat().sort()).toEqual(['a', 'b', 'c', 'd']);
    await connection.dispose();
  });

  test('the first listener is given what waits in the inbox, in order, before what comes', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    for (const word of ['a', 'b']) server.last.say(word);
    await clock.advance(5);
    server.last.say('c');
    const received: string[] = [];
    connection.on('message', (message) => received.push(`${message}`));
    expect(received).toEqual([]);
    await clock.advance(5);
    expect(received).toEqual(['a', 'b', 'c']);
    await connection.dispose();
  });

  test('a listener has the connection for its this, be it alone or not', async () => {
    const { clock, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    const seen: unknown[] = [];
    const listener = function (this: unknown) {
      seen.push(this);
    };
    connection.on('message', listener);
    connection.send('a');
    await clock.runUntil(() => seen.length === 1);
    connection.on('message', () => {});
    connection.send('b');
    await clock.runUntil(() => seen.length === 2);
    expect(seen.every((one) => one === connection)).toBe(true);
    await connection.dispose();
  });

  test("once('message') takes one, and leaves the rest in the inbox", async () => {
    const { clock, dial, serve } = stage();
    await serve(say('a', 'b', 'c'));
    const connection = dial();
    const received: string[] = [];
    connection.once('message', (message) => received.push(`${message}`));
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(5);
    expect([received, `${connection.receive()}`]).toEqual([['a'], 'b']);
    connection.once('message', (message) => received.push(`${message}`));
    await clock.settle();
    expect([received, connection.stats().inbox.messages]).toEqual([['a', 'c'], 0]);
    await connection.dispose();
  });

  test('a listener and an iterator exclude each other: the later one throws', async () => {
    const { dial } = stage();
    const [one, two] = [dial(), dial()];
    const listener = () => {};
    one.on('message', listener);
    expect(await codeOf(() => one.messages())).toBe('INVALID_OPTION');
    one.off('message', listener);
    expect(await codeOf(() => one.messages())).toBe('nothing');
    const iterator = two.messages();
    expect(await codeOf(() => two.on('message', listener))).toBe('INVALID_OPTION');
    expect(two.listenerCount('message')).toBe(0);
    await iterator.return?.();
    expect(await codeOf(() => two.on('message', listener))).toBe('nothing');
    await one.dispose();
    await two.dispose();
  });

  test("removeAllListeners() takes the reader away; on('message') reads again", async () => {
    const { clock, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    connection.on('message', () => {});
    connection.removeAllListeners();
    const received: string[] = [];
    connection.on('message', (message) => received.push(`${message}`));
    connection.send('x');
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(5);
    expect(received).toEqual(['x']);
    await connection.dispose();
  });

  test('the signal of an iteration ends it with ABORTED, and nothing else', async () => {
    const { clock, dial, serve } = stage();
    await serve(say('a'));
    const connection = dial();
    const controller = new AbortController();
    const reading = connection.messages({ signal: controller.signal });
    expect(`${(await clock.runUntil(reading.next())).value}`).toBe('a');
    const waiting = outcome(reading.next());
    controller.abort();
    await clock.settle();
    expect([waiting.is, connection.state, await reading.next()]).toEqual([
      'rejected ABORTED',
      'connected',
      { done: true, value: undefined },
    ]);
    await connection.dispose();
  });

  test('copies are asked for by each reader, or by the option', async () => {
    const { clock, raw, dial } = stage();
    const server = raw();
    const connection = dial();
    await clock.runUntil(connection.connected());
    await clock.advance(5);
    server.last.hex('00 00 00 01 61 00 00 00 01 62 00 00 00 01 63');
    await clock.advance(5);
    const view = connection.receive() as Buffer;
    const copied = connection.receive({ copy: true }) as Buffer;
    const viewed = (await connection.messages({ copy: false }).next()).value as Buffer;
    expect([view.buffer === viewed.buffer, view.buffer === copied.buffer]).toEqual([true, false]);
    expect(`${view}${copied}${viewed}`).toBe('abc');
    await connection.dispose();
  });

  test('discardIncoming throws away what comes, and counts it', async () => {
    const { clock, dial, serve } = stage();
    await serve(say('a', 'b'));
    const connection = dial({ discardIncoming: true, inboxMessages: 1 });
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(5000);
    expect([connection.receive(), connection.stats().received.messages, heard.at(-1)]).toEqual([
      undefined,
      2,
      'live 1',
    ]);
    await connection.dispose();
  });
});

describe('a reader who does not take', () => {
  test('pauses reading, is warned of once, and is never mistaken for a silent peer', async () => {
    const { clock, dial, serve } = stage();
    const peers: Peer[] = [];
    await serve((peer) => {
      peers.push(peer);
      say(...'abcdef')(peer);
    });
    const connection = dial({ inboxMessages: 4 });
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(20_000);
    expect(connection.state).toBe('connected');
    expect(connection.explain()).toContain('reading paused: inbox full, nobody takes');
    expect(heard.slice(3)).toEqual(['warning reading paused: inbox full, nobody takes']);
    for (let taken = 0; taken < 6; taken += 1) connection.receive();
    await clock.advance(20_000);
    expect([heard.length, connection.explain().includes('paused')]).toEqual([4, false]);
    for (let sent = 0; sent < 4; sent += 1) peers[0]?.send('again');
    await clock.advance(5);
    expect([heard.length, connection.explain().includes('paused')]).toEqual([4, true]);
    await connection.dispose();
  });

  test('holds back a sender for as long: memory is bounded, nothing is lost', async () => {
    const { clock, dial, serve } = stage({ windowBytes: 4096 });
    const sent = Array.from({ length: 400 }, (_, n) => `${n} `.padEnd(100, '.'));
    await serve(
      async (peer) => {
        for (const message of sent) if (!peer.send(message)) await peer.drained();
        await clock.sleep(1e6);
      },
      { highWaterMark: 1000 },
    );
    const connection = dial({ inboxBytes: 2000 });
    const received: string[] = [];
    await clock.runUntil(connection.connected({ proven: true }));
    let most = 0;
    while (received.length < sent.length) {
      most = Math.max(most, connection.stats().inbox.bytes);
      const message = connection.receive();
      if (message) received.push(`${message}`);
      else await clock.advance(7);
    }
    expect(received).toEqual(sent);
    expect(most).toBeLessThan(2000 + 4096);
    await connection.dispose();
  });

  test('a full inbox pauses the next socket too, when its first byte has come', async () => {
    const { clock, network, dial, serve } = stage();
    await serve(async (peer) => {
      for (let n = 1; n <= 50; n += 1) {
        if (peer.id > 1) peer.send(`${n}`);
        await clock.sleep(10);
      }
    });
    const connection = dial({ inboxMessages: 2 });
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    network.resetAll();
    await clock.runUntil(() => heard.includes('live 2'));
    await clock.runUntil(() => connection.stats().inbox.messages === 2);
    network.resetAll();
    await clock.advance(5000);
    expect([heard.at(-1), connection.stats().inbox.messages <= 4]).toEqual(['live 3', true]);
    await connection.dispose();
  });
});

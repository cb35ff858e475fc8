import { describe, expect, test } from 'vitest';
import { type Greeter, NinjaTcpError, type OnConnect } from '../../src/index.js';
import { codeOf, journal, outcome, type RawServer, type Stage, stage } from './stage.js';

/** A connection whose hook is running, and the raw server at the other end. */
async function greeting(at: Stage, onConnect: OnConnect, more: object = {}) {
  const server: RawServer = at.raw();
  const connection = at.dial({ onConnect, ...more });
  const heard = journal(connection);
  await at.clock.runUntil(() => connection.substate === 'greeting' || heard.length > 1);
  await at.clock.advance(5);
  return { server, connection, heard };
}

describe('onConnect', () => {
  test('talks before anything queued is written', async () => {
    const at = stage();
    const { server, connection, heard } = await greeting(at, async (line) => {
      line.send('login');
      expect(`${await line.receive()}`).toBe('welcome');
    });
    connection.send('queued');
    await at.clock.advance(50);
    expect([server.last.messages, connection.substate]).toEqual([['login'], 'greeting']);
    server.last.say('welcome');
    await at.clock.advance(5);
    expect(server.last.messages).toEqual(['login', 'queued']);
    expect(heard.slice(1)).toEqual(['connected 1', 'live 1']);
    await connection.dispose();
  });

  test('is given the epoch and a signal', async () => {
    const at = stage();
    const given: string[] = [];
    const { connection } = await greeting(at, (line, { signal }) => {
      given.push(`${line.epoch} ${signal.aborted}`);
      throw new Error('no');
    });
    await at.clock.runUntil(() => given.length === 3);
    expect(given).toEqual(['1 false', '2 false', '3 false']);
    await connection.dispose();
  });

  test('what it leaves unread goes to the readers of the connection, first', async () => {
    const at = stage();
    const { server, connection } = await greeting(at, (line) => line.receive());
    const received: string[] = [];
    connection.on('message', (message) => received.push(`${message}`));
    // In one chunk: when the hook has taken the first, the others are there.
    server.last.hex('00 00 00 01 77 00 00 00 01 61 00 00 00 01 62');
    await at.clock.advance(5);
    server.last.say('c');
    await at.clock.advance(5);
    expect(received).toEqual(['a', 'b', 'c']);
    await connection.dispose();
  });

  test('a byte that comes while it runs proves the line', async () => {
    const at = stage();
    const { server, connection, heard } = await greeting(at, async (line) => void (await line.receive()));
    server.last.say('x');
    await at.clock.advance(5);
    expect(heard.slice(-2)).toEqual(['connected 1', 'live 1']);
    await connection.dispose();
  });

  test('and the dial together take connectTimeout at most; then its signal fires, and its wait is aborted', async () => {
    const at = stage({ latencyMs: 100 });
    let ended = '';
    let signalled = '';
    const { connection, heard } = await greeting(
      at,
      async (line, { signal }) => {
        signal.addEventListener('abort', () => {
          signalled = signal.reason.code;
        });
        ended = await codeOf(line.receive());
      },
      { connectTimeout: 1000 },
    );
    await at.clock.advance(2000 - at.clock.now() - 1);
    expect(connection.substate).toBe('greeting');
    await at.clock.advance(1);
    expect([heard.at(-1), ended, signalled]).toEqual(['disconnected 1 CONNECT_TIMEOUT', 'ABORTED', 'NINJA_ABORTED']);
    await connection.dispose();
  });

  const failures: [string, () => unknown, string, RegExp][] = [
    [
      'throws',
      () => {
        throw new TypeError('oops');
      },
      'CONNECT_FAILED',
      /onConnect threw: oops/,
    ],
    ['rejects', () => Promise.reject(new TypeError('oops')), 'CONNECT_FAILED', /onConnect threw: oops/],
    [
      'throws an error of ours',
      () => {
        throw new NinjaTcpError('NINJA_EXPIRED', 'too late');
      },
      'EXPIRED',
      /too late/,
    ],
  ];
  test.each(failures)('that %s has failed, and is tried again', async (_, fail, code, message) => {
    const at = stage();
    let times = 0;
    const { connection, heard } = await greeting(at, () => {
      times += 1;
      if (times === 1) return fail();
      return undefined;
    });
    expect(connection.reason?.message).toMatch(message);
    await at.clock.runUntil(connection.connected());
    expect(heard.slice(1)).toEqual([`disconnected 1 ${code}`, 'connecting 2 attempt 2', 'connected 2']);
    await connection.dispose();
  });

  test('that throws NOT_A_PEER ends all attempts', async () => {
    const at = stage();
    const { connection, heard } = await greeting(at, () => {
      throw new NinjaTcpError('NINJA_NOT_A_PEER', 'wrong password');
    });
    expect(heard.slice(1)).toEqual(['disconnected 1 NOT_A_PEER', 'failed NOT_A_PEER']);
    expect([connection.substate, at.clock.pending]).toEqual(['failed', 0]);
    await connection.dispose();
  });

  test('the line is lost while it runs: its wait ends, and the next attempt has a hook of its own', async () => {
    const at = stage();
    const ends: string[] = [];
    const { server, connection } = await greeting(at, async (line) => {
      ends.push(`${line.epoch} begins`);
      ends.push(`${line.epoch} ${await codeOf(line.receive())}`);
    });
    at.network.resetAll();
    await at.clock.runUntil(() => server.peers.length === 2);
    await at.clock.advance(5);
    server.last.say('hello');
    await at.clock.runUntil(connection.connected());
    expect(ends).toEqual(['1 begins', '1 ABORTED', '2 begins', '2 nothing']);
    await connection.dispose();
  });

  test('its line cannot be used when it is over', async () => {
    const at = stage();
    let kept: Greeter | undefined;
    const { server, connection } = await greeting(at, (line) => {
      kept = line;
    });
    server.last.say('for the connection');
    await at.clock.advance(5);
    expect(await codeOf(() => kept?.send('late'))).toBe('ABORTED');
    expect(await codeOf(kept?.receive() as Promise<Buffer>)).toBe('ABORTED');
    expect([`${connection.receive()}`, server.last.messages]).toEqual(['for the connection', []]);
    await connection.dispose();
  });

  test('what it writes is not numbered, and never unknown', async () => {
    const at = stage();
    const { connection, heard } = await greeting(at, (line) => line.send('login'));
    expect(connection.accepted).toBe(0);
    at.network.resetAll();
    await at.clock.advance(5);
    expect(heard.at(-1)).toBe('disconnected 1 RESET');
    await connection.dispose();
  });

  test('what it may not send is refused at the call', async () => {
    const at = stage();
    const codes: string[] = [];
    const { connection } = await greeting(
      at,
      async (line) => {
        for (const message of ['', 7 as unknown as string, 'x'.repeat(101)])
          codes.push(await codeOf(() => line.send(message)));
      },
      { maxFrameLength: 100 },
    );
    expect(codes).toEqual(['INVALID_MESSAGE', 'INVALID_MESSAGE', 'INVALID_MESSAGE']);
    await connection.dispose();
  });

  test('goes through while the inbox is full and nobody takes', async () => {
    const at = stage();
    const { server, connection } = await greeting(at, (line) => line.receive(), { inboxMessages: 2 });
    for (const word of ['welcome', 'one', 'two']) server.last.say(word);
    await at.clock.advance(5);
    expect(connection.stats().inbox.messages).toBe(2);
    at.network.resetAll();
    await at.clock.runUntil(() => server.peers.length === 2);
    await at.clock.advance(5);
    server.last.say('welcome');
    const up = outcome(connection.connected());
    await at.clock.advance(100);
    expect([up.is, connection.epoch]).toEqual(['resolved', 2]);
    await connection.dispose();
  });

  test('silent all the time: silence is counted from when the line is connected', async () => {
    const at = stage();
    const { connection, heard } = await greeting(at, () => at.clock.sleep(2900));
    await at.clock.runUntil(connection.connected());
    await at.clock.advance(2999);
    expect(heard.slice(1)).toEqual(['connected 1']);
    await at.clock.advance(1);
    expect(heard[2]).toBe('stale 1');
    await connection.dispose();
  });

  test('longer than staleAfter: the line is not stale when it comes up', async () => {
    const at = stage();
    const { server, connection, heard } = await greeting(at, () => at.clock.sleep(3100));
    server.last.hex('00');
    await at.clock.advance(3000);
    server.last.hex('00');
    await at.clock.advance(2900);
    expect(heard.slice(1)).toEqual(['connected 1', 'live 1']);
    await connection.dispose();
  });
});

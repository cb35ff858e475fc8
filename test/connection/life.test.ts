import { describe, expect, test } from 'vitest';
import { codeOf, collect, echo, journal, outcome, PORT, stage } from './stage.js';

describe('the life of a connection', () => {
  test('a whole one: connect, live, lose the line, heal, close', async () => {
    const { clock, network, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    const heard = journal(connection);
    await clock.runUntil(connection.connected({ proven: true }));
    network.resetAll();
    await clock.advance(10);
    await clock.runUntil(connection.connected({ proven: true }));
    const reason = await clock.runUntil(connection.close());
    expect(heard).toEqual([
      'connecting 1 attempt 1',
      'connected 1',
      'live 1',
      'disconnected 1 RESET',
      'connecting 2 attempt 2',
      'connected 2',
      'live 2',
      'disposed DISPOSED',
    ]);
    expect(reason).toMatchObject({ code: 'NINJA_DISPOSED', epoch: 2 });
  });

  test('the first `connecting` is heard by a listener attached right after connect()', async () => {
    const { clock, dial } = stage();
    const connection = dial();
    const heard = journal(connection);
    expect(heard).toEqual([]);
    await clock.settle();
    expect(heard).toEqual(['connecting 1 attempt 1']);
    await connection.dispose();
  });

  test('every state has its name, and its name within', async () => {
    const { clock, network, dial, serve } = stage();
    await serve((peer) => {
      peer.send('welcome');
      return echo(peer);
    });
    const connection = dial({ onConnect: (line) => line.receive() });
    const seen: string[] = [];
    const note = () => seen.at(-1) === name() || seen.push(name());
    const name = () => `${connection.state} ${connection.substate ?? ''}`.trim();
    note();
    connection.actor.subscribe(note);
    await clock.runUntil(connection.connected());
    connection.send('x');
    await clock.advance(5);
    network.cut();
    await clock.runUntil(() => connection.state === 'stale');
    network.heal();
    await clock.runUntil(() => connection.state === 'connected');
    connection.disconnect();
    connection.connect();
    await clock.runUntil(connection.connected());
    const closing = connection.close();
    await clock.runUntil(closing);
    expect([...new Set(seen)]).toEqual([
      'connecting dialing',
      'connecting greeting',
      'connected live',
      'stale',
      'disconnected waiting',
      'disconnected idle',
      'connected draining',
      'disposed',
    ]);
  });

  test('stale: the line is destroyed, `silentForMs` is staleAfter to the millisecond, and it heals', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    const heard = journal(connection);
    const silent: number[] = [];
    connection.on('stale', ({ silentForMs, lastHeardAt }) => {
      silent.push(silentForMs);
      expect(lastHeardAt).toBe(clock.wallNow() - silentForMs);
    });
    await clock.runUntil(connection.connected({ proven: true }));
    server.freeze();
    await clock.runUntil(() => silent.length === 1);
    expect(silent).toEqual([3000]);
    server.thaw();
    await clock.runUntil(() => heard.includes('live 3') || heard.includes('live 2'));
    expect(heard.slice(3, 5)).toEqual(['stale 1', 'disconnected 1 STALE']);
    await connection.dispose();
  });

  test('a stopped process behind a listening port: connected, never live, stale', async () => {
    const { clock, server, dial, serve } = stage();
    await serve(echo);
    server.freeze();
    const connection = dial();
    const heard = journal(connection);
    const proven = outcome(connection.connected({ proven: true }));
    await clock.runUntil(() => heard.includes('disconnected 1 STALE'));
    expect(heard.slice(0, 3)).toEqual(['connecting 1 attempt 1', 'connected 1', 'stale 1']);
    expect(proven.is).toBe('pending');
    await connection.dispose();
    await clock.settle();
    expect(proven.is).toBe('rejected DISPOSED');
  });

  test('names are looked up afresh at each attempt, by the lookup of the options', async () => {
    const { clock, dial } = stage();
    const asked: string[] = [];
    const connection = dial({
      host: 'db.example',
      lookup: (name, _options, callback) => {
        asked.push(name);
        callback(null, '127.0.0.1', 4);
      },
    });
    await clock.runUntil(() => connection.epoch === 3);
    expect(asked).toEqual(['db.example', 'db.example']);
    await connection.dispose();
  });

  test('the backoff is asked with failures in a row and the reason; a stable line begins anew', async () => {
    const { clock, network, server, dial, serve } = stage();
    await serve(echo);
    server.refuse();
    const asked: string[] = [];
    const connection = dial({
      backoff: (failures, reason) => {
        asked.push(`${failures} ${reason.code}`);
        return 10 * failures;
      },
    });
    await clock.runUntil(() => asked.length === 3);
    server.refuse(false);
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(2999);
    network.resetAll();
    await clock.runUntil(() => asked.length === 4);
    await clock.runUntil(connection.connected({ proven: true }));
    await clock.advance(3000);
    network.resetAll();
    await clock.runUntil(() => asked.length === 5);
    expect(asked).toEqual([
      '1 NINJA_CONNECT_FAILED',
      '2 NINJA_CONNECT_FAILED',
      '3 NINJA_CONNECT_FAILED',
      '4 NINJA_RESET',
      '1 NINJA_RESET',
    ]);
    await connection.dispose();
  });

  test('`retryInMs` is when the next attempt begins', async () => {
    const { clock, server, dial } = stage();
    server.refuse();
    const connection = dial({ backoff: (failures) => 70 * failures });
    const at: number[] = [];
    connection.on('disconnected', ({ retryInMs }) => at.push(clock.now() + (retryInMs as number)));
    connection.on('connecting', () => at.push(clock.now()));
    await clock.runUntil(() => at.length === 7);
    expect(at.slice(1, 3)).toEqual([at[2], at[2]]);
    expect(at.slice(3, 5)).toEqual([at[4], at[4]]);
    await connection.dispose();
  });

  test('a program without an `error` listener does not die of a lost network', async () => {
    const { clock, network, dial, serve } = stage();
    await serve(echo);
    const connection = dial();
    for (let times = 0; times < 3; times += 1) {
      await clock.runUntil(connection.connected({ proven: true }));
      network.resetAll();
      await clock.advance(5);
    }
    expect(network.warnings).toEqual([]);
    await connection.dispose();
  });

  test('what is passed on to the dial: address, port, lookup, noDelay', async () => {
    const { clock, network, dial } = stage();
    const environment = network.environment('client');
    const targets: object[] = [];
    const lookup = () => {};
    const connection = dial({
      localAddress: '10.0.0.2',
      localPort: 4000,
      noDelay: false,
      lookup,
      environment: {
        ...environment,
        dial: (target) => {
          targets.push(target);
          return environment.dial(target);
        },
      },
    });
    await clock.settle();
    expect(targets[0]).toMatchObject({
      host: 'server',
      port: PORT,
      localAddress: '10.0.0.2',
      localPort: 4000,
      noDelay: false,
      lookup: expect.any(Function),
    });
    await connection.dispose();
  });

  test('a dial that throws at once is a failed attempt like another', async () => {
    const { clock, network, dial } = stage();
    const connection = dial({
      environment: {
        ...network.environment('client'),
        dial() {
          throw new TypeError('no such target');
        },
      },
    });
    const heard = journal(connection);
    await clock.advance(150);
    expect(heard.slice(0, 3)).toEqual([
      'connecting 1 attempt 1',
      'disconnected 1 CONNECT_FAILED',
      'connecting 2 attempt 2',
    ]);
    expect(await codeOf(connection.dispose())).toBe('nothing');
  });

  test('messages arrive whole and in order over many cuttings', async () => {
    const { clock, dial, serve } = stage({ cut: 'random', jitterMs: 3, seed: 7 });
    const received: string[] = [];
    await serve(collect(received));
    const connection = dial();
    const sent = Array.from({ length: 500 }, (_, n) => `${n} ${'x'.repeat((n * 37) % 200)}`);
    for (const message of sent) connection.send(message);
    await clock.runUntil(() => received.length === sent.length);
    expect(received).toEqual(sent);
    await connection.dispose();
  });
});

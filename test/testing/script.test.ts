import { describe, expect, test } from 'vitest';
import { connect, lengthPrefixed, listen } from '../../src/index.js';
import {
  createNetwork,
  createScript,
  createVirtualClock,
  frame,
  type Script,
  ScriptError,
} from '../../src/testing/index.js';
import { dial, type Owner, written } from './peers.js';

const PORT = 65432;

/** A script that listens, and a bare line to it. */
async function told(script: Script) {
  const clock = createVirtualClock();
  const network = createNetwork({ clock });
  const run = script.listen({ environment: network.environment('server'), port: PORT });
  const near = dial(network.environment('client'));
  await clock.runUntil(() => near.heard.includes('opened'));
  const say = (bytes: string) => near.transport.write(Buffer.from(bytes.replaceAll(' ', ''), 'hex'), written);
  return { clock, network, run, near, say };
}

async function failure(script: Script, ...bytes: string[]): Promise<ScriptError> {
  const { clock, run, say, near } = await told(script);
  for (const some of bytes) say(some);
  const error = await clock.runUntil(run.done()).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ScriptError);
  await clock.advance(10);
  expect(near.heard.at(-1)).toBe('closed');
  expect(clock.pending).toBe(0);
  expect(run.result).toMatchObject({ state: 'failed', error });
  return error as ScriptError;
}

describe('a script that listens', () => {
  test('expects, waits, sends, goes silent', async () => {
    const { clock, run, near, say } = await told(
      createScript().expect(frame('login')).wait(200).send('00 00 00 02 6f 6b').silent(),
    );
    say('00 00 00 05 6c 6f 67 69 6e');
    const before = clock.now();
    await clock.runUntil(() => near.chunks.length > 0);
    expect(near.received.toString('hex')).toBe('000000026f6b');
    expect(clock.now() - before).toBe(202);
    const result = await clock.runUntil(run.done());
    expect(result).toMatchObject({ state: 'done', extra: 0, error: undefined });
    expect(result.connections[0]?.received).toEqual(frame('login'));
    expect(clock.pending).toBe(0);
    // Silent is silent: not even a FIN is answered, however long one waits.
    near.transport.end(() => {});
    await clock.advance(60_000);
    expect(near.heard).toEqual(['opened', 'chunk 6']);
    expect(result.connections[0]).toMatchObject({ state: 'done', step: 5, ended: true, closed: false });
    run.close();
  });

  test('takes bytes however they are cut, and several steps from one chunk', async () => {
    const { clock, run, near, say } = await told(createScript().expect('0a 0b').expect('0c').send('01').expect('0d'));
    for (const byte of ['0a', '0b', '0c 0d']) {
      say(byte);
      await clock.advance(5);
    }
    await clock.runUntil(run.done());
    expect(near.received.toString('hex')).toBe('01');
  });

  test('bytes that come while it waits are kept for the next expectation', async () => {
    const { clock, run, say } = await told(createScript().wait(1000).expect('0a').wait(500).expect('0b'));
    say('0a 0b');
    await clock.runUntil(run.done());
    expect(clock.now()).toBeGreaterThanOrEqual(1500);
  });

  test('sends in pieces', async () => {
    const { clock, run, near } = await told(createScript().send('01 02 03 04 05', { pieceBytes: 2, everyMs: 10 }));
    const before = clock.now();
    await clock.runUntil(run.done());
    expect(clock.now() - before).toBeGreaterThanOrEqual(20);
    await clock.advance(5);
    expect(near.chunks.map((chunk) => chunk.toString('hex'))).toEqual(['0102', '0304', '05']);
  });

  test('?? stands for any byte', async () => {
    const { clock, run, say } = await told(createScript().expect('01 ?? 03'));
    say('01 77 03');
    expect(await clock.runUntil(run.done())).toMatchObject({ state: 'done' });
    const error = await failure(createScript().expect('01 ?? 03'), '01 77 04');
    expect(error.message).toContain('expected  01 ?? 03');
  });

  test.each([
    ['end', ['opened', 'ended']],
    ['reset', ['opened', 'failed ECONNRESET', 'closed']],
    ['destroy', ['opened', 'ended']],
    ['silent', ['opened']],
    ['stall', ['opened']],
  ] as const)('%s', async (last, heard) => {
    const { clock, near, run } = await told(createScript()[last]());
    await clock.runUntil(run.done());
    await clock.advance(10);
    expect(near.heard).toEqual(heard);
  });

  test('after end the other direction is open, and its end can be expected', async () => {
    const { clock, near, run, say } = await told(createScript().end().expect('0a').expectEnd());
    await clock.runUntil(() => near.heard.includes('ended'));
    say('0a');
    near.transport.end(() => {});
    await clock.runUntil(run.done());
    await clock.advance(10);
    expect(near.heard).toEqual(['opened', 'ended', 'closed']);
  });

  test('a script that has come to its end answers a FIN', async () => {
    const { clock, near, run } = await told(createScript().send('01'));
    await clock.runUntil(run.done());
    near.transport.end(() => {});
    await clock.advance(10);
    expect(near.heard).toEqual(['opened', 'chunk 1', 'ended', 'closed']);
  });

  test('speaks heartbeats until it goes silent', async () => {
    const { clock, near, run } = await told(createScript().heartbeats(100).wait(250).silent());
    await clock.runUntil(run.done());
    await clock.advance(1000);
    expect(near.heard).toEqual(['opened', 'chunk 4', 'chunk 4', 'chunk 4']);
    expect(clock.pending).toBe(0);
  });

  test('a stalled peer takes what its kernel takes, and reads nothing', async () => {
    const { clock, near, run } = await told(createScript().stall());
    await clock.runUntil(run.done());
    near.transport.write(Buffer.alloc(300_000), written);
    await clock.advance(100);
    expect(near.transport.pendingBytes).toBe(300_000 - 262_144);
    expect(run.result.connections[0]?.receivedBytes).toBe(0);
  });

  test('calls a function and waits for its promise', async () => {
    const words: string[] = [];
    const { clock, near, run } = await told(
      createScript()
        .call(() => Promise.resolve().then(() => words.push('asked')))
        .send('01')
        .call(() => words.push('sent')),
    );
    await clock.runUntil(run.done());
    await clock.advance(5);
    expect(words).toEqual(['asked', 'sent']);
    expect(near.received.length).toBe(1);
  });

  test('what a called function throws is what done() rejects with', async () => {
    const wrong = new Error('wrong');
    const script = createScript().call(() => Promise.reject(wrong));
    const { clock, run } = await told(script);
    await expect(clock.runUntil(run.done())).rejects.toBe(wrong);
  });
});

describe('what is not as written', () => {
  test('shows step, offset, and both sides in hex', async () => {
    const script = createScript().expect('00 00 00 01 21').wait(5).expect(frame('login'));
    const error = await failure(script, '00 00 00 01 21', '00 00 00 05 6c 6f 47 69 6e');
    expect(error.message.split('\n')).toEqual([
      'connection 1, step 3 of 3 (expect 9 bytes): byte 11 of the connection is not what was expected',
      '  expected  00 00 00 05 6c 6f 67 69 6e  |....login|',
      '  got       00 00 00 05 6c 6f 47 69 6e  |....loGin|',
      '                              ^^',
    ]);
    expect(error).toMatchObject({ connection: 1, step: 3, offset: 6, streamOffset: 11, expected: frame('login') });
    expect(error.got?.toString('latin1')).toContain('loGin');
  });

  test('fails at the first wrong byte, without waiting for the rest', async () => {
    expect((await failure(createScript().expect('01 02 03 04'), '01 03')).offset).toBe(1);
  });

  test('a difference far inside is shown with what is around it', async () => {
    const right = Buffer.alloc(1000, 1);
    const error = await failure(createScript({ ignoreHeartbeats: false }).expect(right), `${'01'.repeat(900)}02`);
    expect(error.offset).toBe(900);
    const [, expected, got, mark] = error.message.split('\n') as [string, string, string, string];
    expect(expected).toMatch(/^ {2}expected {2}… 01 01.* 01 … {2}\|\.+\|$/);
    expect(got.slice(mark.indexOf('^^'), mark.indexOf('^^') + 2)).toBe('02');
    for (const line of [expected, got]) expect(line.length).toBeLessThan(160);
  });

  test('nothing, or not enough, in time', async () => {
    const nothing = await failure(createScript({ patienceMs: 300 }).expect('01 02'));
    expect(nothing.message).toContain('step 1 of 1 (expect 2 bytes): in 300 ms only 0 of 2 bytes came');
    expect(nothing.message).toContain('got       nothing');
    const half = await failure(createScript().expect('01 02', { withinMs: 20 }), '01');
    expect(half.message).toContain('in 20 ms only 1 of 2 bytes came');
    expect(half.offset).toBe(1);
  });

  test('an end instead of bytes, bytes instead of an end, no end', async () => {
    const { clock, near, run } = await told(createScript().expect('01 02'));
    near.transport.write(Buffer.of(1), written);
    near.transport.end(() => {});
    await expect(clock.runUntil(run.done())).rejects.toThrow('the other side sent its FIN after 1 of 2 bytes');

    const reset = await told(createScript().wait(50).expect('01'));
    reset.near.transport.reset();
    await expect(reset.clock.runUntil(reset.run.done())).rejects.toThrow('the other side has ended after 0 of 1 byte');

    expect((await failure(createScript().expectEnd(), '05')).message).toContain('bytes came instead');
    expect((await failure(createScript({ patienceMs: 10 }).expectEnd())).message).toContain('did not come in 10 ms');
  });

  test('a script that cannot be is refused when it is written', () => {
    expect(() => createScript().expect('login')).toThrow(
      "'login' is not hex such as '00 0a ff'; a message is frame('login')",
    );
    expect(() => createScript().expect('0 0a')).toThrow(TypeError);
    expect(() => createScript().send('01 ??')).toThrow("'??' can be expected, but not sent");
    expect(() => createScript().silent().send('01')).toThrow('send 1 byte: behind silent() nothing can follow');
    expect(() => createScript().everyConnection().wait(1)).toThrow('behind everyConnection()');
    expect(() => createScript().everyConnection().nextConnection()).toThrow('behind everyConnection()');
    expect(() => createScript().everyConnection().dial({ port: 1 })).toThrow('for a script that listens');
    expect(() => createScript().wait(-1)).toThrow('wait: milliseconds from 0 to 2147483647, not -1');
    expect(() => createScript().heartbeats(0)).toThrow(RangeError);
    expect(() => createScript().send('01', { pieceBytes: 0 })).toThrow(RangeError);
    expect(() => createScript({ patienceMs: Number.NaN })).toThrow(RangeError);
    expect(() => createScript().listen({ port: 65_536 })).toThrow('port: 0 … 65535, not 65536');
    expect(() => frame('x'.repeat(256), lengthPrefixed({ bytes: 1 }))).toThrow('carries at most 255 bytes, not 256');
  });

  test('a port that is taken', async () => {
    const { clock, network } = await told(createScript());
    const second = createScript().listen({ environment: network.environment('server'), port: PORT });
    await expect(clock.runUntil(second.ready())).rejects.toThrow('EADDRINUSE');
    await expect(clock.runUntil(second.done())).rejects.toThrow('EADDRINUSE');
  });

  test('closed before it was done', async () => {
    const { clock, run, near, network } = await told(createScript().expect('01'));
    await clock.advance(10);
    const done = run.done();
    run.close();
    await expect(clock.runUntil(done)).rejects.toThrow('closed before it was done');
    await clock.advance(10);
    near.transport.destroy();
    await clock.advance(10);
    expect([network.openTransports, clock.pending]).toEqual([0, 0]);
    expect(run.result.connections[0]?.state).toBe('closed');
  });
});

describe('several connections', () => {
  async function three(script: Script) {
    const clock = createVirtualClock();
    const network = createNetwork({ clock });
    const run = script.listen({ environment: network.environment('server'), port: PORT });
    const lines: Owner[] = [];
    for (let n = 0; n < 3; n += 1) {
      lines.push(dial(network.environment('client')));
      await clock.advance(10);
    }
    return { run, received: lines.map((line) => line.received.toString('hex')), lines };
  }

  test('the nth follows the nth script, and those beyond are reset and counted', async () => {
    const { run, received, lines } = await three(createScript().send('01').nextConnection().send('02'));
    expect(received).toEqual(['01', '02', '']);
    expect(lines[2]?.heard).toContain('failed ECONNRESET');
    expect(await run.done()).toMatchObject({ state: 'done', extra: 1 });
  });

  test('each the same', async () => {
    const { run, received } = await three(createScript().send('01').nextConnection().send('02').everyConnection());
    expect(received).toEqual(['01', '02', '02']);
    expect(run.result.connections).toHaveLength(3);
  });

  test('an error names the connection', async () => {
    const { run } = await three(createScript({ patienceMs: 5 }).nextConnection().expect('01'));
    await expect(run.done()).rejects.toThrow('connection 2, step 1 of 1');
  });
});

describe('heartbeats', () => {
  test('are taken no notice of between frames, however they are cut', async () => {
    const { clock, run, say } = await told(createScript().expect(frame('a')).expect(frame('bc')).expectEnd());
    for (const bytes of ['00 00', '00 00 00 00 00 00', '00 00 00 01 61 00', '00 00 00 00 00 00 02 62', '63 00 00 00']) {
      say(bytes);
      await clock.advance(3);
    }
    say('00');
    await clock.settle();
    expect(run.result.connections[0]).toMatchObject({ state: 'running', step: 3, receivedBytes: 26 });
  });

  test('zeros inside a message are not heartbeats', async () => {
    const { clock, run, say } = await told(
      createScript()
        .expect(frame(Buffer.alloc(8)))
        .expect(frame('a')),
    );
    say('00 00 00 08 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 61');
    expect(await clock.runUntil(run.done())).toMatchObject({ state: 'done' });
  });

  test('of another framing', async () => {
    const framing = lengthPrefixed({ bytes: 2 });
    const { clock, run, say } = await told(createScript({ framing }).expect(frame('a', framing)));
    say('00 00 00 00 00 01 61');
    expect(await clock.runUntil(run.done())).toMatchObject({ state: 'done' });
  });

  test('count where every byte counts', async () => {
    const error = await failure(createScript({ ignoreHeartbeats: false }).expect(frame('a')), '00 00 00 00');
    expect(error.offset).toBe(3);
  });

  test('bytes that are no frames pass as they are', async () => {
    const { clock, run, say } = await told(createScript().expect(Buffer.from('GET / HTTP/1.1\r\n\r\n')));
    say(Buffer.from('GET / HTTP/1.1\r\n\r\n').toString('hex'));
    expect(await clock.runUntil(run.done())).toMatchObject({ state: 'done' });
  });
});

describe('with the library', () => {
  test('connect() logs in, is thrown out, comes back', async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock, cut: 'bytes' });
    const server = createScript()
      .expect(frame('login'))
      .send(frame('ok'))
      .wait(100)
      .reset()
      .nextConnection()
      .expect(frame('login'))
      .send(frame('ok'))
      .expect(frame('hello'))
      .heartbeats()
      .expectEnd()
      .listen({ environment: network.environment('server'), port: 7 });
    const client = connect({
      host: 'server',
      port: 7,
      environment: network.environment('client'),
      onConnect: async (line) => {
        line.send('login');
        expect(`${await line.receive()}`).toBe('ok');
      },
    });
    await clock.runUntil(() => client.epoch === 2 && client.substate === 'live');
    client.send('hello');
    await clock.advance(1);
    await clock.runUntil(client.close());
    expect(await clock.runUntil(server.done())).toMatchObject({ state: 'done', extra: 0 });
    server.close();
    await clock.advance(10);
    expect([clock.pending, network.openTransports]).toEqual([0, 0]);
  });

  test('that a program subscribes again takes less than 50 ms, or is found out', async () => {
    const run = async (how: 'on' | 'once') => {
      const clock = createVirtualClock();
      const network = createNetwork({ clock });
      const wanted = frame('subscribe prices');
      const script = createScript().expect(wanted).wait(50).reset().nextConnection().expect(wanted);
      const server = script.listen({ environment: network.environment('server'), port: 7 });
      const connection = connect({ host: 'server', port: 7, environment: network.environment('client') });
      connection[how]('connected', () => connection.send('subscribe prices'));
      await clock.runUntil(server.done()).finally(() => connection.dispose());
    };
    const took: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      const before = performance.now();
      await run('on');
      took.push(performance.now() - before);
    }
    expect(Math.min(...took)).toBeLessThan(50);
    await expect(run('once')).rejects.toThrow(
      'connection 2, step 1 of 1 (expect 20 bytes): in 2500 ms only 0 of 20 bytes',
    );
  });

  test('a silent peer goes stale', async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock });
    const server = createScript().heartbeats(1000).wait(10_000).silent().everyConnection();
    const run = server.listen({ environment: network.environment('server'), port: 7 });
    const client = connect({ host: 'server', port: 7, environment: network.environment('client') });
    const stale: number[] = [];
    client.on('stale', ({ silentForMs }) => stale.push(silentForMs));
    await clock.runUntil(() => client.epoch === 2 && client.substate === 'live');
    expect(stale).toEqual([3000]);
    await client.dispose();
    run.close();
  });

  test('listen() answers a script that dials', async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock });
    const server = await clock.runUntil(
      listen({ port: 7, environment: network.environment('server') }, async (peer) => {
        for await (const message of peer) peer.send(message);
      }),
    );
    const client = createScript()
      .send(frame('one'), { pieceBytes: 1, everyMs: 2 })
      .expect(frame('one'))
      .reset()
      .nextConnection()
      .send(frame('two'))
      .expect(frame('two'))
      .end()
      .expectEnd()
      .dial({ environment: network.environment('client'), port: 7, host: 'server' });
    expect(await clock.runUntil(client.done())).toMatchObject({ state: 'done' });
    await clock.runUntil(server.close());
    await clock.advance(10);
    expect([clock.pending, network.openTransports]).toEqual([0, 0]);
  });

  test('nobody listens where a script dials', async () => {
    const clock = createVirtualClock();
    const network = createNetwork({ clock });
    const client = createScript()
      .send('01')
      .dial({ environment: network.environment('client'), port: 7, host: 'server' });
    await expect(clock.runUntil(client.done())).rejects.toThrow('connect ECONNREFUSED 127.0.0.1:7');
    await expect(client.ready()).rejects.toThrow('this script dials');
  });
});

describe('over a real port', () => {
  test('connect() against a script', async () => {
    const server = createScript().expect(frame('login')).wait(20).send(frame('ok')).expectEnd().listen();
    const { port } = await server.ready();
    expect(server.port).toBe(port);
    const client = connect({ host: '127.0.0.1', port });
    client.send('login');
    for await (const message of client) {
      expect(`${message}`).toBe('ok');
      break;
    }
    await client.close();
    expect(await server.done()).toMatchObject({ state: 'done' });
    server.close();
  });

  test('a script against listen(), and what differs', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 }, async (peer) => {
      for await (const message of peer) peer.send(message);
    });
    const port = server.address()?.port as number;
    const right = createScript().send(frame('one')).expect(frame('one')).end().expectEnd().dial({ port });
    await right.done();
    const wrong = createScript().send(frame('one')).expect(frame('two')).dial({ port });
    await expect(wrong.done()).rejects.toThrow('|....two|');
    await server.close();
  });

  test('close() ends what is open', async () => {
    const server = createScript().listen();
    const { port } = await server.ready();
    const client = connect({ host: '127.0.0.1', port, backoff: () => false });
    await client.connected();
    server.close();
    while (client.substate !== 'failed') await new Promise((resolve) => setImmediate(resolve));
    await client.dispose();
  });
});

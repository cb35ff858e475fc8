// What has to hold on every runtime, with the package as its users get it. The same checks for both ways of loading it.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const host = '127.0.0.1';
/** A check that is not done by then has failed, milliseconds. */
const PATIENCE = 20_000;

/** Gives back what comes, no faster than it is taken. */
async function echo(peer) {
  for await (const message of peer) if (!peer.send(message)) await peer.drained();
}

/** A server of plain node:net; gives its port. */
async function rawServer(onSocket, later) {
  const sockets = new Set();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onSocket(socket);
  });
  server.listen(0, host);
  await once(server, 'listening');
  later(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address().port;
}

function block(ms) {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** @returns name → check; a check is given `later(close)`, which runs behind it also when it fails */
function checksOf({ main, testing, machines, inspector }) {
  const { connect, lengthPrefixed, listen, NinjaTcpError } = main;
  const { createFaultProxy, createNetwork, createScript, createVirtualClock, frame } = testing;

  const open = (later, options) => {
    const connection = connect({ host, ...options });
    later(() => connection.dispose());
    return connection;
  };
  const serve = async (later, handler, options) => {
    const server = await listen({ host, port: 0, ...options }, handler);
    later(() => server.dispose());
    return server;
  };
  const isOurs = (code) => (error) => {
    assert.ok(error instanceof NinjaTcpError, `${error} is no NinjaTcpError`);
    assert.equal(error.code, code);
    return true;
  };

  return {
    'echo of 1,000 messages of 16 B, read by for await': async (later) => {
      const { port } = (await serve(later, echo)).address();
      const connection = open(later, { port });
      const texts = Array.from({ length: 1000 }, (_, place) => String(place).padStart(16, '0'));
      for (const text of texts) connection.send(text);
      const heard = [];
      for await (const message of connection) {
        assert.ok(Buffer.isBuffer(message));
        assert.deepStrictEqual(message, Buffer.from(texts[heard.length]));
        if (heard.push(message) === texts.length) break;
      }
      assert.equal(connection.substate, 'live');
    },

    "echo of 20 messages of 256 KiB, read by on('message')": async (later) => {
      const { port } = (await serve(later, echo)).address();
      const connection = open(later, { port });
      const messages = Array.from({ length: 20 }, (_, place) => Buffer.alloc(256 * 1024, place + 1));
      const heard = [];
      const all = new Promise((resolve) => {
        connection.on('message', (message) => {
          if (heard.push(message) === messages.length) resolve();
        });
      });
      for (const message of messages) if (!connection.send(message)) await connection.drained();
      await all;
      for (const [place, message] of heard.entries()) assert.ok(message.equals(messages[place]), `message ${place}`);
    },

    'two bytes of length on the wire': async (later) => {
      const taken = [];
      const port = await rawServer((socket) => {
        socket.on('data', (chunk) => {
          taken.push(chunk);
          if (Buffer.concat(taken).length < 4) return;
          socket.write(Buffer.from('0003', 'hex'));
          setTimeout(() => socket.write('hey'), 20);
        });
      }, later);
      const silent = { staleAfter: 0, heartbeatInterval: 0 };
      const connection = open(later, { port, framing: lengthPrefixed({ bytes: 2 }), ...silent });
      connection.send('ok');
      const [message] = await once(connection, 'message');
      assert.equal(message.toString(), 'hey');
      assert.equal(Buffer.concat(taken).toString('hex'), '00026f6b');
    },

    'a mute server goes stale': async (later) => {
      const port = await rawServer((socket) => socket.resume(), later);
      const connection = open(later, { port, staleAfter: 300 });
      const [[stale], [lost]] = await Promise.all([once(connection, 'stale'), once(connection, 'disconnected')]);
      assert.ok(stale.silentForMs >= 300, `after ${stale.silentForMs} ms`);
      assert.equal(lost.reason.code, 'NINJA_STALE');
    },

    'it heals when the server is back on its port': async (later) => {
      const server = await serve(later, echo);
      const { port } = server.address();
      const connection = open(later, { port });
      await connection.connected({ proven: true });
      const lost = once(connection, 'disconnected');
      await server.dispose();
      await lost;
      connection.send('held meanwhile');
      await serve(later, echo, { port });
      const [message] = await once(connection, 'message');
      assert.equal(message.toString(), 'held meanwhile');
      assert.ok(connection.epoch > 1);
    },

    'close() hands over all that was accepted, and both sides are told why it ended': async (later) => {
      let count = 0;
      const server = await serve(later, (peer) => {
        peer.on('message', ({ length }) => {
          count += length === 64 ? 1 : 0;
        });
      });
      const { port } = server.address();
      const [closes, stays] = [open(later, { port }), open(later, { port })];
      await stays.connected({ proven: true });
      for (let place = 0; place < 10_000; place += 1) closes.send(Buffer.alloc(64));
      const reason = await closes.close();
      assert.equal(reason.code, 'NINJA_DISPOSED');
      const lost = once(stays, 'disconnected');
      assert.equal((await server.close()).code, 'NINJA_DISPOSED');
      assert.equal(count, 10_000);
      assert.equal((await lost)[0].reason.code, 'NINJA_CLOSED_BY_PEER');
    },

    'what is answered after close() still arrives': async (later) => {
      const { port } = (await serve(later, echo)).address();
      const connection = open(later, { port });
      let count = 0;
      connection.on('message', () => {
        count += 1;
      });
      await connection.connected({ proven: true });
      for (let place = 0; place < 1000; place += 1) connection.send(Buffer.alloc(1024));
      await connection.close();
      assert.equal(count, 1000);
    },

    'localhost, of whichever family': async (later) => {
      const { port } = (await serve(later, echo)).address();
      const connection = open(later, { host: 'localhost', port });
      await connection.connected({ proven: true });
    },

    'await using: the end of the block closes': async (later) => {
      const server = await serve(later, echo);
      const connection = open(later, { port: server.address().port });
      await connection.connected();
      await connection[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      assert.deepEqual([connection.state, server.state], ['disposed', 'disposed']);
    },

    'errors carry their code and cause': async (later) => {
      assert.throws(() => connect({ host, port: 0 }), isOurs('NINJA_INVALID_OPTION'));
      const server = await serve(later, echo);
      const { port } = server.address();
      await assert.rejects(listen({ host, port }), isOurs('NINJA_LISTEN_FAILED'));
      const connection = open(later, { port });
      assert.throws(() => connection.send(''), isOurs('NINJA_INVALID_MESSAGE'));
      await connection.dispose();
      assert.throws(() => connection.send('x'), isOurs('NINJA_DISPOSED'));
      await server.dispose();
      const refused = await open(later, { port, maxAttempts: 1 })
        .connected()
        .catch((error) => error);
      isOurs('NINJA_GAVE_UP')(refused);
      isOurs('NINJA_CONNECT_FAILED')(refused.cause);
      assert.equal(refused.cause.cause.code, 'ECONNREFUSED');
    },

    'a reset line is told as such': async (later) => {
      const script = createScript().expect(frame('hello')).reset();
      const server = script.listen();
      later(() => server.close());
      const { port } = await server.ready();
      const connection = open(later, { port });
      connection.send('hello');
      const [{ reason, unknown }] = await once(connection, 'disconnected');
      assert.equal(reason.code, 'NINJA_RESET');
      assert.equal(unknown?.messages, 1);
    },

    'a frame that the other side breaks off is told as such': async (later) => {
      const port = await rawServer((socket) => socket.end(Buffer.from('0000000568', 'hex')), later);
      const [{ reason }] = await once(open(later, { port }), 'disconnected');
      assert.equal(reason.code, 'NINJA_TRUNCATED');
    },

    'a peer that speaks and never reads is found out': async (later) => {
      const port = await rawServer((socket) => {
        socket.pause();
        const speaking = setInterval(() => socket.write(Buffer.alloc(4)), 100);
        socket.on('close', () => clearInterval(speaking));
      }, later);
      const connection = open(later, { port, writeStallTimeout: 500 });
      await connection.connected({ proven: true });
      const lost = once(connection, 'disconnected');
      // More than the kernel takes on both sides together.
      for (let place = 0; place < 100 && connection.state === 'connected'; place += 1) {
        if (!connection.send(Buffer.alloc(2 ** 20))) await Promise.race([connection.drained(), lost]);
      }
      assert.equal((await lost)[0].reason.code, 'NINJA_WRITE_STALL');
    },

    'a peer that does not read holds the sender back': async (later) => {
      const size = 64 * 1024;
      const limits = { maxFrameLength: size, inboxBytes: 4 * size };
      let read;
      const gate = new Promise((resolve) => {
        read = resolve;
      });
      let count = 0;
      const server = await serve(
        later,
        async (peer) => {
          await gate;
          for await (const message of peer) {
            assert.equal(message.readUInt32BE(), count);
            count += 1;
          }
        },
        limits,
      );
      const connection = open(later, { port: server.address().port, ...limits });
      let fed = false;
      const feeding = (async () => {
        for (let place = 0; place < 512; place += 1) {
          const message = Buffer.alloc(size);
          message.writeUInt32BE(place);
          if (!connection.send(message)) await connection.drained();
        }
        fed = true;
      })();
      await wait(300);
      assert.equal(fed, false, 'the sender was not held back');
      read();
      await feeding;
      await connection.close();
      await server.close();
      assert.equal(count, 512);
    },

    'a full inbox stops reading, but for a chunk of 64 KiB': async (later) => {
      const [size, count, inboxBytes] = [10_000, 2000, 1_000_000];
      const server = await serve(later, async (peer) => {
        for (let place = 0; place < count; place += 1) if (!peer.send(Buffer.alloc(size))) await peer.drained();
        await peer.closed();
      });
      const connection = open(later, { port: server.address().port, inboxBytes });
      await once(connection, 'warning');
      // What it is given although it reads no more would come now.
      await wait(200);
      const held = connection.stats().inbox.bytes;
      let taken = 0;
      for await (const message of connection) if (message.length === size && ++taken === count) break;
      assert.ok(held <= inboxBytes + 65_536 + size, `it held ${held} bytes, where ${inboxBytes} are the limit`);
    },

    'a blocked event loop is not taken for a silent peer': async (later) => {
      const server = await serve(later, echo, { staleAfter: 300 });
      const lines = Array.from({ length: 5 }, () => open(later, { port: server.address().port, staleAfter: 300 }));
      await Promise.all(lines.map((line) => line.connected({ proven: true })));
      for (let round = 0; round < 2; round += 1) {
        await wait(50);
        block(700);
        await new Promise((resolve) => setImmediate(resolve));
        block(200);
        await wait(350);
      }
      assert.deepEqual(
        lines.map(({ state, epoch }) => `${state} ${epoch}`),
        lines.map(() => 'connected 1'),
      );
    },

    'a Unix domain socket': async (later) => {
      if (process.platform === 'win32') return;
      const path = join(tmpdir(), `ninja-tcp-${process.pid}.sock`);
      const server = await listen({ path }, echo);
      later(() => server.dispose());
      const connection = connect({ path });
      later(() => connection.dispose());
      connection.send('by path');
      const [message] = await once(connection, 'message');
      assert.equal(message.toString(), 'by path');
    },

    'ninja-tcp/testing: a whole reconnect on the virtual clock': async (later) => {
      const clock = createVirtualClock();
      const network = createNetwork({ clock });
      await clock.runUntil(listen({ port: 7, environment: network.environment('server') }, echo));
      const app = open(later, { host: 'server', port: 7, environment: network.environment('client') });
      await clock.runUntil(app.connected({ proven: true }));
      network.cut();
      await clock.runUntil(() => app.state === 'stale');
      network.heal();
      await clock.runUntil(app.connected({ proven: true }));
      app.send('again');
      await clock.runUntil(() => app.stats().inbox.messages === 1);
      assert.equal(app.receive().toString(), 'again');
      assert.equal(app.epoch, 2);
    },

    'ninja-tcp/testing: a fault proxy between real sockets': async (later) => {
      const server = await serve(later, echo);
      const proxy = await createFaultProxy({ target: { host, port: server.address().port } });
      later(() => proxy.close());
      const connection = open(later, { port: proxy.port, staleAfter: 300 });
      await connection.connected({ proven: true });
      const stale = once(connection, 'stale');
      proxy.cut();
      await stale;
      proxy.heal();
      connection.send('through');
      const [message] = await once(connection, 'message');
      assert.equal(message.toString(), 'through');
    },

    'ninja-tcp/inspector: shows what lives, to whom has the token': async (later) => {
      const inspecting = await inspector.startInspector();
      later(() => inspecting.close());
      const server = await serve(later, echo, { name: 'seen' });
      const { origin, searchParams } = new URL(inspecting.url);
      assert.match(await (await fetch(inspecting.url)).text(), /^<!doctype html>/);
      for (const file of ['page.js', 'page.css']) assert.equal((await fetch(`${origin}/${file}`)).status, 200);
      assert.equal((await fetch(`${origin}/feed`)).status, 403);
      const feed = await fetch(`${origin}/feed?token=${searchParams.get('token')}`);
      let told = '';
      for await (const chunk of feed.body) {
        told += Buffer.from(chunk);
        if (told.includes('"rows"') && told.endsWith('\n\n')) break;
      }
      assert.match(told, /"type":"hello"/);
      assert.match(told, /"name":"seen","state":"listening"/);
      assert.equal(server.state, 'listening');
    },

    'ninja-tcp/machines: the charts': () => {
      const states = ['disconnected', 'connecting', 'connected', 'stale', 'disposed'];
      assert.deepEqual(Object.keys(machines.connectionMachine.states), states);
      assert.deepEqual(Object.keys(machines.peerMachine.states), ['connected', 'stale', 'detached', 'disposed']);
      assert.ok('listening' in machines.serverMachine.states);
      assert.ok('attached' in machines.sessionMachine.states);
    },
  };
}

/** Leaves a line behind that must not keep the process alive. */
async function leaveOpen({ connect, listen }) {
  const server = await listen({ host, port: 0 }, echo);
  const connection = connect({ host, port: server.address().port });
  await connection.connected({ proven: true });
  for (const peer of server.peers) peer.unref();
  server.unref();
  connection.unref();
}

/** Runs one after the other and prints a line of JSON for each. The process has to end by itself then. */
export async function run(doors) {
  let failed = 0;
  for (const [name, check] of Object.entries(checksOf(doors))) {
    const opened = [];
    const late = new AbortController();
    let failure = null;
    try {
      await Promise.race([
        check((close) => opened.push(close)),
        wait(PATIENCE, undefined, { signal: late.signal }).then(() => assert.fail(`not done after ${PATIENCE} ms`)),
      ]);
    } catch (error) {
      failure = `${error?.message ?? error}`;
      failed += 1;
    }
    late.abort();
    for (const close of opened.reverse()) await close();
    console.log(JSON.stringify({ name, failure }));
  }
  await leaveOpen(doors.main);
  console.log(JSON.stringify({ name: 'all checks', failure: null }));
  // What a failed check has left running is no second failure.
  if (failed > 0) process.exit();
}

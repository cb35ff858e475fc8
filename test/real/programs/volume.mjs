// One side of a session under full load: it sends numbered messages as fast as it may, and keeps account of those that come.
// Its argument: { role: 'server' | 'client', messages, size, obeys, pace, options }
//   messages   so many at least; it goes on until it is told that it is enough
//   size       bytes of each
//   obeys      false: it does not wait when `send()` says false, but when it throws. Default true
//   pace       { every, restMs }: reads by `for await`, and rests behind so many messages. Default: a listener
//   options    of `listen` or `connect`; `waitMs` is a client's backoff
// Its orders:
//   {"go": true}       sends
//   {"after": 5000}    tells `moved` when so many more have come
//   {"reset": true}    a server kills its sockets, each with a RST
//   {"enough": true}   sends no more than `messages`; tells `sent` when the other side has handled all
//   {"memory": true}   tells `memory`: the bytes that live in this process, garbage collected, and the resident ones
//   {"account": true}  tells `account`
//   {"close": true}    a client parts in peace; tells `closed`
import { setTimeout as rest } from 'node:timers/promises';
import { connect, listen, nodeEnvironment } from '../../../dist/index.js';
import { obey, tell } from './telling.mjs';

const { role, messages, size, obeys = true, pace, options } = JSON.parse(process.argv[2]);
const { waitMs, ...given } = options;

const came = { received: 0, distinct: 0, highest: 0, doubled: 0, disordered: 0, damaged: 0 };
const life = { lines: 0, lost: 0, resumed: 0, replayed: 0, sessions: 0, sessionsLost: 0 };
/** The most that there ever was. */
const most = { keptMessages: 0, keptBytes: 0, outboxMessages: 0, outboxBytes: 0, unreadMessages: 0, unreadBytes: 0 };
let sent = 0;
let waits = 0;
/** Which numbers have come. */
let seen = new Uint8Array(2 * messages);
let movedAt = Number.POSITIVE_INFINITY;
let enough = false;
let start;
const started = new Promise((resolve) => {
  start = resolve;
});

function numbered(number) {
  const message = Buffer.allocUnsafe(size).fill(number & 0xff);
  message.writeUInt32BE(number);
  return message;
}

function take(message) {
  const number = message.readUInt32BE();
  if (number >= seen.length) {
    const before = seen;
    seen = new Uint8Array(2 * number);
    seen.set(before);
  }
  const filled = [4, size >> 1, size - 1].every((at) => message[at] === (number & 0xff));
  if (message.length !== size || !filled) came.damaged += 1;
  if (seen[number] === 1) came.doubled += 1;
  else came.distinct += 1;
  if (number < came.highest) came.disordered += 1;
  came.highest = Math.max(came.highest, number);
  seen[number] = 1;
  came.received += 1;
  if (came.received < movedAt) return;
  movedAt = Number.POSITIVE_INFINITY;
  tell('moved');
}

function look(line) {
  const { outbox, inbox } = line.stats();
  for (const [name, fill] of Object.entries({ kept: line.session.retained, outbox, unread: inbox })) {
    most[`${name}Messages`] = Math.max(most[`${name}Messages`], fill.messages);
    most[`${name}Bytes`] = Math.max(most[`${name}Bytes`], fill.bytes);
  }
}

/** @returns whether the message was accepted, and whether it has to wait now */
function sends(line, message) {
  if (obeys) return { accepted: true, full: !line.send(message) };
  try {
    line.send(message);
    return { accepted: true, full: false };
  } catch (error) {
    if (error.code !== 'NINJA_OUTBOX_FULL') throw error;
    return { accepted: false, full: true };
  }
}

async function sendAll(line) {
  await started;
  while (sent < messages || !enough) {
    const { accepted, full } = sends(line, numbered(sent + 1));
    if (accepted) sent += 1;
    if (full || sent % 100 === 0) look(line);
    if (!full) continue;
    waits += 1;
    await line.drained();
  }
  await line.flush();
  tell('sent');
}

async function readAll(line) {
  if (!pace) return void line.on('message', take);
  let taken = 0;
  for await (const message of line) {
    take(message);
    taken += 1;
    if (taken % pace.every !== 0) continue;
    look(line);
    await rest(pace.restMs);
  }
}

async function serve(line) {
  life.sessions += 1;
  line.on('live', () => {
    life.lines += 1;
    tell('live');
  });
  // What a client calls the loss of a line is to a server's peer that it is detached.
  for (const loss of ['disconnected', 'detached']) {
    line.on(loss, ({ reason }) => {
      life.lost += 1;
      tell('lost', { code: reason.code });
    });
  }
  line.on('resumed', ({ replayed }) => {
    life.resumed += 1;
    life.replayed += replayed;
    tell('resumed');
  });
  line.on('sessionLost', () => {
    life.sessionsLost += 1;
  });
  line.on('disposed', ({ reason }) => tell('disposed', { code: reason.code }));
  await Promise.all([readAll(line), sendAll(line)]);
}

/** A server's sockets, which are killed below the library. */
const sockets = new Set();
const environment = {
  ...nodeEnvironment,
  listen: (target, handlers) =>
    nodeEnvironment.listen(target, {
      ...handlers,
      accepted(transport) {
        sockets.add(transport);
        handlers.accepted(transport);
      },
    }),
};

/** Whoever waits for it hears that at once. */
function fail(error) {
  console.error(error);
  process.exit(1);
}

let connection;
if (role === 'server') {
  const server = await listen({ port: 0, ...given, environment }, serve);
  server.on('peerError', ({ error }) => fail(error));
  tell('listening', { port: server.address().port });
} else {
  connection = connect({ ...given, backoff: () => waitMs });
  serve(connection).catch(fail);
}

obey(async (order) => {
  if (order.go) start();
  if (order.after) movedAt = came.received + order.after;
  if (order.reset) {
    for (const transport of sockets) transport.reset();
    sockets.clear();
  }
  if (order.enough) enough = true;
  if (order.memory) {
    // What the first one frees of memory outside the heap is counted as free behind it.
    globalThis.gc();
    await rest(1);
    globalThis.gc();
    const { heapUsed, arrayBuffers, rss } = process.memoryUsage();
    tell('memory', { bytes: heapUsed + arrayBuffers, resident: rss });
  }
  if (order.account) tell('account', { account: { sent, waits, ...came, ...life, ...most } });
  if (order.close) tell('closed', { code: (await connection.close()).code });
});

import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { connectionMachine } from '../../machines/connection.machine.js';
import { sessionMachine } from '../../machines/session.machine.js';
import type { Connection, Peer, Server } from '../../src/index.js';
import { planOf } from '../../src/inspector/chart-plan.js';
import { Feed } from '../../src/inspector/feed.js';
import { Roll } from '../../src/inspector/roll.js';
import { echo, stage } from '../connection/stage.js';
import { dialRaw } from '../server/stage.js';
import { startStage } from './stage.js';

const edges = new Set(planOf(connectionMachine).edges.map(({ id }) => id));

describe('a feed', () => {
  test('begins with a greeting and with the whole list', async () => {
    const at = stage();
    const server = await at.serve(echo, { name: 'till' });
    const connection = at.dial({ name: 'shop' });
    await at.clock.runUntil(connection.connected({ proven: true }));
    const { page } = await startStage();
    const seen = await page();
    expect(seen.response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    await seen.until('rows');
    const [hello, rows] = seen.heard;
    expect(hello).toMatchObject({
      type: 'hello',
      feed: 'feed-1',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      pid: process.pid,
      title: 'the tests',
      now: expect.closeTo(Date.now(), -5),
      allowControl: false,
      charts: {
        connection: { id: 'connection' },
        peer: { id: 'peer' },
        server: { id: 'server' },
        session: { id: 'session' },
      },
    });
    expect(rows).toMatchObject({ type: 'rows', all: true, gone: [] });
    const named = (name: RegExp) => [...seen.rows.values()].find((row) => name.test(row.name));
    const [serverRow, peerRow, connectionRow] = [named(/^till$/), named(/^peer 1 /), named(/^shop$/)];
    expect(serverRow).toMatchObject({
      kind: 'server',
      state: 'listening',
      since: server.snapshot.since,
      rx: 0,
      txBytes: 0,
    });
    expect(serverRow).not.toHaveProperty('substate');
    expect(peerRow).toMatchObject({ kind: 'peer', parent: serverRow?.id, state: 'connected', substate: 'live' });
    expect(connectionRow).toEqual({
      id: expect.stringMatching(/^connection-\d+$/),
      kind: 'connection',
      name: 'shop',
      state: 'connected',
      substate: 'live',
      since: connection.snapshot.since,
      rx: 0,
      tx: 0,
      rxBytes: 0,
      txBytes: 0,
    });
    expect(seen.raw).toMatch(/^(data: \{.*\}\n\n)+$/);
    await connection.dispose();
    await server.dispose();
  });

  test('tells only what changed, and who is gone', async () => {
    const at = stage();
    const server = await at.serve(echo, { name: 'quiet' });
    const connection = at.dial({ name: 'moving' });
    const { page } = await startStage();
    const seen = await page();
    const id = await seen.idOf('moving');
    connection.disconnect();
    const change = await seen.until('rows', ({ all, rows }) => !all && rows.some((row) => row.substate === 'idle'));
    expect(change.rows.map((row) => row.id)).toEqual([id]);
    expect(change.rows[0]?.reason).toMatchObject({ code: 'NINJA_DISCONNECTED', message: expect.any(String) });
    await connection.dispose();
    expect(await seen.until('rows', ({ gone }) => gone.includes(id))).toMatchObject({
      all: false,
      rows: [],
      gone: [id],
    });
    await server.dispose();
  });

  test('sums the rates of peers for their server', async () => {
    const at = stage();
    const server = await at.serve((peer) => void peer.on('message', () => {}), { name: 'counting' });
    const clients = [await dialRaw(at), await dialRaw(at)];
    const { page } = await startStage();
    const seen = await page();
    for (const client of clients) {
      for (let message = 0; message < 50; message += 1) client.say('12345678');
    }
    await at.clock.advance(1000);
    const { rows } = await seen.until('rows', ({ rows }) => rows.some((row) => row.name === 'counting' && row.rx > 0));
    const peers = rows.filter((row) => row.kind === 'peer');
    expect(peers.map(({ rx }) => rx > 40)).toEqual([true, true]);
    const sum = rows.find((row) => row.name === 'counting');
    expect(sum?.rx).toBe(peers.reduce((all, { rx }) => all + rx, 0));
    expect(sum?.rxBytes).toBe(peers.reduce((all, { rxBytes }) => all + rxBytes, 0));
    for (const { transport } of clients) transport.destroy();
    await server.dispose();
  });

  test('sixteen at once, no more; one that ends makes room', async () => {
    const { page, ask, token } = await startStage();
    const pages = [];
    for (let open = 0; open < 16; open += 1) pages.push(await page());
    const answer = await ask(`/feed?token=${token}`);
    expect(answer).toMatchObject({ status: 503, text: '16 pages are open already: close one.\n' });
    pages[3]?.close();
    for (;;) {
      const again = await page();
      if (again.response.statusCode === 200) break;
      again.close();
      await wait(5);
    }
  });

  test('ends when the inspector is closed', async () => {
    const { page, inspector } = await startStage();
    const seen = await page();
    await seen.until('hello');
    await inspector.close();
    await seen.end();
  });

  test('that does not read is dropped, and may come again', async () => {
    const at = stage();
    // A list of 4 MiB, and as much again for each change of all: the kernel takes some of them, the rest waits.
    const long = 'x'.repeat(256 * 1024);
    const connections = Array.from({ length: 16 }, (_, place) => at.dial({ name: `${place} ${long}` }));
    const { page, post } = await startStage();
    const slow = await page();
    const { feed } = await slow.until('hello');
    slow.response.pause();
    const isOpen = async () => (await post('/watch', { feed, id: null })).status === 200;
    for (let round = 0; await isOpen(); round += 1) {
      for (const connection of connections) connection[round % 2 === 0 ? 'disconnect' : 'connect']();
      await wait(100);
    }
    slow.response.resume();
    await slow.end();
    const again = await page();
    await again.until('rows');
    expect(again.rows.size).toBe(16);
    for (const connection of connections) await connection.dispose();
  });

  test.each([
    ['below the limit', 99, false],
    ['at the limit', 100, false],
    ['above the limit', 101, true],
  ])('what waits is %s', (_, writableLength, dropped) => {
    const done: string[] = [];
    const response = {
      writableLength,
      destroyed: false,
      write: () => done.push('write') > 0,
      destroy: () => done.push('destroy'),
      end: () => done.push('end'),
    };
    new Feed('feed-1', response as never, 100).tell({ type: 'gone', id: 'x' });
    // What the first picture takes does not count.
    const feed = new Feed('feed-2', { ...response, writableLength: 0 } as never, 100);
    feed.begin({ type: 'gone', id: 'x'.repeat(50) });
    Object.assign(feed, { response });
    feed.tell({ type: 'gone', id: 'x' });
    expect(done).toEqual([dropped ? 'destroy' : 'write', 'write', 'write']);
  });
});

describe('the watched one', () => {
  test('is told of at once, by the address of the feed or by POST /watch', async () => {
    const at = stage();
    const connection = at.dial({ name: 'chosen' });
    const { page, post } = await startStage();
    const first = await page();
    const id = await first.idOf('chosen');
    const { feed } = await first.until('hello');
    expect(await post('/watch', { feed, id })).toMatchObject({ status: 200, text: '{"ok":true}' });
    const detail = await first.until('detail');
    expect(detail).toMatchObject({
      id,
      snapshot: { kind: 'connection', name: 'chosen', state: 'connecting', substate: 'dialing' },
      explain: expect.stringMatching(/^chosen connecting \(dialing\) since /),
      history: [{ to: 'disconnected.idle' }, { from: 'disconnected.idle', to: 'connecting.dialing', cause: 'connect' }],
    });
    const second = await page(`&watch=${id}`);
    expect((await second.until('detail')).id).toBe(id);
    expect(second.heard.map(({ type }) => type).slice(0, 3)).toEqual(['hello', 'rows', 'detail']);
    expect(await post('/watch', { feed, id: 'nobody' })).toMatchObject({ status: 404, text: 'nobody is no more.\n' });
    expect(await post('/watch', { feed: '', id: null })).toMatchObject({ status: 404 });
    await connection.dispose();
  });

  test('that is no more is told of as gone', async () => {
    const { page } = await startStage();
    const seen = await page('&watch=nobody');
    expect(await seen.until('gone')).toEqual({ type: 'gone', id: 'nobody' });
  });

  test('goes along the edges of its chart, each step in order, to its end', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial({ name: 'walker' });
    const { page } = await startStage();
    const list = await page();
    const seen = await page(`&watch=${await list.idOf('walker')}`);
    await seen.until('detail');
    await at.clock.runUntil(connection.connected({ proven: true }));
    at.server.freeze();
    await at.clock.runUntil(() => connection.substate === 'waiting');
    await connection.dispose();
    await at.clock.advance(1);
    const { id } = await seen.until('gone');
    const steps = seen.all('step');
    expect(steps.map(({ event, from, to }) => `${from} → ${to} (${event.type})`)).toEqual(
      expect.arrayContaining([
        'connecting.dialing → connecting.greeting (socket.opened)',
        'connecting.greeting → connected.unproven (socket.opened)',
        'connected.unproven → connected.live (socket.heard)',
        'connected.live → connected.live (after silence)',
        'connected.live → stale (after silence)',
        'stale → disconnected.deciding (socket.closed)',
        'disconnected.deciding → disconnected.waiting (socket.closed)',
        'disconnected.waiting → disposed (dispose)',
      ]),
    );
    for (const [place, { from, taken }] of steps.entries()) {
      if (place > 0) expect(from).toBe(steps[place - 1]?.to);
      expect(taken.length).toBeGreaterThan(0);
      expect(taken.filter((edge) => !edges.has(edge))).toEqual([]);
    }
    expect(steps[0]).toMatchObject({ id, at: expect.closeTo(Date.now(), -5), event: { data: { epoch: 1 } } });
    // Details came behind the steps, the last of them at the end.
    expect(seen.all('detail').at(-1)?.snapshot).toMatchObject({
      state: 'disposed',
      reason: { code: 'NINJA_DISPOSED' },
    });
    expect(seen.heard.at(-1)?.type === 'gone' || seen.heard.at(-1)?.type === 'rows').toBe(true);
    await server.dispose();
  });

  test('is told of while it moves, and not while it stands', async () => {
    const at = stage();
    const connection = at.dial({ name: 'standing' });
    const { page } = await startStage();
    const list = await page();
    const seen = await page(`&watch=${await list.idOf('standing')}`);
    await seen.until('detail');
    const before = seen.all('detail').length;
    // Two other pages come: by then there was a beat.
    await wait(600);
    expect(seen.all('detail')).toHaveLength(before);
    await at.clock.advance(300);
    connection.send('held');
    await seen.until('detail', ({ snapshot }) => snapshot.kind === 'connection' && snapshot.outbox.messages === 1);
    await connection.dispose();
  });

  test('of a server and of a peer as well; a peer is woken when it is watched, not before', async () => {
    const at = stage();
    const server = await at.serve(echo, { name: 'inn' });
    const client = await dialRaw(at);
    client.say('hello');
    await at.clock.advance(5);
    const [peer] = server.peers;
    const isAwake = () => (peer as unknown as { life: { awake: unknown } }).life.awake !== undefined;
    const { page, post } = await startStage();
    const seen = await page();
    const id = await seen.idOf(peer?.name as string);
    const { feed } = await seen.until('hello');
    expect(isAwake()).toBe(false);
    await post('/watch', { feed, id });
    await seen.until('detail', ({ snapshot }) => snapshot.kind === 'peer');
    expect(isAwake()).toBe(true);
    await peer?.dispose();
    await at.clock.advance(1);
    await seen.until('gone');
    expect(seen.all('step').map(({ from, to, taken }) => [from, to, taken])).toEqual([
      ['connected.live', 'disposed', ['peer dispose 0']],
    ]);
    await post('/watch', { feed, id: await seen.idOf('inn') });
    await seen.until('detail', ({ snapshot }) => snapshot.kind === 'server');
    await server.dispose();
    await at.clock.advance(1);
    await seen.until('gone', (gone) => gone.id !== id);
    expect(seen.all('step').at(-1)).toMatchObject({ from: 'listening', to: 'disposed', taken: ['server dispose 0'] });
  });

  test('goes along the edges of its session’s chart as well, through one session after another', async () => {
    const at = stage();
    const server = await at.serve(() => new Promise(() => {}), { session: 'require' });
    const connection = at.dial({ name: 'twofold', session: { onSessionLost: 'new' }, backoff: () => 10 });
    await at.clock.runUntil(connection.connected({ proven: true }));
    const { page } = await startStage();
    const list = await page();
    const seen = await page(`&watch=${await list.idOf('twofold')}`);
    const first = await seen.until('detail');
    expect(first).toMatchObject({ snapshot: { session: { state: 'attached' } }, sessionHistory: [{ to: 'attached' }] });
    at.network.resetAll();
    await at.clock.advance(500);
    connection.send('one');
    connection.session?.actor.send({ type: 'abandon' });
    await at.clock.advance(500);
    await seen.until('step', ({ chart, from, to }) => chart && from === 'establishing' && to === 'attached');
    const steps = seen.all('step').filter(({ chart }) => chart === 'session');
    expect(steps.map(({ event, from, to }) => `${from} → ${to} (${event.type})`)).toEqual([
      'attached → detached (session.detached)',
      'detached → detached (session.opening)',
      'detached → attached (session.attached)',
      'attached → attached (abandon)',
      'attached → ended.deciding (session.ended)',
      'ended.deciding → ended.lost (session.ended)',
      'establishing → attached (session.attached)',
    ]);
    const known = new Set(planOf(sessionMachine).edges.map(({ id }) => id));
    expect(steps.flatMap(({ taken }) => taken).filter((edge) => !known.has(edge))).toEqual([]);
    const { sessionHistory } = await seen.until(
      'detail',
      (one) => one.sessionHistory?.at(-1)?.cause === 'session.attached' && one.sessionHistory.length > 3,
    );
    expect(sessionHistory?.map(({ to }) => to)).toContain('ended.lost');
    // Neither its id nor what is derived from it but the fingerprint.
    expect(seen.raw).not.toContain(connection.session?.id);
    await connection.dispose();
    await at.clock.advance(1);
    await seen.until('gone');
    await server.dispose();
  });

  test('a peer’s session is woken when the peer is watched, not before, and is let go again', async () => {
    const at = stage();
    const server = await at.serve(() => new Promise(() => {}), { name: 'lodge', session: 'require' });
    const connection = at.dial({ session: true });
    await at.clock.runUntil(connection.connected({ proven: true }));
    const peer = [...server.peers][0] as Peer;
    const view = peer.session as unknown as { awake?: { inspections: readonly { over: boolean }[] } };
    const { page, post } = await startStage();
    const seen = await page();
    const id = await seen.idOf(peer.name);
    expect(view.awake).toBeUndefined();
    const { feed } = await seen.until('hello');
    await post('/watch', { feed, id });
    await seen.until('detail');
    const watching = () => view.awake?.inspections.filter(({ over }) => !over).length;
    expect(watching()).toBe(1);
    at.network.resetAll();
    await at.clock.advance(1);
    expect(await seen.until('step', ({ chart }) => chart)).toMatchObject({ id, to: 'detached', chart: 'session' });
    await post('/watch', { feed, id: null });
    expect(watching()).toBe(0);
    await connection.dispose();
    await server.dispose();
  });

  test('never shows what its messages say', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const connection = at.dial({ name: 'discreet', onConnect: (line) => void line.send('the password') });
    const { page } = await startStage();
    const list = await page();
    const seen = await page(`&watch=${await list.idOf('discreet')}`);
    await seen.until('detail');
    await at.clock.runUntil(connection.connected({ proven: true }));
    connection.send('a secret of 33 letters in a frame');
    await at.clock.advance(10);
    await seen.until('detail', ({ snapshot }) => snapshot.kind === 'connection' && snapshot.inbox.messages > 0);
    await connection.dispose();
    await at.clock.advance(1);
    await seen.until('gone');
    expect(seen.all('step').length).toBeGreaterThan(2);
    for (const words of [
      'secret',
      'password',
      Buffer.from('secret').toString('base64').slice(0, 7),
      '"type":"Buffer"',
    ]) {
      expect(seen.raw).not.toContain(words);
    }
    await server.dispose();
  });
});

describe('when no page is open', () => {
  /** Counts those who observe one. */
  function observers(one: Connection | Peer | Server): () => number {
    let count = 0;
    const counted = <A extends unknown[]>(subscribe: (...args: A) => { unsubscribe(): void }) => {
      return (...args: A) => {
        const { unsubscribe } = subscribe(...args);
        count += 1;
        return {
          unsubscribe: () => {
            count -= 1;
            unsubscribe();
          },
        };
      };
    };
    const { system } = one.actor;
    Object.assign(one, { subscribe: counted(one.subscribe.bind(one) as never) });
    Object.assign(system, { inspect: counted(system.inspect.bind(system)) });
    return () => count;
  }

  test('nothing is observed, and nobody is looked at', async () => {
    const at = stage();
    const connection = at.dial({ name: 'unseen' });
    const count = observers(connection);
    let looked = 0;
    const stats = connection.stats.bind(connection);
    Object.assign(connection, {
      stats: () => {
        looked += 1;
        return stats();
      },
    });
    const { page, post } = await startStage();
    await wait(300);
    expect([count(), looked]).toEqual([0, 0]);
    const [one, two] = [await page(), await page()];
    const id = await one.idOf('unseen');
    for (const seen of [one, two]) await post('/watch', { feed: (await seen.until('hello')).feed, id });
    expect(count()).toBe(4);
    await post('/watch', { feed: (await one.until('hello')).feed, id: null });
    expect(count()).toBe(2);
    expect(looked).toBeGreaterThan(0);
    one.close();
    two.close();
    while (count() > 0) await wait(5);
    // The list is looked at no more as well.
    const before = looked;
    await wait(600);
    expect(looked).toBe(before);
    await connection.dispose();
  });

  test('nothing is left behind of one that ends while it is watched', async () => {
    const at = stage();
    const connection = at.dial({ name: 'ending' });
    const count = observers(connection);
    const { page } = await startStage();
    const list = await page();
    const seen = await page(`&watch=${await list.idOf('ending')}`);
    await seen.until('detail');
    expect(count()).toBe(2);
    await connection.dispose();
    await at.clock.advance(1);
    await seen.until('gone');
    expect(count()).toBe(0);
  });
});

describe('one that cannot be read', () => {
  const broken = () => {
    throw new Error('of another version');
  };

  test('is left out of the list, and the others are there', async () => {
    const at = stage();
    const [odd, sound] = [at.dial({ name: 'odd' }), at.dial({ name: 'sound' })];
    Object.assign(odd, { stats: broken });
    const { page } = await startStage();
    const seen = await page();
    await seen.idOf('sound');
    expect([...seen.rows.values()].map(({ name }) => name)).toEqual(['sound']);
    await odd.dispose();
    await sound.dispose();
  });

  test('is watched no more, with a warning', async () => {
    const at = stage();
    const connection = at.dial({ name: 'breaking' });
    const { page } = await startStage();
    const list = await page();
    const seen = await page(`&watch=${await list.idOf('breaking')}`);
    await seen.until('detail');
    const warned = once(process, 'warning');
    Object.assign(connection, { explain: broken });
    expect((await warned)[0]).toMatchObject({
      message: expect.stringMatching(/^the inspector cannot read connection-\d+: of another version$/),
    });
    await connection.dispose();
  });
});

test('a long list is looked at in pieces, and comes to the same', async () => {
  const at = stage();
  const connections = Array.from({ length: 200 }, (_, place) => at.dial({ name: `of many ${place}` }));
  const roll = new Roll();
  const pieces = [];
  // Time is over from the beginning: each piece is as small as can be.
  do pieces.push(roll.look(0));
  while (roll.isAtWork);
  expect(pieces.length).toBeGreaterThan(6);
  const names = pieces.flatMap((piece) => piece?.rows ?? []).map(({ name }) => name);
  expect(names.filter((name) => name.startsWith('of many'))).toEqual(connections.map(({ name }) => name));
  expect(roll.all().rows.map(({ name }) => name)).toEqual(names);
  const last = roll.all().rows.find(({ name }) => name === 'of many 199')?.id;
  connections[7]?.disconnect();
  await at.clock.runUntil(connections[199]?.dispose() as Promise<unknown>);
  const changes = [];
  do changes.push(roll.look(0));
  while (roll.isAtWork);
  const told = changes.filter((piece) => piece !== undefined);
  expect(told.every(({ all }) => !all)).toBe(true);
  const idle = told.flatMap(({ rows }) => rows).filter(({ substate }) => substate === 'idle');
  expect(idle.map(({ name }) => name)).toEqual(['of many 7']);
  expect(told.flatMap(({ gone }) => gone)).toEqual([last]);
  for (const connection of connections) void connection.dispose();
});

// Sessions, their driver and a store, without sockets: batches, a store that fails, and processes that are killed.
import { describe, expect, test } from 'vitest';
import { ClientProcess, Program, ServerProcess, stage } from './stage.js';

describe('what changes', () => {
  test('within a tick goes in one call, of all sessions', async () => {
    const { clock, store, server } = await stage();
    const others = await Promise.all(['b', 'c'].map((name) => new ClientProcess(clock, store).start(name)));
    for (const each of others) each.dial(server);
    await clock.settle();
    store.writes.length = 0;
    for (const session of server.sessions) for (let i = 0; i < 100; i += 1) session.send(Buffer.from(`${i}`));
    await clock.settle();
    // Messages; then what the two clients with the same store handled; then what all three have acknowledged.
    expect(store.writes[0]).toBe(3);
    await clock.advance(1000);
    expect(store.writes.length).toBeLessThan(10);
  });

  test('while a call is under way goes in the next one', async () => {
    const { clock, near, client, server } = await stage();
    near.writes.length = 0;
    const open = near.hold();
    for (const letter of 'abcdef') {
      client.send(letter);
      await clock.settle();
    }
    expect([near.writes, server.program.heard]).toEqual([[1], []]);
    open();
    await clock.settle();
    expect([near.writes.slice(0, 2), server.program.heard]).toEqual([
      [1, 1],
      ['a', 'b', 'c', 'd', 'e', 'f'],
    ]);
  });

  test('in bytes is bounded: more goes in several calls, in order', async () => {
    const { clock, near, client, server } = await stage();
    (client.durable as unknown as { writer: { options: object } }).writer.options = {
      patience: 10_000,
      batchBytes: 10_000,
      batches: 4,
    };
    near.writes.length = 0;
    for (let i = 0; i < 10; i += 1) client.send(String(i).repeat(4000));
    await clock.settle();
    expect(server.program.heard.map((text) => text[0]).join('')).toBe('0123456789');
    expect(near.writes.length).toBeGreaterThan(4);
  });

  test('nothing is written where nothing changes, but for a sign that it lives', async () => {
    const { clock, store, server } = await stage();
    await clock.advance(1000);
    store.writes.length = 0;
    await clock.advance(600_000);
    expect(store.writes.length).toBeGreaterThan(5);
    expect(store.writes.length).toBeLessThan(25);
    expect(server.session.state).toBe('attached');
  });
});

describe('a server that is killed', () => {
  test('and started again goes on where it was: nothing lost, and nothing that the store knew comes again', async () => {
    const { clock, store, server, client } = await stage();
    for (const letter of 'abc') client.send(letter);
    server.session.send(Buffer.from('x'));
    await clock.advance(100);
    server.kill();
    const next = new ServerProcess(clock, store);
    client.dial(next);
    await clock.settle();
    client.send('d');
    await clock.advance(100);
    expect([server.program.heard.join(''), next.program.heard.join('')]).toEqual(['abc', 'd']);
    expect([client.program.how?.resumed, client.program.acknowledgedUpTo, client.program.heard]).toEqual([
      true,
      4,
      ['x'],
    ]);
  });

  test('with messages that were not handled: they come again', async () => {
    const { clock, store, server, client } = await stage();
    server.program.quick = false;
    for (const letter of 'abc') client.send(letter);
    await clock.advance(100);
    server.session.settle(1, clock.now());
    await clock.advance(100);
    server.kill();
    const next = new ServerProcess(clock, store);
    client.dial(next);
    await clock.advance(100);
    expect([server.program.heard.join(''), next.program.heard.join('')]).toEqual(['abc', 'bc']);
  });

  test('before the store knew what was handled: that comes again, and was never acknowledged', async () => {
    const { clock, store, server, client } = await stage();
    const open = store.hold();
    client.send('a');
    await clock.advance(100);
    expect([server.program.heard, client.program.acknowledgedUpTo]).toEqual([['a'], 0]);
    store.fails = 'killed';
    open();
    server.kill();
    await clock.settle();
    store.fails = undefined;
    const next = new ServerProcess(clock, store);
    client.dial(next);
    await clock.advance(100);
    expect([next.program.heard, client.program.acknowledgedUpTo]).toEqual([['a'], 1]);
  });

  test('with messages of its own: they are sent by the next one', async () => {
    const { clock, store, server, client } = await stage();
    client.end?.close();
    await clock.settle();
    client.dial(server);
    await clock.settle();
    for (const letter of 'xyz') server.session.send(Buffer.from(letter));
    client.program.quick = false;
    await clock.advance(100);
    server.kill();
    const next = new ServerProcess(clock, store);
    client.dial(next);
    await clock.advance(100);
    expect([client.program.heard.join(''), next.session.retainedMessages]).toEqual(['xyz', 3]);
    client.session.settle(1, clock.now());
    client.session.settle(2, clock.now());
    await clock.advance(100);
    expect(next.session.retainedMessages).toBe(1);
  });

  test('and a client that comes too late is told how far it came', async () => {
    const { clock, store, server, client } = await stage();
    for (const letter of 'ab') client.send(letter);
    await clock.advance(10);
    server.kill();
    await clock.advance(250_000);
    client.dial(new ServerProcess(clock, store));
    await clock.settle();
    expect(client.program.over).toMatchObject({ how: 'lost', code: 'EXPIRED', handledUpTo: 2, unknown: undefined });
  });

  test('as one that lives, when nobody comes back: the store is told, and remembers', async () => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(10);
    server.session.send(Buffer.from('x'));
    client.program.quick = false;
    await clock.advance(10);
    client.end?.close();
    await clock.advance(121_000);
    expect(server.program.over).toMatchObject({ how: 'lost', code: 'EXPIRED', unknown: { from: 1, to: 1 } });
    const next = new ServerProcess(clock, store);
    client.dial(next);
    await clock.settle();
    expect(client.program.over).toMatchObject({ code: 'EXPIRED', handledUpTo: 1 });
  });
});

describe('a client that is killed', () => {
  test('and started again sends what was not handled, and hears what it had not handled', async () => {
    const { clock, near, server, client } = await stage();
    server.program.quick = false;
    client.program.quick = false;
    for (const letter of 'ab') client.send(letter);
    server.session.send(Buffer.from('x'));
    await clock.advance(100);
    server.session.settle(1, clock.now());
    await clock.advance(100);
    client.kill();
    const next = await new ClientProcess(clock, near).start();
    expect(next.place.record).toMatchObject({ first: 2, handled: 1 });
    next.dial(server);
    await clock.advance(100);
    expect([server.program.heard.join(''), next.program.heard.join('')]).toEqual(['ab', 'x']);
    server.session.settle(2, clock.now());
    await clock.advance(100);
    expect([next.program.acknowledgedUpTo, next.send('c')]).toEqual([2, 3]);
  });

  test('before its HELLO was answered is the same client afterwards', async () => {
    const { clock, near, server } = await stage();
    const store = near;
    const first = await new ClientProcess(clock, store).start('other');
    first.dial(server);
    await clock.settle();
    server.session.send(Buffer.from('x'));
    first.kill();
    // It had been answered; the store was not told of that.
    const again = await new ClientProcess(clock, store).start('other');
    again.dial(server);
    await clock.advance(100);
    expect([server.sessions.length, again.program.heard]).toEqual([2, ['x']]);
  });

  test('has its place taken by the one that was started last', async () => {
    const { clock, near, server, client } = await stage();
    const other = await new ClientProcess(clock, near).start();
    client.send('a');
    await clock.settle();
    expect([client.program.over, server.program.heard]).toMatchObject([{ how: 'lost', code: 'TAKEN_OVER' }, []]);
    other.dial(server);
    await clock.settle();
    expect([other.program.how?.resumed, other.send('b')]).toEqual([true, 1]);
  });
});

describe('a session that has ended', () => {
  test('in order is forgotten by the client and remembered by the server', async () => {
    const { clock, store, near, server, client } = await stage();
    client.send('a');
    client.session.finish();
    await clock.advance(1000);
    expect([client.program.over, server.program.over]).toEqual([{ how: 'closed' }, { how: 'closed' }]);
    expect((await near.load('cclient')).outcome).toBe('unknown');
    const other = new ServerProcess(clock, store);
    expect([server.registry.size, other.registry.size]).toEqual([0, 0]);
  });

  test('makes place for the next one of the same client', async () => {
    const { clock, near, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    client.session.abandon();
    client.begin();
    client.dial(server);
    await clock.advance(100);
    expect(client.send('b')).toBe(1);
    await clock.advance(100);
    expect(server.programs.map(({ heard }) => heard)).toEqual([['a'], ['b']]);
    client.kill();
    const next = await new ClientProcess(clock, near).start();
    expect(next.place.record).toMatchObject({ first: 2, handled: 1 });
  });
});

describe('a store that fails', () => {
  test('is asked again, later and later; meanwhile nothing is written and nothing acknowledged', async () => {
    const { clock, near, client, server } = await stage();
    near.writes.length = 0;
    near.fails = 'no route to the store';
    client.send('a');
    await clock.advance(5000);
    expect([server.program.heard, client.end?.open]).toEqual([[], true]);
    // After 0, 50, 150, 350, 750, 1550 and 3150 ms.
    expect(near.writes).toHaveLength(7);
    expect(client.reports).toEqual(['the session store failed: no route to the store']);
    client.send('b');
    near.fails = undefined;
    await clock.advance(2000);
    expect([server.program.heard, client.program.acknowledgedUpTo]).toEqual([['a', 'b'], 2]);
    near.fails = 'again';
    client.send('c');
    await clock.advance(100);
    expect(client.reports).toHaveLength(2);
  });

  test('for too long costs the socket, and no more', async () => {
    const { clock, near, client, server } = await stage();
    near.fails = 'no route to the store';
    client.send('a');
    await clock.advance(9990);
    expect(client.end?.open).toBe(true);
    await clock.advance(20);
    expect(client.end?.over).toBe('the session store failed: no route to the store');
    expect([client.session.state, client.session.retainedMessages]).toEqual(['detached', 1]);
    client.dial(server);
    await clock.advance(1000);
    expect(server.program.heard).toEqual([]);
    near.fails = undefined;
    await clock.advance(3000);
    expect(server.program.heard).toEqual(['a']);
  });

  test('a store that answers late is waited for as long as a store that fails', async () => {
    const { clock, near, client } = await stage();
    const open = near.hold();
    client.send('a');
    await clock.advance(10_010);
    expect(client.end?.over).toBe('the session store failed: it did not answer within 10000 ms');
    open();
    await clock.settle();
    expect(client.session.state).toBe('detached');
  });

  test('a busy line on a good store is never too long', async () => {
    const { clock, near, client, server } = await stage();
    let open = near.hold();
    for (let i = 0; i < 30; i += 1) {
      client.send(`${i}`);
      await clock.advance(1000);
      const before = open;
      before();
      open = near.hold();
      client.send(`${i}+`);
    }
    expect(client.end?.open).toBe(true);
    expect(server.program.heard.length).toBeGreaterThan(50);
  });

  test('whose answers are lost does nothing twice', async () => {
    const { clock, near, client, server } = await stage();
    near.fails = 'reset';
    near.deaf = true;
    for (const letter of 'abc') client.send(letter);
    await clock.advance(1000);
    near.fails = undefined;
    for (const letter of 'de') client.send(letter);
    await clock.advance(3000);
    expect(server.program.heard.join('')).toBe('abcde');
    client.kill();
    const next = await new ClientProcess(clock, near).start();
    expect(next.session.marks()).toMatchObject({ first: 6, next: 6 });
  });

  test('and has forgotten messages gets all of them again', async () => {
    const { clock, near, client, server } = await stage();
    server.program.quick = false;
    client.send('a');
    await clock.advance(100);
    const claim = await near.load('cclient');
    if (claim.outcome !== 'live') throw new Error(claim.outcome);
    expect(claim.session.blocks).toHaveLength(1);
    const inner = near.inner.write;
    near.inner.write = async (changes) => {
      near.inner.write = inner;
      return changes.map(() => 'gap');
    };
    client.send('b');
    await clock.advance(100);
    expect(server.program.heard.join('')).toBe('ab');
    const after = await near.load('cclient');
    expect(after.outcome === 'live' && after.session.blocks.map(({ from, next }) => [from, next])).toEqual([[1, 3]]);
  });

  test('and has forgotten the session ends it: nobody can vouch for it any more', async () => {
    const { clock, near, client } = await stage();
    near.inner.write = async (changes) => changes.map(() => 'lost');
    client.send('a');
    await clock.advance(100);
    expect(client.program.over).toMatchObject({ how: 'lost', code: 'FORGOTTEN', notSent: { from: 1, to: 1 } });
  });

  test('refuses newcomers as busy, for now', async () => {
    const { clock, store, server, client } = await stage();
    store.fails = 'no route to the store';
    client.end?.close();
    client.dial(server);
    await clock.advance(100);
    expect([client.program.refusal, client.session.state]).toEqual(['BUSY', 'detached']);
    store.fails = undefined;
    const open = store.hold();
    client.dial(server);
    await clock.advance(10_010);
    open();
    await clock.settle();
    expect(server.admissions.slice(-2)).toEqual([{ refused: 'BUSY' }, { refused: 'BUSY' }]);
    client.dial(server);
    await clock.settle();
    expect(client.session.state).toBe('attached');
  });
});

describe('parting', () => {
  test('a server that leaves hands its sessions over with all that was handled, also what the store did not know yet', async () => {
    const { clock, store, server, client } = await stage();
    for (const letter of 'abc') client.send(letter);
    await clock.settle();
    const open = store.hold();
    client.send('d');
    await clock.settle();
    server.session.send(Buffer.from('x'));
    server.session.part();
    await clock.settle();
    open();
    await clock.settle();
    expect([server.program.over, server.registry.size]).toMatchObject([{ code: 'PARTED' }, 0]);
    const next = new ServerProcess(clock, store);
    client.dial(next);
    await clock.advance(100);
    expect([next.program.heard, client.program.acknowledgedUpTo, client.program.heard]).toEqual([[], 4, ['x']]);
    expect(next.program).toBeInstanceOf(Program);
  });
});

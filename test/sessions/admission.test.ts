// Several servers with one store: who gets a session, and that two never hold one.
import { describe, expect, test } from 'vitest';
import { encode } from '../../src/protocol/session/frames.js';
import { sessionCrypto } from '../../src/protocol/session/index.js';
import { seal } from '../../src/protocol/session/keys.js';
import { ClientProcess, random, ServerProcess, stage } from './stage.js';

describe('a client that goes to another server', () => {
  test('takes its session with it; the former server gives it up with its next word', async () => {
    const { clock, store, server, client } = await stage();
    for (const letter of 'ab') client.send(letter);
    server.session.send(Buffer.from('x'));
    await clock.advance(100);
    const other = new ServerProcess(clock, store);
    client.dial(other);
    await clock.advance(100);
    for (const letter of 'cd') client.send(letter);
    other.session.send(Buffer.from('y'));
    await clock.advance(100);
    expect([server.program.heard.join(''), other.program.heard.join(''), client.program.heard.join('')]).toEqual([
      'ab',
      'cd',
      'xy',
    ]);
    server.session.send(Buffer.from('z'));
    await clock.advance(120_000);
    expect(server.program.over).toMatchObject({ how: 'lost', code: 'TAKEN_OVER' });
    expect([server.registry.size, other.registry.size, other.session.state]).toEqual([0, 1, 'attached']);
  });

  test('and back again: what the first one had is old, and the store has what is new', async () => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    const other = new ServerProcess(clock, store);
    client.dial(other);
    await clock.settle();
    for (const letter of 'bc') client.send(letter);
    await clock.advance(100);
    client.dial(server);
    await clock.settle();
    client.send('d');
    await clock.advance(100);
    expect(server.programs.map(({ heard }) => heard.join(''))).toEqual(['a', 'd']);
    expect(other.program.heard.join('')).toBe('bc');
    expect(server.programs.map(({ over }) => over)).toMatchObject([{ code: 'TAKEN_OVER' }, undefined]);
    expect(client.program.acknowledgedUpTo).toBe(4);
  });

  test('a former server that never speaks again notices when the window is over', async () => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    client.end?.close();
    const other = new ServerProcess(clock, store);
    client.dial(other);
    await clock.advance(125_000);
    expect(server.program.over).toMatchObject({ how: 'lost', code: 'TAKEN_OVER' });
    expect([client.session.state, other.session.state]).toEqual(['attached', 'attached']);
  });

  test('two at once: one of them has it, and the client goes on there', async () => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    server.kill();
    const [one, two] = [new ServerProcess(clock, store), new ServerProcess(clock, store)];
    client.dial(one);
    client.dial(two);
    await clock.settle();
    client.send('b');
    await clock.advance(300_000);
    expect([one.program?.heard ?? [], two.program.heard]).toEqual([[], ['b']]);
    expect([one.registry.size, two.registry.size, client.session.state]).toEqual([0, 1, 'attached']);
  });

  test('twice at once to the same server: the newer one has it, each in its turn', async () => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    server.kill();
    const next = new ServerProcess(clock, store);
    const open = store.hold();
    client.dial(next);
    client.dial(next);
    await clock.settle();
    open();
    await clock.settle();
    client.send('b');
    await clock.advance(100);
    expect([next.programs.length, next.program.heard, client.session.state]).toEqual([1, ['b'], 'attached']);
  });

  test('and whose socket dies meanwhile leaves the session in the store, for whoever comes next', async () => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    server.kill();
    const next = new ServerProcess(clock, store);
    const open = store.hold();
    const end = client.dial(next);
    await clock.settle();
    end.close();
    open();
    await clock.settle();
    expect([next.registry.size, next.admissions]).toEqual([0, []]);
    client.dial(next);
    await clock.settle();
    expect([next.registry.size, client.session.state]).toEqual([1, 'attached']);
  });
});

describe('HELLO', () => {
  test('whose answer was lost gets the same session from another server', async () => {
    const { clock, store, server, near } = await stage();
    const client = await new ClientProcess(clock, near).start('other');
    const end = client.dial(server);
    end.drop = () => {};
    const deaf = end as unknown as { hear(frame: Buffer): void };
    deaf.hear = () => {};
    await clock.settle();
    server.session.send(Buffer.from('x'));
    await clock.settle();
    expect(client.session.state).toBe('establishing');
    const other = new ServerProcess(clock, store);
    client.dial(other);
    await clock.advance(100);
    expect([client.session.state, client.program.heard]).toEqual(['attached', ['x']]);
    server.session.send(Buffer.from('y'));
    await clock.settle();
    expect(server.program.over).toMatchObject({ code: 'TAKEN_OVER' });
  });

  test('that comes late, of a client that has its session at another server, opens none', async () => {
    const { clock, store, client } = await stage();
    client.send('a');
    await clock.advance(100);
    const other = new ServerProcess(clock, store);
    const late = new ClientProcess(clock, store);
    late.place = { record: undefined, keep: () => {} };
    late.begin();
    (late.session as unknown as { instance: Uint8Array }).instance = client.session.head().clientInstance;
    late.dial(other);
    await clock.settle();
    expect(other.admissions).toEqual([{ refused: 'STALE_EPOCH' }]);
    expect([other.registry.size, client.session.state]).toEqual([0, 'attached']);
  });

  test('at two servers at once opens one session', async () => {
    const { clock, store, near } = await stage();
    const [one, two] = [new ServerProcess(clock, store), new ServerProcess(clock, store)];
    const client = await new ClientProcess(clock, near).start('other');
    client.dial(one);
    await clock.settle();
    const open = store.hold();
    const fresh = await new ClientProcess(clock, near).start('third');
    fresh.dial(one);
    await clock.settle();
    fresh.dial(two);
    await clock.settle();
    open();
    await clock.advance(100);
    const held = [one, two].map(({ sessions }) => sessions.filter(({ state }) => state !== 'ended').length);
    expect(held.reduce((sum, count) => sum + count)).toBeLessThanOrEqual(2);
    fresh.dial(two);
    await clock.advance(100);
    expect([fresh.session.state, two.session.state]).toEqual(['attached', 'attached']);
  });
});

describe('what is asked before the store is told anything', () => {
  const knock = async (change: (frame: Buffer) => Buffer, principal?: string) => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    const { keys } = server.session;
    const other = new ServerProcess(clock, store, principal);
    const resume = seal(
      sessionCrypto(random),
      'RESUME',
      keys,
      Buffer.alloc(16, 7),
      encode('RESUME', {
        version: 1,
        sessionId: keys.sessionId,
        epoch: 2,
        rxNext: 1,
        txFirst: 2,
        txNext: 2,
        nonce: Buffer.alloc(16, 7),
        tlvs: [],
      }),
    );
    const bytes = change(resume);
    const end = other.accept();
    end.other = end;
    const frame = other.registry.read(bytes);
    const answers: Buffer[] = [];
    await other.admission.admit({
      link: { data: () => true, control: (answer) => void answers.push(answer), end: () => {}, drop: () => {} },
      frame,
      bytes,
      opener: { principal: other.principal, secure: true },
      isThere: () => true,
      during: (act) => act(),
      admitted: (admission) => void other.admissions.push(admission),
    });
    client.send('b');
    await clock.advance(100);
    return { other, server, answers };
  };
  const spoiled = (at: number) => (frame: Buffer) => {
    const copy = Buffer.from(frame);
    copy[at]! ^= 1;
    return copy;
  };

  test.each([
    ['an unknown id', spoiled(7), undefined, 'UNKNOWN'],
    ['a wrong MAC', spoiled(80), undefined, 'BAD_MAC'],
    ['another principal', (frame: Buffer) => frame, 'bob', 'PRINCIPAL'],
  ] as const)('%s: refused, and who has the session keeps it', async (_, change, principal, code) => {
    const { other, server, answers } = await knock(change, principal);
    expect(other.admissions).toEqual([{ refused: code }]);
    // Without a MAC, and with no word of how far the messages came.
    expect(answers.map((answer) => [answer.length, answer.readBigUInt64BE(8)])).toEqual([[32, 0n]]);
    expect([server.session.state, server.program.heard.join('')]).toEqual(['attached', 'ab']);
  });

  test('the same with a good MAC takes it', async () => {
    const { other, server } = await knock((frame) => frame);
    expect(other.admissions).toMatchObject([{ resumed: true }]);
    expect(server.program.over).toMatchObject({ code: 'TAKEN_OVER' });
  });

  test('a record that cannot be believed: refused as unknown, and reported', async () => {
    const { clock, store, server, client } = await stage();
    client.send('a');
    await clock.advance(100);
    const load = store.inner.load;
    store.inner.load = async (id) => {
      const found = await load(id);
      return found.outcome === 'live' ? { ...found, session: { ...found.session, head: Buffer.from('{}') } } : found;
    };
    server.kill();
    const other = new ServerProcess(clock, store);
    client.dial(other);
    await clock.settle();
    expect(other.admissions).toEqual([{ refused: 'UNKNOWN' }]);
    expect(other.reports[0]).toContain('the session store cannot be believed');
  });
});

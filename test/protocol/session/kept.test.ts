// A session that a store keeps: what waits for the store, what is told, and where a restarted side goes on.
import { describe, expect, test } from 'vitest';
import { NinjaTcpError } from '../../../src/errors.js';
import { decode, encode } from '../../../src/protocol/session/frames.js';
import type { KeptSession } from '../../../src/protocol/session/kept.js';
import type { FrameOf } from '../../../src/protocol/session/layouts.js';
import type { SessionRecord } from '../../../src/protocol/session/ports.js';
import { bytes, Stage, type StageOptions, Wire } from './stage.js';

/** The store knows all that there is. */
const store = (session: KeptSession, now = 0): void => session.stored(session.marks(), now);

/** Both sides with a store, attached, all known. */
function attached(options: StageOptions = {}): { stage: Stage; near: Wire; far: Wire } {
  const stage = new Stage({ kept: true, ...options });
  const near = new Wire();
  stage.client.open(near, [], 0);
  store(stage.client);
  const far = new Wire();
  stage.knock(far, near.written.shift()!);
  store(stage.session);
  stage.client.receive(near, far.written.shift()!, 0);
  store(stage.client);
  return { stage, near, far };
}

describe('with a store', () => {
  test('HELLO waits until the store has the instance, WELCOME until it has the session', () => {
    const stage = new Stage({ kept: true });
    const near = new Wire();
    stage.client.open(near, [], 0);
    expect([near.take(), stage.nearStore.changes]).toEqual([[], 1]);
    store(stage.client);
    const hello = near.written[0] as Buffer;
    expect(near.take()).toEqual(['HELLO']);
    const far = new Wire();
    stage.knock(far, hello);
    expect([far.take(), stage.session.state, stage.far.how]).toEqual([[], 'establishing', undefined]);
    store(stage.session);
    expect([far.take(), stage.session.state]).toEqual([['WELCOME'], 'attached']);
  });

  test('a message goes to the socket when the store has it', () => {
    const { stage, near } = attached();
    expect(['a', 'b'].map((letter) => stage.client.send(bytes(letter)))).toEqual([1, 2]);
    expect(near.take()).toEqual([]);
    const marks = stage.client.marks();
    expect(stage.client.unstored(marks).map(String)).toEqual(['a', 'b']);
    stage.client.send(bytes('c'));
    stage.client.stored(marks, 0);
    expect(near.take()).toEqual(['DATA 1 "a"', 'DATA 2 "b"']);
    expect(stage.client.unstored(stage.client.marks()).map(String)).toEqual(['c']);
  });

  test('what is handled is told when the store knows it', () => {
    const { stage, near, far } = attached();
    stage.client.send(bytes('a'));
    store(stage.client);
    stage.session.receive(far, near.written.shift()!, 100);
    far.control(stage.session.signOfLife()!);
    const [ping] = far.written.splice(0).map((frame) => decode(frame) as FrameOf<'PING'>);
    expect([ping?.next, stage.session.lastHandled, stage.session.deadline]).toEqual([1, 0, Number.POSITIVE_INFINITY]);
    store(stage.session, 200);
    expect([stage.session.lastHandled, stage.session.deadline]).toEqual([1, 225]);
    stage.session.tick(225);
    expect(far.take()).toEqual(['ACK 2']);
  });

  test.each([
    [63, []],
    [64, ['ACK 65']],
  ])('%s messages that the store knows as handled are acknowledged by count', (count, frames) => {
    const { stage, near, far } = attached();
    for (let number = 1; number <= count; number += 1) stage.client.send(bytes('a'));
    store(stage.client);
    for (const frame of near.written.splice(0)) stage.session.receive(far, frame, 0);
    expect(far.take()).toEqual([]);
    store(stage.session);
    expect(far.take()).toEqual(frames);
  });

  test('an acknowledgement is a change, so that the store can forget', () => {
    const { stage, near } = attached();
    stage.client.send(bytes('a'));
    store(stage.client);
    const { changes } = stage.nearStore;
    stage.client.receive(near, encode('ACK', { next: 2 }), 0);
    expect([stage.nearStore.changes - changes, stage.client.marks().first]).toEqual([1, 2]);
  });

  test('RESUME waits for its epoch only when as many as were stored ahead are used up', () => {
    const { stage } = attached();
    const epochs: number[] = [];
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const near = new Wire();
      stage.client.open(near, [], 0);
      if (near.written.length === 0) store(stage.client);
      epochs.push((decode(near.written[0] as Buffer) as FrameOf<'RESUME'>).epoch);
    }
    expect(epochs).toEqual(Array.from({ length: 40 }, (_, index) => index + 2));
    expect(stage.client.marks().epoch).toBeGreaterThanOrEqual(41);
  });

  test('a frame that answers nothing is not an answer', () => {
    const stage = new Stage({ kept: true });
    const near = new Wire();
    stage.client.open(near, [], 0);
    stage.client.receive(
      near,
      encode('REFUSED', { code: 2, retryable: 0, retryAfterMs: 0, lastHandled: 0, nonce: Buffer.alloc(16) }, false),
      0,
    );
    expect([near.over?.slice(0, 36), stage.client.state]).toEqual(['the other side speaks no sessions: i', 'fresh']);
  });

  test('that fails for long, the socket is dropped, and the session waits', () => {
    const { stage, near } = attached();
    stage.client.wait(new NinjaTcpError('NINJA_PROTOCOL', 'the store is away'), 0);
    expect([near.over, stage.client.state]).toEqual(['the store is away', 'detached']);
    stage.client.wait(new NinjaTcpError('NINJA_PROTOCOL', 'again'), 0);
    expect(near.over).toBe('the store is away');
  });

  test('a HELLO whose socket breaks meanwhile opens a session that waits for the next one', () => {
    const stage = new Stage({ kept: true });
    const near = new Wire();
    stage.client.open(near, [], 0);
    store(stage.client);
    const hello = near.written[0] as Buffer;
    const [first, second] = [new Wire(), new Wire()];
    stage.knock(first, hello);
    stage.session.lost(first, 5);
    expect([stage.session.state, stage.session.deadline, stage.far.told]).toEqual(['detached', 120_005, []]);
    stage.knock(second, hello);
    store(stage.session);
    expect([first.take(), second.take(), stage.registry.size]).toEqual([[], ['WELCOME'], 1]);
  });

  test('the window over, the store is asked first, since another server may have the session', () => {
    const { stage, far } = attached();
    stage.session.lost(far, 0);
    stage.session.tick(120_000);
    expect([stage.farStore.asked, stage.session.state, stage.session.deadline]).toEqual([
      1,
      'detached',
      Number.POSITIVE_INFINITY,
    ]);
    stage.session.expire();
    expect([stage.farStore.over?.how, stage.registry.size]).toEqual(['lost', 0]);
  });

  test.each([
    [
      'taken over',
      (session: KeptSession) => session.takenOver(),
      'TAKEN_OVER',
      'another process has taken the session over',
    ],
    ['parted from', (session: KeptSession) => session.part(), 'PARTED', 'dropped'],
  ] as const)('%s, the session ends here alone: nothing is said of it any more', (_, end, code, over) => {
    const { stage, near, far } = attached();
    stage.client.send(bytes('a'));
    store(stage.client);
    stage.session.receive(far, near.written.shift()!, 0);
    end(stage.session);
    expect(stage.far.over).toMatchObject({ how: 'lost', code });
    expect([far.over, stage.registry.size]).toEqual([over, 0]);
    stage.client.lost(near, 0);
    const again = stage.dial();
    expect([stage.near.over, again.far.over]).toMatchObject([{ code: 'UNKNOWN' }, 'ended']);
  });
});

/** What two stores have after two messages up, of which the server has handled one, and one down. */
function records(): { near: SessionRecord; far: SessionRecord } {
  const { stage, near, far } = attached({ acknowledge: 'manual' });
  for (const letter of 'ab') stage.client.send(bytes(letter));
  stage.session.send(bytes('x'));
  store(stage.client);
  store(stage.session);
  for (const frame of near.written.splice(0)) stage.session.receive(far, frame, 0);
  stage.session.settle(1, 0);
  return { near: stage.client.record(), far: stage.session.record() };
}

describe('a restarted', () => {
  test('server is where its store has it: what was handled does not come again, the rest does', () => {
    const { near, far } = records();
    const stage = new Stage({ kept: true, near });
    stage.registry.restore(far, 0);
    expect([stage.session.state, stage.session.deadline]).toEqual(['detached', 120_000]);
    const wire = new Wire();
    stage.client.open(wire, [], 0);
    store(stage.client);
    const other = new Wire();
    expect(stage.knock(other, wire.written.shift()!)).toMatchObject({ resumed: true });
    stage.client.receive(wire, other.written.shift()!, 0);
    stage.flow({ near: wire, far: other });
    expect([stage.far.heard, stage.near.heard, stage.near.how]).toEqual([
      ['b'],
      ['x'],
      { resumed: true, replayed: 1, deduplicated: 0 },
    ]);
  });

  test('client goes on with a higher epoch only, and tells its store first', () => {
    const { near, far } = records();
    const stage = new Stage({ kept: true, near });
    const wire = new Wire();
    stage.client.open(wire, [], 0);
    expect(wire.written).toEqual([]);
    store(stage.client);
    const { epoch } = decode(wire.written[0] as Buffer) as FrameOf<'RESUME'>;
    expect(epoch).toBe(near.epoch + 1);
    stage.registry.restore({ ...far, epoch }, 0);
    expect(stage.knock(new Wire(), wire.written[0] as Buffer)).toEqual({ refused: 'STALE_EPOCH' });
  });

  test('sender does not know what was written: all of it is unknown', () => {
    const { near } = records();
    const stage = new Stage({ kept: true, near });
    stage.client.abandon();
    expect(stage.near.over).toMatchObject({ handledUpTo: 0, unknown: { from: 1, to: 2 }, notSent: undefined });
  });

  test('client that was not answered asks as the same, and anew where the server has forgotten it', () => {
    const before = new Stage({ kept: true });
    const near = before.client.record();
    const stage = new Stage({ kept: true, near });
    const wire = new Wire();
    stage.client.open(wire, [], 0);
    const hello = decode(wire.written[0] as Buffer) as FrameOf<'HELLO'>;
    expect(Buffer.compare(hello.clientInstance, near.head.clientInstance)).toBe(0);
    stage.client.receive(
      wire,
      encode('REFUSED', { code: 6, retryable: 0, retryAfterMs: 0, lastHandled: 0, nonce: Buffer.alloc(16) }, false),
      0,
    );
    expect([stage.near.over, stage.near.told]).toEqual([undefined, ['refused STALE_EPOCH']]);
    expect(Buffer.compare(stage.client.head().clientInstance, near.head.clientInstance)).not.toBe(0);
  });

  test('session is not taken in where there is no room', () => {
    const { far } = records();
    const stage = new Stage({ kept: true, registry: { maxSessions: 0 } });
    expect(stage.registry.restore(far, 0)).toBeUndefined();
  });
});

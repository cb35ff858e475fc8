// What a server keeps is bounded: bytes by principal, and memories of sessions that have ended.
import { describe, expect, test } from 'vitest';
import { encode } from '../../../src/protocol/session/frames.js';
import type { Session } from '../../../src/protocol/session/session.js';
import { bytes, Stage, Wire } from './stage.js';

/** Another client's session on the server of `stage`, and that client. */
function join(stage: Stage, principal = 'ann'): { client: Stage; session: Session; near: Wire; far: Wire } {
  const client = new Stage();
  const [near, far] = [new Wire(), new Wire()];
  client.client.open(near, [], 0);
  stage.knock(far, near.written.shift()!, principal);
  client.client.receive(near, far.written.shift()!, 0);
  return { client, session: stage.session, near, far };
}

/** What a HELLO of `principal` is answered. */
function ask(stage: Stage, principal: string): string {
  const wire = new Wire();
  new Stage().client.open(wire, [], 0);
  const admission = stage.knock(new Wire(), wire.written[0]!, principal);
  return 'refused' in admission ? admission.refused : 'welcome';
}

describe('the bytes that a principal has kept, at their limit', () => {
  const of = (length: number): Buffer => Buffer.alloc(length);
  const limited = (): Stage => new Stage({ registry: { retainedBytesPerPrincipal: 10 } });

  test('are counted over all of its sessions, and over those of no other', () => {
    const stage = limited();
    const [one, two, bobs] = [join(stage), join(stage), join(stage, 'bob')];
    expect([one.session.send(of(5)), two.session.send(of(1)), one.session.send(of(4))]).toEqual([1, 1, 2]);
    expect([one.session.send(of(1)), two.session.send(of(1))]).toEqual([0, 0]);
    expect([bobs.session.send(of(4)), bobs.session.send(of(6)), bobs.session.send(of(1))]).toEqual([1, 2, 0]);
    expect(stage.registry.retainedBytes).toBe(20);
  });

  test('each session may keep one message beyond them, else it would wait for ever', () => {
    const stage = limited();
    const [one, two] = [join(stage), join(stage)];
    expect([one.session.send(of(10)), two.session.send(of(3)), two.session.send(of(1))]).toEqual([1, 1, 0]);
    stage.far.told.length = 0;
    // It is told of room by its own acknowledgement, and has room by it, whatever the others keep.
    two.session.receive(two.far, encode('ACK', { next: 2 }), 0);
    expect([stage.far.told, two.session.send(of(7))]).toEqual([['room'], 2]);
  });

  test('are free again when they are acknowledged, or their session ends', () => {
    const stage = limited();
    const [one, two] = [join(stage), join(stage)];
    for (const length of [2, 2, 2]) one.session.send(of(length));
    for (const length of [2, 2]) two.session.send(of(length));
    expect(one.session.send(of(1))).toBe(0);
    one.session.receive(one.far, encode('ACK', { next: 2 }), 0);
    expect([one.session.send(of(3)), one.session.send(of(2)), one.session.send(of(1))]).toEqual([0, 4, 0]);
    two.session.abandon();
    expect([one.session.send(of(4)), one.session.send(of(1)), stage.registry.retainedBytes]).toEqual([5, 0, 10]);
  });

  test('no further session is opened for it, and for others one is', () => {
    const stage = limited();
    const one = join(stage);
    one.session.send(of(10));
    expect([ask(stage, 'ann'), ask(stage, 'bob')]).toEqual(['LIMIT', 'welcome']);
    one.session.receive(one.far, encode('ACK', { next: 2 }), 0);
    expect(ask(stage, 'ann')).toBe('welcome');
  });
});

describe('sessions at the limit of one principal', () => {
  const limited = (): Stage => new Stage({ registry: { maxSessionsPerPrincipal: 2 } });

  test('its own unused one goes, and nobody else’s', () => {
    const stage = limited();
    const [bobs, first, second] = [join(stage, 'bob'), join(stage), join(stage)];
    bobs.session.lost(bobs.far, 0);
    expect(ask(stage, 'ann')).toBe('LIMIT');
    second.session.lost(second.far, 0);
    first.session.lost(first.far, 0);
    expect(ask(stage, 'ann')).toBe('welcome');
    expect([bobs, first, second].map(({ session }) => session.state)).toEqual(['detached', 'detached', 'ended']);
  });

  test('one that has its socket back does not go', () => {
    const stage = limited();
    const [first, second] = [join(stage), join(stage)];
    first.session.lost(first.far, 0);
    first.client.client.lost(first.near, 0);
    const [near, far] = [new Wire(), new Wire()];
    first.client.client.open(near, [], 0);
    stage.knock(far, near.written.shift()!);
    expect([ask(stage, 'ann'), first.session.state, second.session.state]).toEqual(['LIMIT', 'attached', 'attached']);
  });
});

describe('a session that has ended', () => {
  /** The server gives up a session, of which it has handled one message. */
  function ended(stage: Stage): ReturnType<typeof join> {
    const one = join(stage);
    one.client.client.send(bytes('a'));
    one.session.receive(one.far, one.near.written.shift()!, 0);
    one.session.abandon();
    one.client.client.lost(one.near, 0);
    return one;
  }

  /** Its client comes back. */
  function comeBack(stage: Stage, { client, near }: ReturnType<typeof join>): Buffer {
    const far = new Wire();
    client.client.open(near, [], 0);
    stage.knock(far, near.written.at(-1)!);
    const answer = far.written[0]!;
    client.client.receive(near, answer, 0);
    return answer;
  }
  const stageOf = (maxSessions: number): Stage => new Stage({ registry: { maxSessions } });

  test('is remembered as long as there are not more of them than of sessions at most', () => {
    const stage = stageOf(2);
    const [first, second, third] = [ended(stage), ended(stage), ended(stage)];
    const answers = [first, second, third].map((one) => comeBack(stage, one));
    // REFUSED: UNKNOWN without a MAC; EXPIRED, last handled 1, with one.
    expect(answers.map((answer) => [answer.length, answer.toString('hex', 0, 16)])).toEqual([
      [32, '05000100000000000000000000000000'],
      [64, '05000200000000000000000000000001'],
      [64, '05000200000000000000000000000001'],
    ]);
    const one = { from: 1, to: 1 };
    expect([first, second].map(({ client }) => client.near.over)).toEqual([
      { how: 'lost', code: 'UNKNOWN', handledUpTo: 0, unknown: one, notSent: undefined },
      { how: 'lost', code: 'EXPIRED', handledUpTo: 1, unknown: undefined, notSent: undefined },
    ]);
  });

  test.each([
    ['of one that is remembered is an old one', 0, 'STALE_EPOCH'],
    ['of one that is forgotten opens another session', 1, 'welcome'],
  ])('a HELLO %s', (_, others, answer) => {
    const stage = stageOf(1);
    const wire = new Wire();
    const late = new Stage();
    late.client.open(wire, [], 0);
    const hello = wire.written[0]!;
    const far = new Wire();
    stage.knock(far, hello);
    stage.session.receive(far, Buffer.from('10000000000161', 'hex'), 0);
    stage.session.abandon();
    for (let i = 0; i < others; i += 1) ended(stage);
    const admission = stage.knock(new Wire(), hello);
    expect('refused' in admission ? admission.refused : 'welcome').toBe(answer);
  });
});

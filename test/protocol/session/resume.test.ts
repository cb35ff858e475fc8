// Who gets a session back, and who does not; what a refusal is believed to say.
import { describe, expect, test } from 'vitest';
import { decode, encode } from '../../../src/protocol/session/frames.js';
import { NO_NONCE, seal } from '../../../src/protocol/session/keys.js';
import { type FrameOf, type RefusalCode, refusalCodes } from '../../../src/protocol/session/layouts.js';
import { bytes, crypto, Stage, Wire } from './stage.js';

/** An attached session with one message under way each way, and the RESUME that its client would write next. */
function attached(secure = true): { stage: Stage; line: { near: Wire; far: Wire }; resume: Buffer } {
  const stage = new Stage({ secure });
  const line = stage.dial();
  stage.client.send(bytes('a'));
  stage.session.receive(line.far, line.near.written.shift()!, 0);
  stage.session.send(bytes('x'));
  const wire = new Wire();
  stage.client.lost(line.near, 0);
  stage.client.open(wire, [], 0);
  return { stage, line, resume: wire.written[0] as Buffer };
}

/** The frame with other fields, and a good MAC. */
function forged(stage: Stage, resume: Buffer, change: Partial<FrameOf<'RESUME'>>): Buffer {
  const frame = { ...(decode(resume) as FrameOf<'RESUME'>), ...change };
  const { keys } = stage.session as unknown as { keys: { sessionId: Uint8Array; secret: Uint8Array } };
  return seal(crypto, 'RESUME', keys, frame.nonce, encode('RESUME', frame));
}

const spoiled = (frame: Buffer, at: number): Buffer => {
  const copy = Buffer.from(frame);
  copy[at]! ^= 1;
  return copy;
};

describe('a resume is refused, and the live socket is not touched, with', () => {
  type Row = [string, RefusalCode, (stage: Stage, resume: Buffer) => Buffer, string, boolean];
  const same = (_: Stage, resume: Buffer): Buffer => resume;
  const rows: Row[] = [
    ['an unknown id', 'UNKNOWN', (_, resume) => spoiled(resume, 7), 'ann', false],
    ['a wrong MAC', 'BAD_MAC', (_, resume) => spoiled(resume, resume.length - 1), 'ann', false],
    ['a changed number', 'BAD_MAC', (_, resume) => spoiled(resume, 33), 'ann', false],
    ['a stolen id and secret of another principal', 'PRINCIPAL', same, 'bob', false],
    ['an old epoch', 'STALE_EPOCH', (stage, resume) => forged(stage, resume, { epoch: 1 }), 'ann', true],
    ['another version', 'VERSION', (stage, resume) => forged(stage, resume, { version: 2 }), 'ann', true],
    ['more received than was sent', 'SEQ_AHEAD', (stage, resume) => forged(stage, resume, { rxNext: 3 }), 'ann', true],
    ['less sent than was received', 'SEQ_AHEAD', (stage, resume) => forged(stage, resume, { txNext: 1 }), 'ann', true],
    [
      'history that is gone',
      'HISTORY_LOST',
      (stage, resume) => forged(stage, resume, { txFirst: 3, txNext: 9 }),
      'ann',
      true,
    ],
  ];
  test.each(rows)('%s: %s', (_, code, change, principal, sealed) => {
    const { stage, line, resume } = attached();
    const wire = new Wire();
    expect(stage.knock(wire, change(stage, resume), principal)).toEqual({ refused: code });
    expect([wire.over, stage.session.state, line.far.over]).toEqual(['ended', 'attached', undefined]);
    const answer = decode(wire.written[0] as Buffer) as FrameOf<'REFUSED'>;
    expect([answer.mac !== undefined, answer.lastHandled]).toEqual([sealed, sealed ? 1 : 0]);
  });

  test('a RESUME that was used before', () => {
    const { stage, resume } = attached();
    const wire = new Wire();
    expect(stage.knock(wire, resume)).toMatchObject({ resumed: true });
    expect(stage.knock(new Wire(), resume)).toEqual({ refused: 'STALE_EPOCH' });
    expect([wire.over, stage.session.state]).toEqual([undefined, 'attached']);
  });

  test('a RESUME of an attempt that was given up, and comes late', () => {
    const { stage, resume } = attached();
    const near = new Wire();
    stage.client.open(near, [], 0);
    const good = new Wire();
    stage.knock(good, near.written[0] as Buffer);
    expect(stage.knock(new Wire(), resume)).toEqual({ refused: 'STALE_EPOCH' });
    expect(good.over).toBeUndefined();
  });
});

describe('epochs', () => {
  test('are recorded only under a good MAC', () => {
    const { stage, resume } = attached();
    const far = forged(stage, resume, { epoch: 9 });
    expect(stage.knock(new Wire(), spoiled(far, far.length - 1))).toEqual({ refused: 'BAD_MAC' });
    expect(stage.session.epoch).toBe(1);
    expect(stage.knock(new Wire(), resume)).toMatchObject({ resumed: true });
  });

  test.each([
    ['without TLS, as far as is believed', false, 65_537, { resumed: true }],
    ['without TLS, one further', false, 65_538, { refused: 'STALE_EPOCH' }],
    ['with TLS, anywhere', true, 2 ** 32 - 1, { resumed: true }],
  ])('jump %s', (_, secure, epoch, outcome) => {
    const { stage, resume } = attached(secure);
    expect(stage.knock(new Wire(), forged(stage, resume, { epoch }))).toMatchObject(outcome);
  });
});

describe('HELLO', () => {
  const hello = (stage: Stage): Buffer => {
    const wire = new Wire();
    stage.client.open(wire, [], 0);
    return wire.written[0] as Buffer;
  };

  test('whose answer was lost is answered with the same session, and what it had sent', () => {
    const stage = new Stage();
    const first = new Wire();
    stage.knock(first, hello(stage));
    stage.session.send(bytes('x'));
    const line = stage.dial();
    stage.flow(line);
    expect([first.over, stage.registry.size, stage.near.heard]).toEqual(['dropped', 1, ['x']]);
  });

  test('of a client that has its session, or had it, is an old one', () => {
    const stage = new Stage();
    const late = hello(stage);
    const line = stage.dial();
    stage.client.send(bytes('a'));
    stage.flow(line);
    expect(stage.knock(new Wire(), late)).toEqual({ refused: 'STALE_EPOCH' });
    expect(line.far.over).toBeUndefined();
    stage.session.abandon();
    expect(stage.knock(new Wire(), late)).toEqual({ refused: 'STALE_EPOCH' });
  });

  test('of another principal with the same instance gets a session of its own', () => {
    const stage = new Stage();
    const same = hello(stage);
    stage.knock(new Wire(), same, 'ann');
    stage.knock(new Wire(), same, 'bob');
    expect(stage.registry.size).toBe(2);
  });

  test.each([
    ['versions that are not spoken here', (frame: Buffer) => frame.fill(2, 6, 8), 'VERSION'],
    ['sessions that are all used, of this principal', (frame: Buffer) => frame, 'LIMIT'],
  ] as const)('is refused: %s', (_, change, code) => {
    const stage = new Stage({ registry: { maxSessionsPerPrincipal: 1 } });
    if (code === 'LIMIT') {
      stage.knock(new Wire(), hello(new Stage()));
      stage.session.send(bytes('x'));
    }
    expect(stage.knock(new Wire(), change(hello(stage)))).toEqual({ refused: code });
  });

  test.each([
    ['01 01', true],
    ['01 03', true],
    ['02 03', false],
  ])('names the versions that its client speaks: %s', (versions, spoken) => {
    const stage = new Stage();
    const frame = hello(stage);
    Buffer.from(versions.replace(' ', ''), 'hex').copy(frame, 6);
    const wire = new Wire();
    stage.knock(wire, frame);
    const refused = `0500 08 00 00000000 0000000000000000 ${'00'.repeat(16)}`.replaceAll(' ', '');
    const answer = wire.written[0]!.toString('hex');
    expect(spoken ? answer.slice(0, 6) : answer).toBe(spoken ? '020001' : refused);
    const near = new Wire();
    stage.client.open(near, [], 0);
    stage.client.receive(near, wire.written[0]!, 0);
    expect([stage.client.state, stage.near.over]).toEqual(
      spoken
        ? ['attached', undefined]
        : ['ended', { how: 'lost', code: 'VERSION', handledUpTo: 0, unknown: undefined, notSent: undefined }],
    );
  });

  test('is refused while the server leaves, RESUME is not', () => {
    const { stage, resume } = attached();
    stage.registry.draining = true;
    expect(stage.knock(new Wire(), hello(new Stage()))).toEqual({ refused: 'DRAINING' });
    expect(stage.knock(new Wire(), resume)).toMatchObject({ resumed: true });
  });

  test('is refused where all retain too much', () => {
    const stage = new Stage({ registry: { retainedBytes: 5 } });
    stage.knock(new Wire(), hello(stage), 'bob');
    stage.session.send(bytes('hello'));
    expect(stage.registry.retainedBytes).toBe(5);
    expect(stage.knock(new Wire(), hello(new Stage()))).toEqual({ refused: 'LIMIT' });
    stage.session.abandon();
    expect(stage.registry.retainedBytes).toBe(0);
  });

  test('at the limit the oldest goes that carried nothing and has no socket', () => {
    const stage = new Stage({ registry: { maxSessions: 2 } });
    const wires = ['ann', 'bob'].map((principal) => {
      const wire = new Wire();
      stage.knock(wire, hello(new Stage()), principal);
      return { wire, session: stage.session };
    });
    expect(stage.knock(new Wire(), hello(new Stage()), 'cid')).toEqual({ refused: 'LIMIT' });
    for (const { wire, session } of wires) session.lost(wire, 0);
    expect(stage.knock(new Wire(), hello(new Stage()), 'cid')).toMatchObject({ resumed: false });
    expect(wires.map(({ session }) => session.state)).toEqual(['ended', 'detached']);
  });
});

/** A client whose session is detached with 'a' handled and 'bc' unknown to it, and what its next socket is answered. */
function refusedBy(answer: (resume: FrameOf<'RESUME'>, stage: Stage) => Buffer, endpoints = 1): Stage {
  const stage = new Stage({ endpoints });
  const line = stage.dial();
  for (const letter of 'abc') stage.client.send(bytes(letter));
  stage.client.receive(line.near, encode('ACK', { next: 2 }), 0);
  stage.cut(line);
  const wire = new Wire();
  stage.client.open(wire, [], 0);
  const resume = decode(wire.written[0] as Buffer) as FrameOf<'RESUME'>;
  stage.client.receive(wire, answer(resume, stage), 0);
  return stage;
}

const refusal = (code: number, nonce: Uint8Array, lastHandled = 0, retryable = 0) =>
  [{ code, retryable, retryAfterMs: 0, lastHandled, nonce }] as const;
const vouched = (stage: Stage, [fields]: ReturnType<typeof refusal>): Buffer => {
  const { keys } = stage.session as unknown as { keys: { sessionId: Uint8Array; secret: Uint8Array } };
  return seal(crypto, 'REFUSED', keys, fields.nonce, encode('REFUSED', fields, true));
};

describe('a refusal', () => {
  test('under a MAC is believed: it says how far the messages came', () => {
    const stage = refusedBy(({ nonce }, on) => vouched(on, refusal(refusalCodes.EXPIRED, nonce, 2)));
    expect(stage.near.over).toEqual({
      how: 'lost',
      code: 'EXPIRED',
      handledUpTo: 2,
      unknown: { from: 3, to: 3 },
      notSent: undefined,
    });
    expect(stage.near.acknowledgedUpTo).toEqual([1, 2]);
  });

  test.each([
    ['without a MAC', (nonce: Uint8Array) => encode('REFUSED', refusal(1, nonce, 3)[0], false)],
    ['with a MAC for another nonce', (_: Uint8Array, stage: Stage) => vouched(stage, refusal(1, NO_NONCE, 3))],
  ])('%s says nothing of the messages', (_, answer) => {
    const stage = refusedBy(({ nonce }, on) => answer(nonce, on));
    expect(stage.near.over).toMatchObject({
      how: 'lost',
      code: 'UNKNOWN',
      handledUpTo: 1,
      unknown: { from: 2, to: 3 },
    });
  });

  test('without a MAC is asked for at each endpoint once, and then it is final', () => {
    const stage = refusedBy(({ nonce }) => encode('REFUSED', refusal(1, nonce)[0], false), 3);
    const again = (): void => {
      const wire = new Wire();
      stage.client.open(wire, [], 0);
      const { nonce } = decode(wire.written[0] as Buffer) as FrameOf<'RESUME'>;
      stage.client.receive(wire, encode('REFUSED', refusal(1, nonce)[0], false), 0);
    };
    again();
    expect([stage.client.state, stage.near.over]).toEqual(['detached', undefined]);
    again();
    expect(stage.client.state).toBe('ended');
  });

  test.each(['BUSY', 'DRAINING', 'LIMIT'] as const)('%s is only for now', (code) => {
    const stage = refusedBy(({ nonce }) => encode('REFUSED', refusal(refusalCodes[code], nonce, 0, 1)[0], false));
    expect([stage.client.state, stage.near.told.at(-1)]).toEqual(['detached', `refused ${code}`]);
  });

  test('of a session that carried nothing loses nothing: another is asked for', () => {
    const stage = new Stage();
    stage.cut(stage.dial());
    stage.session.abandon();
    stage.dial();
    expect([stage.client.state, stage.near.over]).toEqual(['fresh', undefined]);
    stage.dial();
    expect(stage.client.state).toBe('attached');
  });
});

describe('a session that nobody comes back for', () => {
  test('is lost when the resume window is over, and its client is told how far it came', () => {
    const { stage, line } = attached();
    stage.session.lost(line.far, 1000);
    expect(stage.session.deadline).toBe(121_000);
    stage.session.tick(120_999);
    expect(stage.session.state).toBe('detached');
    stage.session.tick(121_000);
    expect(stage.far.over).toEqual({
      how: 'lost',
      code: 'EXPIRED',
      handledUpTo: 0,
      unknown: { from: 1, to: 1 },
      notSent: undefined,
    });
    stage.dial();
    expect(stage.near.over).toMatchObject({ code: 'EXPIRED', handledUpTo: 1, unknown: undefined });
  });
});

describe('an answer that is none', () => {
  test.each([
    ['a plain message', bytes('hello')],
    ['our own HELLO, echoed', Buffer.from('01004e4a5431', 'hex')],
    ['a message of a session', Buffer.from('10000000000161', 'hex')],
  ])('%s: not a peer', (_, frame) => {
    const stage = new Stage();
    const wire = new Wire();
    stage.client.open(wire, [], 0);
    stage.client.receive(wire, Buffer.alloc(0), 0);
    stage.client.receive(wire, frame, 0);
    expect(wire.over).toContain('the other side speaks no sessions');
    expect(stage.client.state).toBe('fresh');
  });

  test('a WELCOME of a version that was not asked for', () => {
    const stage = new Stage();
    const { near, far } = { near: new Wire(), far: new Wire() };
    stage.client.open(near, [], 0);
    stage.knock(far, near.written.shift()!);
    stage.client.receive(near, far.written.shift()!.fill(2, 2, 3), 0);
    expect(near.over).toBe('session frame WELCOME: version must be 1, as asked for, got 2');
    expect(stage.client.state).toBe('fresh');
  });

  test('a RESUMED with a wrong MAC: the session stays as it is', () => {
    const stage = refusedBy(() => encode('RESUMED', { epoch: 2, rxNext: 4, txFirst: 1, txNext: 1 }));
    expect([stage.client.state, stage.client.sender.messages]).toEqual(['detached', 2]);
  });
});

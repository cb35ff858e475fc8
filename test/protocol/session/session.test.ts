import { describe, expect, test } from 'vitest';
import { encode } from '../../../src/protocol/session/frames.js';
import { bytes, dataFrame, Stage, Wire, wordsOf } from './stage.js';

/** Sends each letter as a message; gives their numbers. */
const sendAll = (stage: Stage, letters: string): number[] =>
  [...letters].map((letter) => stage.client.send(bytes(letter)));

describe('a session', () => {
  test('carries messages both ways, numbered from 1', () => {
    const stage = new Stage();
    const line = stage.dial();
    expect(sendAll(stage, 'abc')).toEqual([1, 2, 3]);
    expect(stage.session.send(bytes('x'))).toBe(1);
    stage.flow(line);
    expect([stage.far.heard, stage.near.heard]).toEqual([['a', 'b', 'c'], ['x']]);
  });

  test('sends nothing before it is attached', () => {
    const stage = new Stage();
    expect(stage.client.send(bytes('a'))).toBe(0);
    stage.client.open(new Wire(), [], 0);
    expect([stage.client.state, stage.client.send(bytes('a'))]).toEqual(['establishing', 0]);
  });

  test('resumes after a break: what did not arrive is written again, and nothing else', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'abc');
    stage.session.receive(line.far, line.near.written.shift()!, 0);
    stage.cut(line);
    const again = stage.dial();
    expect(again.near.take()).toEqual(['ACK 1', 'DATA 2 "b"', 'DATA 3 "c"']);
    expect(stage.near.how).toEqual({ resumed: true, replayed: 2, deduplicated: 0 });
  });

  test('resumes where nothing was received yet', () => {
    const stage = new Stage();
    const line = stage.dial();
    stage.cut(line);
    const again = stage.dial();
    sendAll(stage, 'a');
    stage.flow(again);
    expect([stage.client.state, stage.far.heard]).toEqual(['attached', ['a']]);
  });

  test('tells again on a new socket what was handled, since the old one may have lost it', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'ab');
    for (const frame of line.near.written.splice(0)) stage.session.receive(line.far, frame, 0);
    stage.session.tick(25);
    stage.cut(line);
    expect(stage.client.sender.messages).toBe(2);
    stage.flow(stage.dial());
    expect(stage.client.sender.messages).toBe(0);
  });

  test('drops what an old socket brings after the resume', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'ab');
    const late = line.near.written.splice(0);
    stage.client.lost(line.near, 0);
    const again = stage.dial();
    for (const frame of late) stage.session.receive(line.far, frame, 0);
    expect([stage.far.heard, stage.session.fenced]).toEqual([[], 2]);
    stage.flow(again);
    expect(stage.far.heard).toEqual(['a', 'b']);
  });
});

describe('replay', () => {
  test('runs over the living queue: new messages stand behind it, acknowledged ones are gone before it', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'abc');
    stage.cut(line);
    const near = new Wire();
    near.room = 1;
    stage.client.open(near, [], 0);
    const far = new Wire();
    stage.knock(far, near.written.shift()!);
    stage.client.receive(near, far.written.shift()!, 0);
    expect(near.take()).toEqual(['ACK 1', 'DATA 1 "a"']);
    expect(stage.client.send(bytes('d'))).toBe(4);
    stage.client.receive(near, encode('ACK', { next: 2 }), 0);
    near.room = 9;
    stage.client.writable(near);
    expect(near.take()).toEqual(['DATA 2 "b"', 'DATA 3 "c"', 'DATA 4 "d"']);
  });

  test('a message that is sent when the line is back stands behind it', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'ab');
    stage.cut(line);
    stage.near.attached = () => {
      expect([stage.client.flowing, stage.client.send(bytes('c'))]).toEqual([true, 3]);
    };
    expect(stage.dial().near.take()).toEqual(['ACK 1', 'DATA 1 "a"', 'DATA 2 "b"', 'DATA 3 "c"']);
  });

  test('writes no more than the socket takes, so that both sides read meanwhile', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'abcd');
    stage.cut(line);
    const near = new Wire();
    near.room = 2;
    stage.client.open(near, [], 0);
    const far = new Wire();
    stage.knock(far, near.written.shift()!);
    stage.client.receive(near, far.written.shift()!, 0);
    expect(near.take()).toEqual(['ACK 1', 'DATA 1 "a"', 'DATA 2 "b"']);
    stage.client.receive(near, dataFrame(1, 'x'), 0);
    expect(stage.near.heard).toEqual(['x']);
  });
});

describe('numbers', () => {
  test('an old one is dropped, counted, and acknowledged again', () => {
    const stage = new Stage();
    const line = stage.dial();
    const take = (number: number, text: string) => stage.session.receive(line.far, dataFrame(number, text), 0);
    take(1, 'a');
    stage.session.tick(25);
    line.far.take();
    take(1, 'a');
    expect([stage.far.heard, stage.session.receiver.duplicates, line.far.over]).toEqual([['a'], 1, undefined]);
    stage.session.tick(25);
    expect(line.far.take()).toEqual(['ACK 2']);
  });

  test('many old ones are not acknowledged one by one', () => {
    const stage = new Stage();
    const line = stage.dial();
    stage.session.receive(line.far, dataFrame(1, 'a'), 0);
    for (let i = 0; i < 640; i += 1) stage.session.receive(line.far, dataFrame(1, 'a'), Math.floor(i / 64));
    expect(line.far.take()).toEqual(Array(10).fill('ACK 2'));
  });

  test('a missing one breaks a rule: the socket is dropped, and the session lives', () => {
    const stage = new Stage();
    const line = stage.dial();
    stage.session.receive(line.far, dataFrame(2, 'b'), 0);
    expect(line.far.over).toBe('session frame DATA: seq must be 1, since the message before it is missing, got 2');
    expect([stage.session.state, stage.far.heard]).toEqual(['detached', []]);
  });

  test('an acknowledgement beyond what was sent breaks a rule', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'a');
    stage.client.receive(line.near, encode('ACK', { next: 3 }), 0);
    expect(line.near.over).toBe('session frame ACK: next must be at most 2, since no more was sent, got 3');
    expect([stage.near.acknowledgedUpTo, stage.client.sender.messages]).toEqual([[], 1]);
  });

  test.each([
    [
      'messages',
      { bytes: 4096, messages: 2 },
      'a',
      'at most 2 messages of 4096 bytes may be unacknowledged, got 3 of 3',
    ],
    ['bytes', { bytes: 5, messages: 9 }, 'aa', 'at most 9 messages of 5 bytes may be unacknowledged, got 3 of 6'],
  ])('more than the window of %s breaks a rule, and does not count', (_, window, text, rule) => {
    const stage = new Stage({ window });
    const line = stage.dial();
    stage.far.quick = false;
    const take = (on: { far: Wire }, number: number) => stage.session.receive(on.far, dataFrame(number, text), 0);
    for (const number of [1, 2]) expect(stage.client.send(bytes(text))).toBe(number);
    for (const number of [1, 2, 3]) take(line, number);
    expect(line.far.over).toBe(`session frame DATA: ${rule} bytes`);
    stage.client.lost(line.near, 0);
    const again = stage.dial();
    for (const number of [1, 2]) stage.session.settle(number, 0);
    for (const number of [3, 4]) take(again, number);
    expect([again.far.over, stage.session.receiver.next]).toEqual([undefined, 5]);
  });

  test('a frame is taken where it lies in a chunk, and no byte beside it', () => {
    const stage = new Stage();
    const line = stage.dial();
    const take = (on: Wire, frame: Buffer) => {
      // The chunk itself is a view of a larger memory.
      const chunk = Buffer.concat([bytes('before'), frame, bytes('behind')]);
      const memory = new ArrayBuffer(chunk.length + 2);
      const source = new Uint8Array(memory, 2);
      source.set(chunk);
      stage.session.receiveSpan(on, source, 6, frame.length, memory, 100);
    };
    take(new Wire(), dataFrame(1, 'old'));
    take(line.far, bytes(''));
    take(line.far, dataFrame(1, 'a'));
    take(line.far, dataFrame(1, 'a'));
    take(line.far, dataFrame(2, ''));
    expect([stage.far.heard, stage.session.fenced, stage.session.receiver.duplicates]).toEqual([['a', ''], 1, 1]);
    take(line.far, stage.client.signOfLife()!);
    expect(line.far.take()).toEqual(['PONG']);
    take(line.far, bytes('\x10\0\0\0\0'));
    expect(line.far.over).toBe('session frame DATA: it must have at least 6 bytes, got 5');
  });
});

describe('a run of messages in a chunk', () => {
  /** A chunk of these frames, each behind its length; it is a view of a larger memory. */
  function chunkOf(...frames: Buffer[]): Uint8Array {
    const parts = frames.flatMap((frame) => [Buffer.of(0, 0, 0, frame.length), frame]);
    const bytes = Buffer.concat(parts);
    const chunk = new Uint8Array(new ArrayBuffer(bytes.length + 3), 3);
    chunk.set(bytes);
    return chunk;
  }
  const run = (stage: Stage, wire: Wire, chunk: Uint8Array, at = 0, end = chunk.length): number =>
    stage.session.receiveRun(wire, chunk, at, end, chunk.buffer, 100);
  const [a, b, c] = [dataFrame(1, 'a'), dataFrame(2, ''), dataFrame(3, 'ccc')];

  test('is taken whole, and acknowledged as ever', () => {
    const stage = new Stage();
    const { far } = stage.dial();
    const chunk = chunkOf(a, b, c);
    expect([run(stage, far, chunk), chunk.length]).toEqual([chunk.length, 34]);
    expect([stage.far.heard, stage.far.woken, stage.session.deadline]).toEqual([['a', '', 'ccc'], [125], 125]);
    const more = Array.from({ length: 61 }, (_, i) => dataFrame(i + 4, 'x'));
    run(stage, far, chunkOf(...more));
    expect(far.take()).toEqual(['ACK 65']);
  });

  test('is acknowledged once, however many they are', () => {
    const stage = new Stage();
    const { far } = stage.dial();
    run(stage, far, chunkOf(...Array.from({ length: 200 }, (_, i) => dataFrame(i + 1, 'x'))));
    expect([far.take(), stage.session.deadline]).toEqual([['ACK 201'], Number.POSITIVE_INFINITY]);
  });

  const first = 11;
  test.each([
    ['is cut in its message', chunkOf(a, c).subarray(0, -1)],
    ['is cut in its head', chunkOf(a, c).subarray(0, 20)],
    ['is cut in its length', chunkOf(a, c).subarray(0, 13)],
    ['is no DATA', chunkOf(a, Buffer.from('11000000000000000002', 'hex'))],
    ['is empty', chunkOf(a, Buffer.alloc(0), Buffer.alloc(10))],
    ['has half a head', chunkOf(a, Buffer.from('1000000000', 'hex'), b)],
    ['has flags', chunkOf(a, Buffer.from('10010000000200', 'hex'))],
    ['is an old one', chunkOf(a, a)],
    ['is not the next one', chunkOf(a, c)],
    ['is too long', chunkOf(a, dataFrame(2, 'x'.repeat(101)))],
  ])('ends before a frame that %s', (_, chunk) => {
    const stage = new Stage();
    const { far } = stage.dial();
    expect([run(stage, far, chunk), stage.far.heard, far.over]).toEqual([first, ['a'], undefined]);
  });

  test('ends where the program is not done with a message', () => {
    const stage = new Stage();
    const { far } = stage.dial();
    stage.far.quick = false;
    expect([run(stage, far, chunkOf(a, b)), stage.session.receiver.handled]).toEqual([first, 1]);
  });

  test.each([
    ['received', false, 21, 3],
    ['manual', true, 11, 1],
  ] as const)("is acknowledged as '%s' says", (acknowledge, quick, at, handled) => {
    const stage = new Stage({ acknowledge });
    const { far } = stage.dial();
    stage.far.quick = quick;
    expect([run(stage, far, chunkOf(a, b)), stage.session.receiver.handled]).toEqual([at, handled]);
  });

  test('is none of another socket, of none, and behind a BYE', () => {
    const stage = new Stage();
    const line = stage.dial();
    expect(run(stage, new Wire(), chunkOf(a))).toBe(0);
    stage.session.receive(line.far, encode('BYE', { last: 0 }), 0);
    expect(run(stage, line.far, chunkOf(a))).toBe(0);
    stage.cut(line);
    expect([run(stage, line.far, chunkOf(a)), stage.far.heard]).toEqual([0, []]);
  });

  test('ends where the program gives the session up in the midst of it', () => {
    const stage = new Stage();
    const { far } = stage.dial();
    stage.far.deliver = () => {
      stage.session.abandon();
      return true;
    };
    expect(run(stage, far, chunkOf(a, b))).toBe(first);
  });

  test('begins and ends where it is told', () => {
    const stage = new Stage();
    const { far } = stage.dial();
    const chunk = chunkOf(Buffer.from('hello'), a, b);
    expect([run(stage, far, chunk, 9, 29), stage.far.heard]).toEqual([20, ['a']]);
  });
});

describe('acknowledgements', () => {
  const rows: [string, string, number, string[]][] = [
    ['63 small ones wait for the timer', 'a', 63, []],
    ['64 small ones do not', 'a', 64, ['ACK 65']],
    ['of 128 in an instant the last ones wait for a moment', 'a', 128, ['ACK 65']],
    ['a quarter of the window does not wait either', 'x'.repeat(64), 16, ['ACK 17']],
  ];
  test.each(rows)('%s', (_, text, count, frames) => {
    const stage = new Stage();
    const line = stage.dial();
    for (let number = 1; number <= count; number += 1) stage.session.receive(line.far, dataFrame(number, text), 0);
    expect(line.far.take()).toEqual(frames);
  });

  test('are a millisecond apart at full speed, by the clock or by the next message', () => {
    const stage = new Stage();
    const line = stage.dial();
    let number = 0;
    const take = (count: number, now: number): string[] => {
      for (const last = number + count; number < last; ) {
        number += 1;
        stage.session.receive(line.far, dataFrame(number, 'a'), now);
      }
      return line.far.take();
    };
    expect([take(64, 100), take(63, 100.1), stage.session.deadline]).toEqual([['ACK 65'], [], 125.1]);
    expect([take(1, 100.2), stage.session.deadline, stage.far.woken]).toEqual([[], 101, [125, 101]]);
    expect([take(1, 101), take(64, 101.5), stage.session.deadline]).toEqual([['ACK 130'], [], 102]);
    stage.session.tick(102);
    expect([line.far.take(), take(64, 102.9), take(64, 103)]).toEqual([['ACK 194'], [], ['ACK 259']]);
  });

  test('do not wait for it where a quarter of the window is owed', () => {
    const stage = new Stage({ window: { bytes: 4096, messages: 400 } });
    const line = stage.dial();
    for (let number = 1; number <= 300; number += 1) stage.session.receive(line.far, dataFrame(number, 'a'), 100);
    expect(line.far.take()).toEqual(['ACK 65', 'ACK 165', 'ACK 265']);
  });

  test.each([
    ['messages', { bytes: 4096, messages: 8 }, 'a', 2, ['ACK 3']],
    ['bytes', { bytes: 200, messages: 1024 }, 'x'.repeat(50), 1, ['ACK 2']],
  ])('do not wait where the other side keeps fewer %s than we take', (_, window, text, count, frames) => {
    const stage = new Stage({ registry: { window, retain: window } });
    const line = stage.dial();
    for (let number = 1; number <= count; number += 1) stage.client.receive(line.near, dataFrame(number, text), 0);
    expect(line.near.take()).toEqual(frames);
  });

  test('come 25 ms after the first that is owed, by one timer', () => {
    const stage = new Stage();
    const line = stage.dial();
    stage.session.receive(line.far, dataFrame(1, 'a'), 100);
    stage.session.receive(line.far, dataFrame(2, 'b'), 110);
    expect([stage.far.woken, stage.session.deadline]).toEqual([[125], 125]);
    stage.session.tick(124);
    expect(line.far.take()).toEqual([]);
    stage.session.tick(125);
    expect([line.far.take(), stage.session.deadline]).toEqual([['ACK 3'], Number.POSITIVE_INFINITY]);
  });

  test('ask for one timer at a time, however often they come before it', () => {
    const stage = new Stage();
    const line = stage.dial();
    const take = (number: number, now: number) => stage.session.receive(line.far, dataFrame(number, 'a'), now);
    for (let number = 1; number <= 64; number += 1) take(number, 100);
    expect([line.far.take(), stage.far.woken]).toEqual([['ACK 65'], [125]]);
    take(65, 110);
    expect([stage.far.woken, stage.session.deadline]).toEqual([[125], 135]);
    stage.session.tick(125);
    expect([line.far.take(), stage.far.woken]).toEqual([[], [125, 135]]);
    stage.session.tick(135);
    take(66, 140);
    expect([line.far.take(), stage.far.woken]).toEqual([['ACK 66'], [125, 135, 165]]);
  });

  test('ask for a timer again on a new socket, since that of the old one is gone', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'a');
    stage.session.receive(line.far, dataFrame(1, 'a'), 100);
    stage.cut(line);
    const again = stage.dial();
    stage.session.receive(again.far, dataFrame(2, 'b'), 110);
    expect(stage.far.woken.at(-1)).toBe(135);
  });

  test.each([
    ['handled', true, 'ACK 2'],
    ['handled', false, 'ACK 1'],
    ['received', false, 'ACK 2'],
    ['manual', true, 'ACK 1'],
  ] as const)("'%s', the program is done at once: %s", (acknowledge, quick, frame) => {
    const stage = new Stage({ acknowledge });
    const line = stage.dial();
    stage.far.quick = quick;
    sendAll(stage, 'a');
    stage.session.receive(line.far, line.near.written.shift()!, 0);
    stage.cut(line);
    const again = stage.dial();
    expect(again.far.take()).toEqual([frame]);
  });

  test('are cumulative: what is done out of order waits for what is before it', () => {
    const stage = new Stage({ acknowledge: 'manual' });
    const line = stage.dial();
    for (const number of [1, 2, 3]) stage.session.receive(line.far, dataFrame(number, 'a'), 0);
    for (const [number, handled] of [
      [2, 1],
      [2, 1],
      [9, 1],
      [1, 3],
      [1, 3],
      [3, 4],
    ] as const) {
      stage.session.settle(number, 0);
      expect([number, stage.session.receiver.handled]).toEqual([number, handled]);
    }
  });

  test('come with heartbeats and their answers too', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'a');
    stage.session.receive(line.far, line.near.written.shift()!, 0);
    line.near.control(stage.client.signOfLife()!);
    stage.session.receive(line.far, line.near.written.shift()!, 0);
    expect(line.far.written.map(wordsOf)).toEqual(['PONG']);
    stage.client.receive(line.near, line.far.written.shift()!, 0);
    expect([stage.near.acknowledgedUpTo, stage.session.deadline]).toEqual([[1], Number.POSITIVE_INFINITY]);
  });
});

describe('a sign of life', () => {
  test('is a PING with what is handled, and nothing is owed then', () => {
    const stage = new Stage();
    const line = stage.dial();
    stage.session.receive(line.far, dataFrame(1, 'a'), 0);
    expect(stage.session.signOfLife()?.toString('hex')).toBe('1200000000010000000000000002');
    expect(stage.session.deadline).toBe(Number.POSITIVE_INFINITY);
    expect(stage.session.signOfLife()?.toString('hex')).toBe('1200000000020000000000000002');
  });

  const PONG = (nonce: string): Buffer => Buffer.from(`1300${nonce}0000000000000001`, 'hex');
  test.each([
    ['nobody asked', 0, ['00000001'], 1],
    ['was asked', 1, ['00000001'], undefined],
    ['was asked, twice', 1, ['00000001', '00000001'], 1],
    ['is not asked yet', 1, ['00000002'], 2],
    ['were asked, in order', 2, ['00000001', '00000002'], undefined],
    ['were asked, the last alone', 2, ['00000002'], undefined],
    ['were asked, out of order', 2, ['00000002', '00000001'], 1],
    ['was never asked', 1, ['ffffffff'], 0xffffffff],
  ])('is answered by a PONG: of what %s', (_, asked, nonces, wrong) => {
    const stage = new Stage();
    const { near } = stage.dial();
    for (let i = 0; i < asked; i += 1) stage.client.signOfLife();
    for (const nonce of nonces) stage.client.receive(near, PONG(nonce), 0);
    const rule = 'session frame PONG: nonce must be that of a PING that was not answered';
    expect(near.over).toBe(wrong === undefined ? undefined : `${rule}, got ${wrong}`);
  });

  test('is not answered on another socket', () => {
    const stage = new Stage();
    const line = stage.dial();
    stage.client.signOfLife();
    stage.cut(line);
    const again = stage.dial();
    stage.client.receive(again.near, PONG('00000001'), 0);
    expect(again.near.over).toContain('nonce must be that of a PING that was not answered');
  });

  test('is counted beyond 2^32', () => {
    const stage = new Stage();
    Object.assign(stage.client, { nonce: 2 ** 32 - 2 });
    const { near } = stage.dial();
    const nonces = [1, 2, 3].map(() => stage.client.signOfLife()!.toString('hex', 2, 6));
    expect(nonces).toEqual(['ffffffff', '00000000', '00000001']);
    for (const nonce of nonces) stage.client.receive(near, PONG(nonce), 0);
    expect(near.over).toBeUndefined();
  });

  test('is none while nobody would understand it', () => {
    const stage = new Stage();
    stage.client.open(new Wire(), [], 0);
    expect(stage.client.signOfLife()).toBeUndefined();
    stage.cut(stage.dial());
    expect(stage.client.signOfLife()).toBeUndefined();
  });
});

test('a session tells what it keeps, and whether more would go out at once', () => {
  const stage = new Stage();
  const { client } = stage;
  const told = () => [client.flowing, client.acknowledgedUpTo, client.retainedMessages, client.retainedBytes];
  expect(told()).toEqual([false, 0, 0, 0]);
  const line = stage.dial();
  expect(told()).toEqual([true, 0, 0, 0]);
  line.near.room = 2;
  sendAll(stage, 'ab');
  expect(told()).toEqual([false, 0, 2, 2]);
  client.receive(line.near, encode('ACK', { next: 2 }), 0);
  client.writable(line.near);
  expect(told()).toEqual([true, 1, 1, 1]);
  stage.cut(line);
  expect(told()).toEqual([false, 1, 1, 1]);
});

describe('the window', () => {
  test('full, send takes nothing, nothing kept is given up for it, and room is told', () => {
    const stage = new Stage({ window: { bytes: 4096, messages: 2 } });
    const line = stage.dial();
    stage.near.told.length = 0;
    expect(sendAll(stage, 'abc')).toEqual([1, 2, 0]);
    expect([stage.client.sender.first, stage.client.sender.messages]).toEqual([1, 2]);
    stage.client.receive(line.near, encode('ACK', { next: 2 }), 0);
    expect(stage.near.told).toEqual(['room']);
    expect(sendAll(stage, 'c')).toEqual([3]);
  });

  test.each([
    ['one that is longer than it passes when nothing else is under way', 20, [1]],
    ['two that are just as long as it pass', 5, [1, 2]],
    ['two that are longer together do not', 6, [1, 0]],
  ])('of bytes: %s', (_, length, numbers) => {
    const stage = new Stage({ window: { bytes: 10, messages: 100 } });
    stage.dial();
    expect(numbers.map(() => stage.client.send(Buffer.alloc(length)))).toEqual(numbers);
  });

  test('a message that is longer than the other side takes is refused, and not kept', () => {
    const stage = new Stage({ maxFrame: 5 });
    stage.dial();
    expect(() => stage.client.send(bytes('abcdef'))).toThrow(
      'a message must have at most 5 bytes, since the other side takes no longer ones, got 6',
    );
    expect(stage.client.sender.next).toBe(1);
  });
});

describe('leaving', () => {
  test('ends both sides when all is handled, both ways', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'ab');
    stage.client.finish();
    expect(stage.client.send(bytes('c'))).toBe(0);
    expect(line.near.take.call({ written: [...line.near.written] })).toEqual(['DATA 1 "a"', 'DATA 2 "b"', 'DRAIN']);
    stage.flow(line);
    stage.session.tick(25);
    stage.session.send(bytes('x'));
    stage.flow(line);
    expect(stage.far.told.slice(-2)).toEqual(['draining', 'leaving']);
    stage.session.finish();
    stage.client.tick(25);
    stage.flow(line);
    expect([stage.near.over, stage.far.over, stage.near.heard]).toEqual([{ how: 'closed' }, { how: 'closed' }, ['x']]);
    expect([line.near.over, line.far.over, stage.registry.size]).toEqual(['ended', 'ended', 0]);
  });

  test('goes on over another socket', () => {
    const stage = new Stage();
    const line = stage.dial();
    sendAll(stage, 'a');
    stage.client.finish();
    stage.cut(line);
    const again = stage.dial();
    expect(again.near.take.call({ written: [...again.near.written] })).toEqual(['ACK 1', 'DRAIN', 'DATA 1 "a"']);
    stage.session.finish();
    stage.flow(again);
    stage.session.tick(25);
    stage.flow(again);
    expect([stage.near.over, stage.far.over]).toEqual([{ how: 'closed' }, { how: 'closed' }]);
  });

  test.each([
    [
      'a BYE that speaks of more than came',
      encode('BYE', { last: 1 }),
      'session frame BYE: last must be 0, what is handled here, got 1',
    ],
    ['a BYE_OK to nothing', encode('BYE_OK', {}), 'session frame BYE_OK: it must answer a BYE, got none was sent'],
    [
      'a frame of the handshake',
      encode('REFUSED', { code: 1, retryable: 0, retryAfterMs: 0, lastHandled: 0, nonce: Buffer.alloc(16) }, false),
      'session frame REFUSED: it must not come into an established session, got REFUSED',
    ],
  ])('%s breaks a rule', (_, frame, message) => {
    const stage = new Stage();
    const line = stage.dial();
    stage.session.receive(line.far, frame, 0);
    expect(line.far.over).toBe(message);
  });
});

// Messages that the caller writes itself, at once: which may be, and that they are kept like the others.
import { describe, expect, test } from 'vitest';
import { encode } from '../../../src/protocol/session/frames.js';
import { bytes, Stage, type StageOptions, Wire } from './stage.js';

/** A client on a line that takes `room` messages, with all of `texts` sent and unanswered. */
function attached(
  texts = '',
  options: StageOptions = {},
  room = Number.POSITIVE_INFINITY,
): { stage: Stage; near: Wire } {
  const stage = new Stage(options);
  const line = stage.dial();
  line.near.room = room;
  for (const text of texts) stage.client.send(bytes(text));
  line.near.take();
  return { stage, near: line.near };
}

describe('a message that is written by its caller', () => {
  test('gets the next number, is kept, and is acknowledged like any other', () => {
    const { stage, near } = attached('ab');
    expect([stage.client.keepWritten(bytes('ccc')), near.take()]).toEqual([3, []]);
    expect([stage.client.retainedMessages, stage.client.retainedBytes]).toEqual([3, 5]);
    expect([stage.client.send(bytes('d')), near.take()]).toEqual([4, ['DATA 4 "d"']]);
    stage.client.receive(near, encode('ACK', { next: 4 }), 0);
    expect([stage.near.acknowledgedUpTo, stage.client.retainedBytes]).toEqual([[3], 1]);
  });

  test('is written again on the next socket', () => {
    const stage = new Stage();
    const line = stage.dial();
    stage.client.keepWritten(bytes('a'));
    stage.cut(line);
    expect(stage.dial().near.take()).toEqual(['ACK 1', 'DATA 1 "a"']);
  });
});

describe('no message may be written by its caller', () => {
  const cases: [string, () => Stage][] = [
    ['before there is a line', () => new Stage()],
    [
      'behind others that are not written',
      () => {
        const { stage, near } = attached('abc', {}, 2);
        near.room = 9;
        stage.client.flowing = true;
        return stage;
      },
    ],
    ['where the socket asks to wait', () => attached('ab', {}, 2).stage],
    [
      'behind the last one',
      () => {
        const { stage } = attached('a');
        stage.client.finish();
        return stage;
      },
    ],
    [
      'before the store has it',
      () => {
        const stage = new Stage({ kept: true });
        const near = new Wire();
        const store = (session: { stored: Stage['client']['stored']; marks: Stage['client']['marks'] }): void =>
          session.stored(session.marks(), 0);
        stage.client.open(near, [], 0);
        store(stage.client);
        const far = new Wire();
        stage.knock(far, near.written.shift()!);
        store(stage.session);
        stage.client.receive(near, far.written.shift()!, 0);
        return stage;
      },
    ],
  ];
  test.each(cases)('%s', (_, make) => {
    const { client } = make();
    const { retainedMessages } = client;
    expect([client.keepWritten(bytes('x')), client.retainedMessages]).toEqual([0, retainedMessages]);
  });

  test('where all sessions together keep as much as they may', () => {
    const stage = new Stage({ registry: { retainedBytes: 3 } });
    stage.dial();
    const numbers = ['ab', 'c', 'd'].map((text) => stage.session.keepWritten(bytes(text)));
    expect([...numbers, stage.session.retainedBytes]).toEqual([1, 2, 0, 3]);
  });
});

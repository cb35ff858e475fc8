// Numbers have 64 bits, and DATA carries the lower half of them: what happens where that begins anew.
import { describe, expect, test } from 'vitest';
import { decode } from '../../../src/protocol/session/frames.js';
import type { Session } from '../../../src/protocol/session/session.js';
import { bytes, Stage, type Wire, wordsOf } from './stage.js';

/** A stage whose client is about to send message 2^32 - 2, as if all before it had been handled. */
function aged(): { stage: Stage; line: { near: Wire; far: Wire } } {
  const stage = new Stage();
  const line = stage.dial();
  const age = (from: Session, to: Session): void => {
    const number = 2 ** 32 - 2;
    Object.assign(from.sender, { first: number, cursor: number, sentNext: number, next: number });
    Object.assign(to.receiver, { handled: number, next: number });
  };
  age(stage.client, stage.session);
  return { stage, line };
}
const hexOf = (frames: readonly Buffer[]): string[] => frames.map((frame) => frame.toString('hex'));
const data = (seq: string): Buffer => Buffer.from(`1000${seq}61`, 'hex');

describe('behind 2^32', () => {
  test('seq begins anew, the number does not', () => {
    const { stage, line } = aged();
    expect([...'abcd'].map((letter) => stage.client.send(bytes(letter)))).toEqual(
      [-2, -1, 0, 1].map((more) => 2 ** 32 + more),
    );
    expect(hexOf(line.near.written)).toEqual(['1000fffffffe61', '1000ffffffff62', '10000000000063', '10000000000164']);
    stage.flow(line);
    stage.session.tick(25);
    expect(hexOf(line.far.written)).toEqual(['11000000000100000002']);
    stage.flow(line);
    expect([stage.far.heard, stage.client.acknowledgedUpTo]).toEqual([['a', 'b', 'c', 'd'], 2 ** 32 + 1]);
    expect(stage.client.retainedMessages).toBe(0);
  });

  test('a session resumes in the midst of it', () => {
    const { stage, line } = aged();
    for (const letter of 'abcd') stage.client.send(bytes(letter));
    for (const frame of line.near.written.splice(0, 3)) stage.session.receive(line.far, frame, 0);
    stage.cut(line);
    const again = stage.dial();
    expect(again.near.take()).toEqual(['ACK 1', 'DATA 1 "d"']);
    expect(again.far.written.map(wordsOf)).toEqual([`ACK ${2 ** 32 + 1}`]);
    stage.flow(again);
    expect([stage.near.how?.replayed, stage.client.retainedMessages]).toEqual([1, 1]);
  });

  test('RESUME says how far it came, in 64 bits', () => {
    const { stage, line } = aged();
    for (const letter of 'abcd') stage.client.send(bytes(letter));
    stage.cut(line);
    const { near } = line;
    near.take();
    stage.client.open(near, [], 0);
    expect(near.written[0]!.toString('hex', 35, 51)).toBe('00000000fffffffe0000000100000002');
    expect(decode(near.written[0]!)).toMatchObject({ txFirst: 2 ** 32 - 2, txNext: 2 ** 32 + 2 });
  });

  test.each([
    ['an old one from before it is dropped', 'ffffffff', 1, undefined],
    ['the oldest that could be is dropped', '80000001', 1, undefined],
    [
      'a later one is missing those before it',
      '00000003',
      0,
      'seq must be 1, since the message before it is missing, got 3',
    ],
    ['one from before it is missing nothing', '00000001', 0, undefined],
  ])('%s', (_, seq, duplicates, rule) => {
    const { stage, line } = aged();
    for (const each of ['fffffffe', 'ffffffff', '00000000', seq]) stage.session.receive(line.far, data(each), 0);
    expect(stage.session.receiver.duplicates).toBe(duplicates);
    expect(line.far.over).toBe(rule && `session frame DATA: ${rule}`);
  });

  test('messages are settled in any order', () => {
    const { stage, line } = aged();
    stage.far.quick = false;
    for (const seq of ['fffffffe', 'ffffffff', '00000000', '00000001']) stage.session.receive(line.far, data(seq), 0);
    for (const [more, handled] of [
      [1, -2],
      [-1, -2],
      [-2, 0],
      [0, 2],
    ] as const) {
      stage.session.settle(2 ** 32 + more, 0);
      expect(stage.session.receiver.handled).toBe(2 ** 32 + handled);
    }
  });
});

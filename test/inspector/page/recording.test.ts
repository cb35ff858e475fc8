import { describe, expect, test } from 'vitest';
import { exported, Recording } from '../../../src/inspector/page/recording.js';
import { connection, detail, historyOf, step } from './scenes.js';

const picture = (at: number, place = 'connected.live') => {
  const [state, substate] = place.split('.');
  return { kind: 'picture', at, detail: detail(at, connection(at, { state: state as string, substate })) } as const;
};
const went = (at: number, from: string, to: string) => ({ kind: 'step', at, step: step(at, from, to, 'e') }) as const;

/** live, then stale at 20, then waiting at 40; pictures between. */
function life(limit?: number): Recording {
  const one = new Recording('c1', limit);
  one.add(picture(0));
  one.add(picture(10));
  one.add(went(20, 'connected.live', 'stale'));
  one.add(picture(20, 'stale'));
  one.add(picture(30, 'stale'));
  one.add(went(40, 'stale', 'disconnected.deciding'));
  one.add(went(40, 'disconnected.deciding', 'disconnected.waiting'));
  one.add(picture(40, 'disconnected.waiting'));
  return one;
}

describe('a recording', () => {
  test('is live until it is paused', () => {
    const one = life();
    expect(one.moment()).toMatchObject({ at: 40, place: 'disconnected.waiting', step: undefined });
    one.pause();
    one.add(picture(99, 'connecting.dialing'));
    expect(one.moment()?.at).toBe(40);
    one.live();
    expect(one.moment()).toMatchObject({ at: 99, place: 'connecting.dialing' });
  });

  test('goes back from step to step, and forth again', () => {
    const one = life();
    const places = [];
    for (const direction of [-1, -1, -1, -1, 1, 1, 1] as const) {
      one.move(direction, true);
      places.push(one.moment()?.place);
    }
    const there = ['disconnected.waiting', 'disconnected.deciding', 'stale', 'stale'];
    expect(places).toEqual([...there, 'disconnected.deciding', 'disconnected.waiting', 'disconnected.waiting']);
  });

  test('goes from picture to picture', () => {
    const one = life();
    one.go(1);
    one.move(1, false);
    expect(one.moment()).toMatchObject({ at: 20, place: 'stale', step: { to: 'stale' } });
    one.move(-1, false);
    one.move(-1, false);
    one.move(-1, false);
    expect(one.held).toBe(0);
  });

  test('shows with a step the picture that belongs to it', () => {
    const one = life();
    one.go(2);
    expect(one.moment()?.picture?.snapshot.state).toBe('stale');
    // Of a state that is passed at once there is none: the one before is shown.
    one.go(5);
    expect(one.moment()).toMatchObject({ place: 'disconnected.deciding', picture: { snapshot: { state: 'stale' } } });
  });

  test('a mark changes nothing of what is lit', () => {
    const one = life();
    one.add({ kind: 'mark', at: 50, text: 'the feed was lost' });
    expect(one.moment()).toMatchObject({ at: 50, place: 'disconnected.waiting' });
  });

  test('is bounded; positions stay, and what is looked at moves with the edge', () => {
    const one = life(8);
    one.go(1);
    one.add(picture(50));
    one.add(picture(60));
    expect([one.first, one.end, one.all.length]).toEqual([2, 10, 8]);
    expect(one.held).toBe(2);
    expect(one.at(1)).toBeUndefined();
    one.go(-5);
    expect(one.held).toBe(2);
    one.go(500);
    expect(one.held).toBe(9);
  });

  test.each([
    [-1, 0],
    [10, 1],
    [19, 1],
    [20, 3],
    [1000, 7],
  ])('time %d is at position %d', (time, position) => {
    expect(life().positionAt(time)).toBe(position);
  });

  test('tells the steps up to what is looked at, newest first', () => {
    const one = life();
    expect(one.steps(2).map(({ to }) => to)).toEqual(['disconnected.waiting', 'disconnected.deciding']);
    one.go(4);
    expect(one.steps(9).map(({ to }) => to)).toEqual(['stale']);
  });

  test('keeps each transition once, and shares an unchanged history', () => {
    const one = new Recording('c1');
    const past = (count: number) =>
      historyOf(
        0,
        [
          '0 disconnected.idle 0 start',
          '5 connecting.dialing 1 connect',
          '5 connecting.greeting 1 socket.opened',
        ].slice(0, count),
      );
    for (const [at, count] of [
      [1, 1],
      [5, 2],
      [6, 3],
      [7, 3],
    ] as const) {
      one.add({ kind: 'picture', at, detail: detail(at, connection(at), past(count)) });
    }
    expect(one.passed.map(({ to }) => to)).toEqual(['disconnected.idle', 'connecting.dialing', 'connecting.greeting']);
    expect(one.pictureAt(3)?.history).toBe(one.pictureAt(2)?.history);
    expect(one.pictureAt(2)?.history).not.toBe(one.pictureAt(1)?.history);
  });

  test('is empty without complaint', () => {
    const one = new Recording('c1');
    one.pause();
    one.move(-1, true);
    one.go(3);
    expect([one.held, one.moment(), one.positionAt(5)]).toEqual([undefined, undefined, 0]);
  });

  test('is exported as plain values, its history once', () => {
    const one = life();
    const file = JSON.parse(JSON.stringify(exported(one, { title: 't', pid: 1, version: '0' })));
    expect(file).toMatchObject({ format: 'ninja-tcp inspector recording', version: 1, id: 'c1', process: { pid: 1 } });
    expect(file.entries).toHaveLength(8);
    expect(file.entries[0].detail.history).toBeUndefined();
    expect(file.entries[2].step.to).toBe('stale');
  });
});

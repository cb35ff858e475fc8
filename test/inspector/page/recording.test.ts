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

  describe('of one with a session', () => {
    const both = (at: number, place: string, session: string) => {
      const { kind, detail: own } = picture(at, place);
      const sessionHistory = historyOf(0, ['0 attached 1 session.attached', `${at} ${session} 1 e`]);
      return { kind, at, detail: { ...own, sessionHistory } } as const;
    };
    const turned = (at: number, from: string, to: string) =>
      ({ kind: 'step', at, step: { ...step(at, from, to, 'e'), chart: 'session' } }) as const;

    /** Both lose their line at 20; the line is back at 40, its session at 50. */
    function twofold(): Recording {
      const one = new Recording('c1');
      one.add(both(10, 'connected.live', 'attached'));
      one.add(turned(20, 'attached', 'detached'));
      one.add(went(20, 'connected.live', 'disconnected.waiting'));
      one.add(both(20, 'disconnected.waiting', 'detached'));
      one.add(went(40, 'disconnected.waiting', 'connected.unproven'));
      one.add(both(40, 'connected.unproven', 'detached'));
      one.add(turned(50, 'detached', 'attached'));
      one.add(both(50, 'connected.unproven', 'attached'));
      return one;
    }

    test.each([
      [
        'own',
        ['connected.unproven', 'disconnected.waiting', 'disconnected.waiting'],
        ['connected.unproven', 'disconnected.waiting'],
      ],
      ['session', ['attached', 'detached', 'detached'], ['attached', 'detached']],
    ] as const)('goes along the steps of the statechart that is looked at: %s', (life, places, steps) => {
      const one = twofold();
      one.life = life;
      expect(one.moment()?.place).toBe(places[0]);
      expect(one.steps(9).map(({ to }) => to)).toEqual(steps);
      const there = [-1, -1, -1].map((direction) => {
        one.move(direction as -1, true);
        return one.moment()?.place;
      });
      expect(there).toEqual(places);
    });

    test('knows at each position where both stand, with the picture that fits', () => {
      const one = twofold();
      const at = (position: number) => {
        one.go(position);
        const [own, session] = [one.moment('own'), one.moment('session')];
        return [own?.place, session?.place, own?.picture?.now, session?.picture?.now, own?.step?.to, session?.step?.to];
      };
      expect(at(1)).toEqual(['connected.live', 'detached', 10, 20, undefined, 'detached']);
      expect(at(2)).toEqual(['disconnected.waiting', 'detached', 20, 20, 'disconnected.waiting', undefined]);
      expect(at(4)).toEqual(['connected.unproven', 'detached', 40, 20, 'connected.unproven', undefined]);
      expect(at(6)).toEqual(['connected.unproven', 'attached', 40, 50, undefined, 'attached']);
    });

    test('keeps its transitions once, and exports them', () => {
      const one = twofold();
      expect(one.sessionPassed.map(({ at, to }) => `${at} ${to}`)).toEqual([
        '0 attached',
        '10 attached',
        '20 detached',
        '40 detached',
        '50 attached',
      ]);
      const file = JSON.parse(JSON.stringify(exported(one, undefined)));
      expect(file.sessionHistory).toHaveLength(5);
      expect([file.entries[0].detail.sessionHistory, file.entries[1].step.chart]).toEqual([undefined, 'session']);
    });
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

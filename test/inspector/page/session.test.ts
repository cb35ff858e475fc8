import { describe, expect, test } from 'vitest';
import { Session } from '../../../src/inspector/page/session.js';
import type { Hello, Row } from '../../../src/inspector/page/wire.js';
import { charts } from './charts.js';
import { connection, detail, row, step } from './scenes.js';

const hello = (pid: number, now = 0): Hello => ({
  type: 'hello',
  feed: `f${pid}`,
  version: '0',
  pid,
  title: 't',
  now,
  allowControl: false,
  charts,
});
const rows = (...all: Row[]) => ({ type: 'rows', now: 0, all: true, rows: all, gone: [] }) as const;

/** A page that has chosen c1, of process 1. */
function begun(): Session {
  const session = new Session();
  session.apply(hello(1), 0);
  session.apply(rows(row('c1', { name: 'till' }), row('c2')), 0);
  session.choose('c1');
  session.apply(detail(10, connection(10)), 10);
  return session;
}

describe('what the page knows', () => {
  test('the process’s clock, not its own, counts', () => {
    const session = new Session();
    session.apply(hello(1, 5_000), 2_000);
    expect(session.now(2_100)).toBe(5_100);
  });

  test('only the chosen one is recorded', () => {
    const session = begun();
    expect(session.apply(detail(20, connection(20), [], 'c2'), 20)).toEqual({});
    expect(session.apply({ ...step(20, 'a', 'b', 'e'), id: 'c2' }, 20)).toEqual({});
    expect(session.apply(step(20, 'connected.live', 'stale', 'after silence'), 20)).toEqual({ step: true });
    expect(session.recording?.all.map(({ kind }) => kind)).toEqual(['picture', 'step']);
  });

  test('choosing another one begins another recording; choosing the same does not', () => {
    const session = begun();
    const before = session.recording;
    session.choose('c1');
    expect(session.recording).toBe(before);
    session.choose('c2');
    expect(session.recording?.all).toEqual([]);
  });

  test('one that is gone can still be looked at', () => {
    const session = begun();
    expect(session.apply({ type: 'gone', id: 'c1' }, 30).notice).toMatch(/is no more/);
    expect(session.over).toBe(true);
    expect(session.recording?.moment()?.picture?.snapshot.state).toBe('connected');
  });

  test('a feed that was lost and is back is told, and marked in the recording', () => {
    const session = begun();
    session.lost(50);
    session.lost(60);
    expect(session.link).toBe('lost');
    expect(session.apply(hello(1, 70), 70).notice).toBe('The feed is back.');
    const marks = session.recording?.all.flatMap((entry) => (entry.kind === 'mark' ? entry.text : []));
    expect(marks).toEqual(['the feed was lost', 'the feed is back']);
    expect(session.chosen).toBe('c1');
  });

  test('in a process that was started anew the chosen one is found by its name', () => {
    const session = begun();
    session.lost(50);
    expect(session.apply(hello(2, 70), 70).notice).toMatch(/started anew/);
    expect(session.over).toBe(true);
    expect(session.apply(rows(row('c7', { name: 'till' })), 70).notice).toMatch(/Found till again/);
    expect(session.chosen).toBe('c7');
    expect(session.over).toBe(false);
    expect(session.recording?.all[0]).toMatchObject({ kind: 'picture', at: 10 });
  });

  test('a position that is looked at is kept over such a start', () => {
    const session = begun();
    session.recording?.pause();
    session.lost(50);
    session.apply(hello(2, 70), 70);
    session.apply(rows(row('c7', { name: 'till' })), 70);
    expect(session.recording?.moment()?.at).toBe(10);
  });

  test('a name that is not there leaves the old recording', () => {
    const session = begun();
    session.lost(50);
    session.apply(hello(2, 70), 70);
    expect(session.apply(rows(row('c7', { name: 'other' })), 70)).toEqual({ rows: true });
    expect([session.chosen, session.over]).toEqual(['c1', true]);
  });
});

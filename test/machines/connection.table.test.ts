import { describe, expect, it } from 'vitest';
import { connectionMachine } from '../../machines/connection.machine.js';
import { checkClaims, events, reach, situations } from './connection.grammar.js';
import { connectionRows } from './connection.rows.js';
import { nameOf, transitionsOf } from './plan.js';
import { causeIn, known, parse } from './sentence.js';

describe('the transition table of a connection', () => {
  const taken = new Set<string>();
  let ran = 0;

  it.each(connectionRows.map((row) => [row.text, row] as const))('%s', async (_, row) => {
    const bench = await reach(row.from);
    await known(events, row.event)(bench);
    expect(bench.state).toBe(row.to);
    checkClaims(row, bench);

    // The gate opens on the way into connected, once, before that is announced; nowhere else.
    const enters = row.to.startsWith('connected') && !row.fromState.startsWith('connected');
    expect(bench.log.filter((line) => line === 'openGate')).toHaveLength(enters ? 1 : 0);
    if (enters) expect(bench.log.indexOf('openGate')).toBeLessThan(bench.log.indexOf('announce connected'));
    // The history tells of the state and of the cause.
    const entries = bench.log.filter((line) => line.startsWith('entered'));
    if (row.to === row.fromState) expect(entries).toEqual([]);
    else expect(entries.at(-1)).toBe(`entered ${row.to} by ${causeIn(row.event)}`);
    expect(bench.actor.getSnapshot().status).toBe(row.to === 'disposed' ? 'done' : 'active');

    for (const transition of bench.taken) taken.add(nameOf(transition));
    ran += 1;
  });

  it('has no row twice, and uses every situation and every event of its grammar', () => {
    const cells = connectionRows.map((row) => `${row.from}, ${row.event}`);
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(connectionRows.map((row) => row.event))).toEqual(new Set(Object.keys(events)));
    expect(new Set(connectionRows.map((row) => row.from))).toEqual(new Set(Object.keys(situations)));
  });

  it('does not know what is not in its grammar: a slip of the pen cannot pass', async () => {
    const bench = await reach('disconnected.idle');
    const sentence = parse('disconnected.idle, conect → connecting.dialing, epoc 1');
    expect(() => parse('disconnected.idle → connecting.dialing')).toThrow('not a sentence');
    expect(() => known(events, sentence.event)).toThrow("does not know 'conect'");
    expect(() => checkClaims(sentence, bench)).toThrow("does not know the claim 'epoc 1'");
    await expect(reach('disconnected.ideal')).rejects.toThrow("does not know 'disconnected.ideal'");
  });

  it('takes every transition of the plan', () => {
    expect(ran).toBe(connectionRows.length);
    const all = transitionsOf(connectionMachine).map(nameOf);
    expect(all.filter((one) => !taken.has(one))).toEqual([]);
    expect(taken.size).toBe(all.length);
    expect(taken.size).toBe(50);
  });
});

import { describe, expect, test } from 'vitest';
import { plain } from '../../src/inspector/plain.js';
import { echo, firstPeer, stage } from '../connection/stage.js';
import { dialRaw } from '../server/stage.js';
import { startStage } from './stage.js';

async function three() {
  const at = stage();
  const server = await at.serve(echo, { name: 'the server' });
  const connection = at.dial({ name: 'the connection' });
  await dialRaw(at);
  await at.clock.runUntil(connection.connected({ proven: true }));
  return { at, server, connection, peer: firstPeer(server) };
}

describe('POST /control', () => {
  const orders: [kind: 'connection' | 'peer' | 'server', order: string, status: number, then: string][] = [
    ['connection', 'disconnect', 200, 'disconnected'],
    ['connection', 'reconnectNow', 200, 'connecting'],
    ['connection', 'connect', 200, 'connected'],
    ['connection', 'close', 200, 'connected'],
    ['connection', 'dispose', 200, 'disposed'],
    ['peer', 'close', 200, 'connected'],
    ['peer', 'dispose', 200, 'disposed'],
    ['peer', 'connect', 409, 'connected'],
    ['peer', 'disconnect', 409, 'connected'],
    ['peer', 'reconnectNow', 409, 'connected'],
    ['server', 'close', 200, 'draining'],
    ['server', 'dispose', 200, 'disposed'],
    ['server', 'connect', 409, 'listening'],
    ['server', 'disconnect', 409, 'listening'],
    ['server', 'reconnectNow', 409, 'listening'],
    ['connection', 'explain', 400, 'connected'],
    ['connection', 'toString', 400, 'connected'],
  ];

  test.each(orders)('tells a %s to %s: %i, and it is %s', async (kind, order, status, then) => {
    const all = await three();
    const { page, post } = await startStage({ allowControl: true });
    const seen = await page();
    const answer = await post('/control', { id: await seen.idOf(all[kind].name), order });
    expect(answer.status).toBe(status);
    if (status === 200) expect(JSON.parse(answer.text)).toEqual({ ok: true });
    else expect(answer.text).toMatch(status === 409 ? /^A (peer|server) knows no \w+\.\n$/ : /^order must be one of /);
    expect(all[kind].state).toBe(then);
    await all.connection.dispose();
    await all.server.dispose();
  });

  test('without the option does nothing, whatever is asked', async () => {
    const { connection, server } = await three();
    const { page, post } = await startStage();
    const seen = await page();
    expect((await seen.until('hello')).allowControl).toBe(false);
    const id = await seen.idOf('the connection');
    for (const asked of [{ id, order: 'dispose' }, { id: 'nobody', order: 'dispose' }, {}]) {
      expect(await post('/control', asked)).toMatchObject({
        status: 403,
        text: 'Orders are not allowed: the option allowControl is off.\n',
      });
    }
    expect(connection.state).toBe('connected');
    await connection.dispose();
    await server.dispose();
  });

  test('wants somebody who lives, by an id', async () => {
    const { connection, server } = await three();
    const { page, post } = await startStage({ allowControl: true });
    const seen = await page();
    const id = await seen.idOf('the connection');
    await connection.dispose();
    expect(await post('/control', { id, order: 'connect' })).toMatchObject({
      status: 404,
      text: `${id} is no more.\n`,
    });
    expect(await post('/control', { id: 7, order: 'connect' })).toMatchObject({ status: 400 });
    expect(await post('/control', { id })).toMatchObject({ status: 400 });
    await server.dispose();
  });
});

test.each([
  ['numbers and words', { epoch: 2, code: 'x', yes: true, none: null }, { epoch: 2, code: 'x', yes: true, none: null }],
  ['a buffer', { chunk: Buffer.from('secret') }, { chunk: '‹6 bytes›' }],
  ['memory of other kinds', [new Float64Array(2), new ArrayBuffer(3)], ['‹16 bytes›', '‹3 bytes›']],
  ['an error', new TypeError('oops'), { name: 'TypeError', message: 'oops' }],
  ['an error with a code', Object.assign(new Error('no'), { code: 'E' }), { name: 'Error', code: 'E', message: 'no' }],
  ['handles', { map: new Map([['a', 1]]), call: () => 1, big: 5n }, { map: '‹Map›', call: '‹function›', big: '5n' }],
  ['an object without a class', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ['a long text', 'x'.repeat(501), `${'x'.repeat(500)}…`],
  ['a long list', Array(60).fill(0), Array(50).fill(0)],
  ['what lies deep', { a: { b: { c: { d: { e: 1 } } } } }, { a: { b: { c: { d: '‹…›' } } } }],
])('an event with %s is told as plain values', (_, value, told) => {
  expect(plain(value)).toEqual(told);
});

test('an event that contains itself is told to some depth', () => {
  const ring: { self?: unknown } = {};
  ring.self = ring;
  expect(JSON.stringify(plain(ring))).toBe('{"self":{"self":{"self":{"self":"‹…›"}}}}');
});

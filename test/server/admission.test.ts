import { describe, expect, test } from 'vitest';
import { NinjaTcpError } from '../../src/index.js';
import { dialRaw, handshaking } from './stage.js';

describe('a TLS handshake', () => {
  test('makes a peer when it is over, and not before', async () => {
    const { at, server, underway, heard } = await handshaking();
    const client = await dialRaw(at);
    expect([heard, underway.length]).toEqual([[], 1]);
    underway[0]?.done(underway[0].transport);
    client.say('x');
    await at.clock.advance(5);
    expect([heard, client.messages]).toEqual([['peer 1'], ['x']]);
    await server.dispose();
  });

  test.each([
    [9_999, []],
    [10_000, ['refused 10.0.0.2 HANDSHAKE_TIMEOUT']],
    [10_001, ['refused 10.0.0.2 HANDSHAKE_TIMEOUT']],
  ])('%s ms after the accept with the default handshakeTimeout: %o', async (ms, expected) => {
    const { at, server, underway, heard } = await handshaking();
    const opened = at.network.environment('client').dial({ host: 'server', port: 65432, noDelay: true });
    opened.attach({ opened() {}, chunk() {}, ended() {}, failed() {}, closed() {} });
    await at.clock.runUntil(() => underway.length > 0);
    await at.clock.advance(ms);
    expect(heard).toEqual(expected);
    await server.dispose();
  });

  test('that is over too late makes no peer, and leaves nothing behind', async () => {
    const { at, server, underway, heard } = await handshaking({ handshakeTimeout: 100 });
    const client = await dialRaw(at);
    await at.clock.advance(200);
    underway[0]?.done(underway[0].transport);
    await at.clock.advance(5);
    expect([heard, server.peers.size, client.heard.at(-1)]).toEqual([
      ['refused 10.0.0.2 HANDSHAKE_TIMEOUT'],
      0,
      'closed',
    ]);
    await server.dispose();
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test.each([
    // By a FIN, so that a last alert of TLS is not lost to a RST.
    [new NinjaTcpError('NINJA_CERTIFICATE', 'expired'), 'refused 10.0.0.2 CERTIFICATE', 'ended'],
    [new NinjaTcpError('NINJA_TLS_FAILED', 'no version'), 'refused 10.0.0.2 TLS_FAILED', 'ended'],
    [new NinjaTcpError('NINJA_NOT_TLS', 'HTTP'), 'refused 10.0.0.2 NOT_TLS', 'ended'],
    [new Error('cut off'), 'refused 10.0.0.2 CONNECT_FAILED', 'closed'],
  ])('that fails with %s is told', async (error, told, seen) => {
    const { at, server, underway, heard } = await handshaking();
    const client = await dialRaw(at);
    underway[0]?.done(undefined, error);
    await at.clock.advance(5);
    expect([heard, client.heard.at(-1)]).toEqual([[told], seen]);
    client.end();
    await server.dispose();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test('counts against maxConnections: one below, at it, one above; one that fails makes room', async () => {
    const { at, server, underway, heard } = await handshaking({ maxConnections: 2 });
    await dialRaw(at);
    await dialRaw(at);
    await dialRaw(at, 'third');
    expect([heard, underway.length]).toEqual([['refused 10.0.0.3 SERVER_FULL'], 2]);
    underway[0]?.done(undefined, new Error('cut off'));
    await dialRaw(at, 'third');
    expect(underway.length).toBe(3);
    underway[1]?.done(underway[1].transport);
    underway[2]?.done(underway[2].transport);
    await dialRaw(at, 'third');
    expect(heard.slice(1)).toEqual([
      'refused 10.0.0.2 CONNECT_FAILED',
      'peer 1',
      'peer 2',
      'refused 10.0.0.3 SERVER_FULL',
    ]);
    await server.dispose();
  });

  test.each(['close', 'dispose'] as const)('is dropped by %s() without a word', async (how) => {
    const { at, server, heard } = await handshaking();
    const client = await dialRaw(at);
    await at.clock.runUntil(server[how]());
    client.end();
    await at.clock.advance(5);
    expect([heard, client.heard.includes('ended'), at.clock.pending]).toEqual([['closed DISPOSED'], true, 0]);
  });
});

import { expect, test } from 'vitest';
import type { Peer } from '../../src/index.js';
import { stage } from '../connection/stage.js';

test('a peer tells of each socket of its session by its number', async () => {
  const at = stage({ latencyMs: 10 });
  const heard: string[] = [];
  const server = await at.serve(
    (peer: Peer) =>
      void peer
        .on('live', ({ epoch, afterMs }) => heard.push(`live ${epoch}, ${Math.round(afterMs)} ms after it came`))
        .on('stale', ({ epoch, silentForMs }) => heard.push(`stale ${epoch} after ${silentForMs} ms`))
        .on('detached', ({ reason }) => heard.push(`detached ${reason.epoch} ${reason.code}`))
        .on('message', () => {}),
    { session: 'require' },
  );
  const connection = at.dial({ session: true });
  await at.clock.runUntil(connection.connected());
  await at.clock.advance(500);
  at.network.resetAll();
  await at.clock.advance(500);
  at.network.cut();
  await at.clock.advance(4000);
  expect(heard).toEqual([
    'live 1, 20 ms after it came',
    'detached 1 NINJA_RESET',
    'live 2, 20 ms after it came',
    'stale 2 after 3000 ms',
    'detached 2 NINJA_STALE',
  ]);
  await connection.dispose();
  await server.dispose();
});

test.each(['before', 'while'])(
  'a peer whose line is lost %s its server drains does not keep it open: nobody can come back',
  async (when) => {
    const at = stage();
    const server = await at.serve(undefined, { session: 'require' });
    const connection = at.dial({ session: true });
    await at.clock.runUntil(connection.connected());
    const [peer] = server.peers;
    peer?.send('never handled');
    const lose = () => at.network.host('client').crash();
    if (when === 'before') lose();
    await at.clock.advance(100);
    expect(peer?.state).toBe(when === 'before' ? 'detached' : 'connected');
    const from = at.clock.now();
    const closed = server.close();
    await at.clock.advance(100);
    if (when === 'while') {
      expect(peer?.substate).toBe('draining');
      lose();
    }
    await at.clock.runUntil(closed);
    expect(at.clock.now() - from).toBeLessThan(1000);
    expect([peer?.state, peer?.reason?.code, peer?.reason?.message]).toEqual([
      'disposed',
      'NINJA_DISPOSED',
      'the server is closing, and its client was away',
    ]);
    expect(() => peer?.send('too late')).toThrow(
      when === 'before' ? 'the server is closing, and its client was away' : 'the program called close()',
    );
  },
);

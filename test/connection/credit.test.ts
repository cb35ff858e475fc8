import { fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { codeOf, journal, type Stage, stage } from './stage.js';

const LIMITS = { maxFrameLength: 300, highWaterMark: 1000, outboxMessages: 40, outboxBytes: 1300 };

/** A live line over which nothing is taken until told. */
async function live(at: Stage, options: object = {}) {
  const server = at.raw();
  const connection = at.dial({ heartbeatInterval: 0, staleAfter: 0, ...LIMITS, ...options });
  await at.clock.runUntil(() => server.peers.length > 0);
  server.last.hex('00 00 00 00');
  await at.clock.runUntil(connection.connected({ proven: true }));
  return { server, connection };
}

describe('messages that are sent without a look at the limits', () => {
  test('get the same answers as if each were looked at', async () => {
    const life = fc.array(
      fc.oneof(
        fc.record({ send: fc.integer({ min: 1, max: 300 }) }),
        { arbitrary: fc.record({ send: fc.integer({ min: 1, max: 9 }) }), weight: 5 },
        fc.record({ send: fc.constantFrom(301, 0) }),
        fc.record({ pass: fc.constantFrom(0, 1, 50) }),
        fc.record({ stall: fc.boolean() }),
      ),
      { maxLength: 120, size: 'max' },
    );
    await fc.assert(
      fc.asyncProperty(life, async (steps) => {
        const at = stage();
        const { connection } = await live(at);
        let accepted = 0;
        for (const step of steps) {
          if ('pass' in step) await at.clock.advance(step.pass);
          if ('stall' in step) at.server.stall(step.stall);
          if (!('send' in step)) continue;
          const { pending } = connection.stats();
          const valid = step.send > 0 && step.send <= 300;
          const room = pending.bytes + step.send <= 1300 && pending.messages < 40;
          if (!valid || !room) {
            expect(await codeOf(() => connection.send(Buffer.alloc(step.send)))).toBe(
              valid ? 'OUTBOX_FULL' : 'INVALID_MESSAGE',
            );
            continue;
          }
          const more = connection.send(Buffer.alloc(step.send));
          accepted += 1;
          const after = connection.stats().pending;
          expect(more).toBe(after.bytes < 1000 && 2 * after.messages < 40);
          expect([connection.accepted, connection.stats().sent.messages + connection.stats().outbox.messages]).toEqual([
            accepted,
            accepted,
          ]);
        }
        await connection.dispose();
      }),
      { numRuns: 60 },
    );
  });

  const ends: [string, (at: Stage, both: Awaited<ReturnType<typeof live>>) => unknown, string][] = [
    ['close()', (_, { connection }) => void connection.close(), 'DISPOSED'],
    ['dispose()', (_, { connection }) => void connection.dispose(), 'DISPOSED'],
    ['disconnect()', (_, { connection }) => connection.disconnect(), 'held'],
    ['the loss of the line', (_, { server }) => server.last.transport.reset(), 'held'],
    ['garbage from the other side', (_, { server }) => server.last.hex('ff ff ff ff'), 'held'],
  ];
  test.each(ends)('are not sent so after %s', async (_, end, becomes) => {
    const at = stage();
    const both = await live(at);
    const { connection } = both;
    connection.send('looked at');
    connection.send(Buffer.from('not looked at'));
    end(at, both);
    await at.clock.advance(5);
    const code = await codeOf(() => connection.send(Buffer.from('late')));
    expect(code === 'nothing' && connection.stats().outbox.messages === 1 ? 'held' : code).toBe(becomes);
    await connection.dispose();
  });

  test('are held, not written, from inside the failure of the line', async () => {
    const at = stage();
    const { server, connection } = await live(at);
    const heard = journal(connection);
    connection.send(Buffer.from('one'));
    connection.on('disconnected', () => connection.send(Buffer.from('two')));
    await at.clock.advance(5);
    server.last.hex('ff ff ff ff');
    await at.clock.advance(5);
    expect([heard, connection.stats().outbox.messages]).toEqual([['disconnected 1 FRAME_TOO_LARGE unknown 1-1'], 1]);
    await connection.dispose();
  });
});

import { describe, expect, test } from 'vitest';
import { socketBench } from './bench.js';

describe('frameTimeout', () => {
  const begin = async (options = {}) => {
    const bench = socketBench({ frameTimeout: 5000, ...options });
    bench.socket.opened();
    await bench.clock.settle();
    bench.frames();
    bench.hear('00 00 00 09 61');
    return bench;
  };
  const failed = '7 socket.failed NINJA_FRAME_TIMEOUT';

  test.each([1000, 0])('is exact, from the first byte, with heartbeatInterval %d', async (heartbeatInterval) => {
    const { clock, hear, facts, told, transport } = await begin({ heartbeatInterval, staleAfter: 0 });
    await clock.advance(3000);
    hear('62');
    await clock.advance(1999);
    expect(facts).toEqual(['7 socket.opened', '7 socket.heard']);
    await clock.advance(1);
    expect(facts.at(-1)).toBe(failed);
    expect([told.at(-1), transport.log.at(-1), clock.pending]).toEqual(['lost with NINJA_FRAME_TIMEOUT', 'destroy', 0]);
  });

  test('ends with the frame', async () => {
    const { clock, hear, facts } = await begin({ heartbeatInterval: 0 });
    hear('62 63 64 65 66 67 68 69');
    await clock.advance(60_000);
    expect(facts).not.toContain(failed);
  });

  test.each([1000, 0])(
    'is frozen while we do not read, and runs on afterwards, with heartbeatInterval %d',
    async (heartbeatInterval) => {
      const { clock, socket, facts } = await begin({ heartbeatInterval, staleAfter: 0 });
      await clock.advance(4000);
      socket.pause();
      await clock.advance(60_000);
      socket.resume();
      await clock.advance(999);
      expect(facts).not.toContain(failed);
      await clock.advance(1);
      expect(facts.at(-1)).toBe(failed);
    },
  );

  test('is moved by what we were away, when the timer is more than 250 ms late', async () => {
    const { clock, hear, facts } = await begin({ heartbeatInterval: 0, staleAfter: 0 });
    await clock.advance(4000);
    clock.block(10_000);
    await clock.advance(100);
    hear('62 63 64 65 66 67 68 69');
    await clock.advance(60_000);
    expect(facts).not.toContain(failed);
  });

  test('frameTimeout 0 waits for ever', async () => {
    const { clock, facts } = await begin({ frameTimeout: 0, heartbeatInterval: 0 });
    await clock.advance(1e9);
    expect([facts.length, clock.pending]).toEqual([2, 0]);
  });
});

import { describe, expect, test } from 'vitest';
import { collect, PORT, type raw, stage } from '../connection/stage.js';
import { dialRaw } from './stage.js';

const MiB = 2 ** 20;

/** So many bytes of a frame that announced 8 MiB, in chunks. */
function begin(client: ReturnType<typeof raw>, bytes: number): void {
  client.hex('00800000');
  for (let left = bytes; left > 0; left -= 65_536) client.hex('61'.repeat(Math.min(left, 65_536)));
}

describe('unfinishedBytes', () => {
  test('the largest offender is dropped first, with its reason; the others are served', async () => {
    const at = stage();
    const received: string[] = [];
    const server = await at.serve(collect(received), { unfinishedBytes: 8 * MiB, frameTimeout: 0, staleAfter: 0 });
    const reasons: string[] = [];
    const clients = [await dialRaw(at), await dialRaw(at), await dialRaw(at)];
    for (const peer of server.peers) peer.on('disposed', ({ reason }) => reasons.push(`${peer.id} ${reason.code}`));
    const [small, large, third] = clients as [(typeof clients)[0], (typeof clients)[0], (typeof clients)[0]];
    begin(small, 2 * MiB);
    begin(large, 3.5 * MiB);
    await at.clock.advance(1000);
    expect(reasons).toEqual([]);
    // What came is held: 8.5 MiB now.
    begin(third, 3 * MiB);
    await at.clock.advance(1000);
    expect(reasons).toEqual(['2 NINJA_FRAME_BUDGET']);
    const other = await dialRaw(at);
    other.say('hello');
    await at.clock.advance(100);
    expect(received).toEqual(['hello']);
    await server.dispose();
  });

  test('what a peer held is free again when it is gone, or its frame is whole', async () => {
    const at = stage();
    const received: string[] = [];
    const server = await at.serve(collect(received), { unfinishedBytes: 8 * MiB, frameTimeout: 0, staleAfter: 0 });
    for (let round = 0; round < 5; round += 1) {
      const client = await dialRaw(at);
      // Less than a live one will hold: else the dead one would be dropped for it, unseen.
      begin(client, round % 2 === 0 ? 8 * MiB : 3 * MiB);
      await at.clock.advance(1000);
      client.transport.destroy();
      await at.clock.advance(100);
    }
    expect(received.map(({ length }) => length)).toEqual([8 * MiB, 8 * MiB, 8 * MiB]);
    expect(server.peers.size).toBe(0);
    await server.dispose();
  });

  test('less than maxFrameLength is refused', async () => {
    const at = stage();
    await expect(at.serve(undefined, { port: PORT, unfinishedBytes: MiB })).rejects.toThrow(
      `unfinishedBytes must be at least maxFrameLength, ${8 * MiB}, got ${MiB}`,
    );
  });
});

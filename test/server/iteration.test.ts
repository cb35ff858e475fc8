import { describe, expect, test } from 'vitest';
import type { NinjaTcpError, Peer, PeerHandler } from '../../src/index.js';
import { echo, firstPeer, short, stage } from '../connection/stage.js';
import { dialRaw, serverJournal } from './stage.js';

/** Runs through the messages, and notes how it ended. */
function reading(into: string[], after: (peer: Peer) => unknown = () => {}): PeerHandler {
  return async (peer) => {
    try {
      for await (const message of peer) into.push(`${message}`);
      into.push('end');
    } catch (error) {
      into.push(`threw ${short((error as NinjaTcpError).code)}`);
      throw error;
    }
    await after(peer);
  };
}

describe("the end of a peer's iteration", () => {
  test('FIN: it ends; writing stays possible until the handler returns; then flush and FIN', async () => {
    const at = stage();
    const seen: string[] = [];
    const server = await at.serve(
      reading(seen, async (peer) => {
        peer.send('late one');
        await at.clock.sleep(10_000);
        peer.send('late two');
      }),
    );
    const client = await dialRaw(at);
    client.say('question');
    client.end();
    await at.clock.advance(9000);
    expect([seen, client.messages, server.peers.size]).toEqual([['question', 'end'], ['late one'], 1]);
    await at.clock.advance(1010);
    expect([client.messages, client.heard.slice(-2)]).toEqual([
      ['late one', 'late two'],
      ['ended', 'closed'],
    ]);
    expect(server.peers.size).toBe(0);
    await server.dispose();
    expect(at.clock.pending).toBe(0);
  });

  const faults: [
    string,
    (at: ReturnType<typeof stage>, client: Awaited<ReturnType<typeof dialRaw>>) => unknown,
    string,
  ][] = [
    [
      'a FIN in the middle of a frame',
      (_, client) => {
        client.hex('00 00 00 02 61');
        client.end();
      },
      'TRUNCATED',
    ],
    ['a RST', (_, client) => client.transport.reset(), 'RESET'],
    ['silence', () => {}, 'STALE'],
    ['garbage', (_, client) => client.hex('ff ff ff ff'), 'FRAME_TOO_LARGE'],
  ];
  test.each(faults)('%s is thrown out of it', async (_, fault, code) => {
    const at = stage();
    const seen: string[] = [];
    const server = await at.serve(reading(seen));
    const heard = serverJournal(server);
    const client = await dialRaw(at);
    client.say('whole');
    await at.clock.advance(5);
    const peer = firstPeer(server);
    fault(at, client);
    await at.clock.runUntil(() => server.peers.size === 0);
    await at.clock.settle();
    expect(seen).toEqual(['whole', `threw ${code}`]);
    expect([heard.slice(1), peer.reason?.code, peer.state]).toEqual([
      [`peerError 1 ${code}`],
      `NINJA_${code}`,
      'disposed',
    ]);
    expect(at.network.warnings).toEqual([]);
    await server.dispose();
  });

  test('peer.close() and server.close(): it just ends', async () => {
    const at = stage();
    const seen: string[] = [];
    const server = await at.serve(reading(seen));
    const heard = serverJournal(server);
    const [first, second] = [await dialRaw(at), await dialRaw(at)];
    void firstPeer(server).close();
    await at.clock.advance(5);
    first.end();
    await at.clock.advance(5);
    expect(seen).toEqual(['end']);
    const closed = server.close();
    await at.clock.advance(5);
    second.end();
    await at.clock.runUntil(closed);
    await at.clock.settle();
    expect([seen, heard]).toEqual([
      ['end', 'end'],
      ['peer 1', 'peer 2', 'closed DISPOSED'],
    ]);
  });

  test('an echo that is busy while the server closes is refused to send, and is not blamed for it', async () => {
    const at = stage();
    const server = await at.serve(echo);
    const heard = serverJournal(server);
    const client = await dialRaw(at);
    client.say('one');
    await at.clock.advance(5);
    const closed = server.close();
    client.say('two');
    await at.clock.advance(5);
    client.end();
    await at.clock.runUntil(closed);
    await at.clock.settle();
    expect([client.messages, heard.at(-1), at.network.warnings]).toEqual([['one'], 'closed DISPOSED', []]);
    expect(heard.some((line) => line.includes('HANDLER_FAILED'))).toBe(false);
  });
});

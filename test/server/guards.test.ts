import { BlockList, Server as NetServer } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import { type ListenOptions, listen } from '../../src/index.js';
import { echo, type Raw, raw, stage } from '../connection/stage.js';
import { dialRaw, dialSilent, handshaking, serverJournal } from './stage.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
/** A header of the PROXY protocol for a client of this address, given as hex. */
const header = (address: string): string =>
  address.length === 8
    ? `${SIGNATURE}2111000c${address}7f000001c000ff98`
    : `${SIGNATURE}21210024${address}${'00'.repeat(16)}c000ff98`;

async function guarded(options: Partial<ListenOptions>) {
  const at = stage();
  const server = await at.serve(echo, options);
  const messages: string[] = [];
  server.on('refused', ({ error }) => messages.push(error.message));
  const proxied = async (address: string): Promise<Raw> => {
    const side = await dialSilent(at);
    side.hex(header(address));
    await at.clock.advance(5);
    return side;
  };
  return { at, server, messages, heard: serverJournal(server), proxied };
}

describe('maxConnectionsPerAddress', () => {
  test('one below, at it, and one above; another address does not notice; one that goes makes room', async () => {
    const { at, server, messages, heard } = await guarded({ maxConnectionsPerAddress: 2 });
    const clients = [await dialRaw(at), await dialRaw(at), await dialRaw(at), await dialRaw(at, 'other')];
    expect(heard).toEqual(['peer 1', 'peer 2', 'refused 10.0.0.2 SERVER_FULL', 'peer 3']);
    expect(messages).toEqual(['the client 10.0.0.2 has maxConnectionsPerAddress, 2 peers']);
    expect(clients[2]?.heard.at(-1)).toBe('closed');
    clients[0]?.transport.destroy();
    await at.clock.advance(5);
    await dialRaw(at);
    await dialRaw(at);
    expect(heard.slice(4)).toEqual(['peer 4', 'refused 10.0.0.2 SERVER_FULL']);
    await server.dispose();
  });

  test('none by default', async () => {
    const { at, server, heard } = await guarded({});
    for (let n = 0; n < 20; n += 1) await dialRaw(at);
    expect(heard).toHaveLength(20);
    await server.dispose();
  });

  test('a peer that its handler disposes of at once is not counted for ever', async () => {
    const at = stage();
    const server = await at.serve((peer) => void peer.dispose(), { maxConnectionsPerAddress: 1 });
    const heard = serverJournal(server);
    for (let n = 0; n < 3; n += 1) await dialSilent(at);
    expect(heard).toEqual(['peer 1', 'peer 2', 'peer 3']);
    await server.dispose();
  });

  test('one that is dropped on the way is counted while it is, and no longer', async () => {
    const { at, server, underway, heard } = await handshaking({ maxConnectionsPerAddress: 1, handshakeTimeout: 100 });
    await dialSilent(at);
    await dialSilent(at);
    await at.clock.advance(100);
    await dialSilent(at);
    underway[1]?.done(undefined, new Error('cut off'));
    await dialSilent(at);
    underway[2]?.done(underway[2].transport);
    await dialSilent(at);
    expect(heard).toEqual([
      'refused 10.0.0.2 SERVER_FULL',
      'refused 10.0.0.2 HANDSHAKE_TIMEOUT',
      'refused 10.0.0.2 CONNECT_FAILED',
      'peer 1',
      'refused 10.0.0.2 SERVER_FULL',
    ]);
    await server.dispose();
  });

  test('behind a proxy the client counts, not the proxy', async () => {
    const { server, messages, proxied } = await guarded({
      maxConnectionsPerAddress: 1,
      proxyProtocol: { trusted: ['10.0.0.2'] },
    });
    await proxied('c0000207');
    await proxied('c0000208');
    const third = await proxied('c0000207');
    expect([server.peers.size, messages, third.heard.at(-1)]).toEqual([
      2,
      ['the client 192.0.2.7 has maxConnectionsPerAddress, 1 peers'],
      'closed',
    ]);
    await server.dispose();
  });

  test('an IPv6 client counts by its first 64 bits, since the rest is its own to choose; on a link by all', async () => {
    const { server, messages, proxied } = await guarded({
      maxConnectionsPerAddress: 1,
      proxyProtocol: { trusted: ['10.0.0.2'] },
    });
    await proxied('20010db8000000070000000000000001');
    await proxied('20010db800000007ffffffffffffffff');
    await proxied('20010db8000000080000000000000001');
    await proxied('fe800000000000000000000000000001');
    await proxied('fe800000000000000000000000000002');
    expect(messages).toEqual(['the client 2001:db8:0:7:: has maxConnectionsPerAddress, 1 peers']);
    expect(server.peers.size).toBe(4);
    await server.dispose();
  });

  test('does not count whoever dials by a path', async () => {
    const at = stage();
    const server = await at.serve(echo, { port: undefined, path: '/run/till.sock', maxConnectionsPerAddress: 1 });
    const dial = () => raw(at.server.environment().dial({ host: '', path: '/run/till.sock', noDelay: true }));
    dial();
    dial();
    await at.clock.advance(5);
    expect(server.peers.size).toBe(2);
    await server.dispose();
  });
});

describe('blockList', () => {
  const nodeList = new BlockList();
  nodeList.addSubnet('10.0.0.2', 31, 'ipv4');

  test.each([
    ['addresses', ['192.0.2.1', '10.0.0.2', '10.0.0.3']],
    ['a network', ['10.0.0.2/31']],
    ['a BlockList of Node', nodeList],
  ] as const)('%s: who is in it is dropped, one above is not', async (_, blockList) => {
    const { at, server, messages, heard } = await guarded({ blockList });
    const blocked = [await dialSilent(at, 'second'), await dialSilent(at, 'third')];
    await dialRaw(at, 'fourth');
    expect(heard).toEqual(['refused 10.0.0.2 BLOCKED', 'refused 10.0.0.3 BLOCKED', 'peer 1']);
    expect(messages).toEqual(['10.0.0.2 is in blockList', '10.0.0.3 is in blockList']);
    expect(blocked.map((side) => side.heard.at(-1))).toEqual(['closed', 'closed']);
    await server.dispose();
    expect(at.clock.pending).toBe(0);
  });

  test('may grow while the server listens', async () => {
    const blockList = new BlockList();
    const { at, server, heard } = await guarded({ blockList });
    await dialRaw(at);
    blockList.addAddress('10.0.0.2', 'ipv4');
    await dialSilent(at);
    expect(heard).toEqual(['peer 1', 'refused 10.0.0.2 BLOCKED']);
    await server.dispose();
  });

  test('behind a proxy the client counts; the proxy itself may be in it', async () => {
    const { server, heard, proxied } = await guarded({
      blockList: ['192.0.2.7', '10.0.0.2'],
      proxyProtocol: { trusted: ['10.0.0.2'] },
    });
    await proxied('c0000207');
    await proxied('c0000208');
    expect(heard).toEqual(['refused 192.0.2.7 BLOCKED', 'peer 1']);
    await server.dispose();
  });
});

test.each([
  ['blockList', (list: object) => ({ blockList: list })],
  ['proxyProtocol.trusted', (list: object) => ({ proxyProtocol: { trusted: list } })],
])('a %s that throws lets nobody in, is reported, and harms nobody else', async (name, options) => {
  const list = {
    check(address: string): boolean {
      throw new Error(`no idea about ${address}`);
    },
  };
  const { at, server, heard } = await guarded(options(list) as Partial<ListenOptions>);
  await dialSilent(at);
  expect([heard, at.network.warnings.map(({ message }) => message), server.state]).toEqual([
    ['refused 10.0.0.2 BLOCKED'],
    [`${name} threw: no idea about 10.0.0.2`],
    'listening',
  ]);
  await server.dispose();
});

test('an accept that fails is told, and the server lives on', async () => {
  const listening = vi.spyOn(NetServer.prototype, 'listen');
  const server = await listen({ host: '127.0.0.1', port: 0 }, echo);
  const node = listening.mock.contexts[0] as NetServer;
  listening.mockRestore();
  const messages: string[] = [];
  server.on('refused', ({ remoteAddress, error }) => messages.push(`${remoteAddress} ${error.code} ${error.message}`));
  node.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE', syscall: 'accept' }));
  expect([server.state, messages]).toEqual([
    'listening',
    ['undefined NINJA_SERVER_FULL a connection could not be accepted: accept EMFILE'],
  ]);
  await server.dispose();
});

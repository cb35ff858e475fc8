import { describe, expect, test } from 'vitest';
import { AddressSet } from '../../src/addresses.js';
import { type ListenOptions, NinjaTcpError } from '../../src/index.js';
import { echo, firstPeer, raw, stage } from '../connection/stage.js';
import { dialSilent, handshaking, serverJournal } from './stage.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
/** From 192.0.2.7, port 49152. */
const HEADER = `${SIGNATURE}2111000cc00002077f000001c000ff98`;
const LOCAL = `${SIGNATURE}20000000`;
const HELLO = '0000000568656c6c6f';

/** The clients of this stage are 10.0.0.2 and on: here they are the proxies. */
async function behind(options: Partial<ListenOptions> = {}, network = {}) {
  const at = stage(network);
  const server = await at.serve(echo, { proxyProtocol: { trusted: ['10.0.0.0/8'] }, ...options });
  return { at, server, dial: () => dialSilent(at), heard: serverJournal(server) };
}

describe('behind a proxy', () => {
  test("a peer has the client's address, and knows the proxy's", async () => {
    const { at, server, dial } = await behind();
    const proxy = await dial();
    proxy.hex(HEADER);
    proxy.hex(HELLO);
    await at.clock.advance(5);
    const peer = firstPeer(server);
    expect([peer.remoteAddress, peer.remotePort, peer.proxyAddress]).toEqual(['192.0.2.7', 49_152, '10.0.0.2']);
    expect(peer.name).toBe('peer 1 192.0.2.7:49152');
    expect(proxy.messages).toEqual(['hello']);
    await server.dispose();
    proxy.end();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test.each(['asWritten', 'random'] as const)('header and frames may be cut anywhere: %s', async (cut) => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const { at, server, dial } = await behind({}, { cut, seed });
      const proxy = await dial();
      proxy.hex(HEADER + HELLO + HELLO + HELLO);
      await at.clock.advance(20);
      expect(proxy.messages).toEqual(['hello', 'hello', 'hello']);
      await server.dispose();
    }
  });

  test('every single cut of header and frame', async () => {
    const { at, server, dial } = await behind();
    const all = HEADER + HELLO;
    for (let place = 2; place < all.length; place += 2) {
      const proxy = await dial();
      proxy.hex(all.slice(0, place));
      await at.clock.advance(5);
      proxy.hex(all.slice(place));
      await at.clock.advance(5);
      expect(proxy.messages).toEqual(['hello']);
      proxy.transport.destroy();
    }
    await server.dispose();
  });

  test('nothing is written to a socket before its header has come', async () => {
    const { at, server, dial } = await behind();
    const proxy = await dial();
    await at.clock.advance(3000);
    expect(proxy.heard).toEqual(['opened']);
    proxy.hex(HEADER);
    await at.clock.advance(5);
    expect(proxy.heard).toEqual(['opened', 'heartbeat']);
    await server.dispose();
  });

  test('LOCAL: the proxy speaks for itself', async () => {
    const { at, server, dial } = await behind();
    const proxy = await dial();
    proxy.hex(LOCAL + HELLO);
    await at.clock.advance(5);
    const peer = firstPeer(server);
    expect([peer.remoteAddress, peer.proxyAddress, proxy.messages]).toEqual(['10.0.0.2', '10.0.0.2', ['hello']]);
    await server.dispose();
  });

  test('a FIN right behind header and message: the message is served, then both part', async () => {
    const { at, server, dial } = await behind();
    const proxy = await dial();
    proxy.hex(HEADER + HELLO);
    proxy.end();
    await at.clock.advance(50);
    expect([proxy.messages, proxy.heard.at(-1), server.peers.size]).toEqual([['hello'], 'closed', 0]);
    await server.dispose();
  });

  test('a handler that pauses at once does not lose what came with the header', async () => {
    const { at, server, dial } = await behind({ inboxMessages: 1 });
    const proxy = await dial();
    proxy.hex(HEADER + HELLO.repeat(50));
    await at.clock.advance(100);
    expect(proxy.messages).toHaveLength(50);
    await server.dispose();
  });

  test('a peer that is disposed of at once hears nothing of what came with the header', async () => {
    const { at, server, dial } = await behind();
    const heard: string[] = [];
    server.on('peer', (peer) => {
      peer.on('message', (message) => heard.push(`${message}`));
      void peer.dispose();
    });
    const proxy = await dial();
    proxy.hex(HEADER + HELLO);
    await at.clock.advance(5);
    expect(heard).toEqual([]);
    await server.dispose();
    proxy.end();
    await at.clock.advance(5);
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });
});

describe('is refused:', () => {
  test('a bad header', async () => {
    const { at, server, dial, heard } = await behind();
    const messages: string[] = [];
    server.on('refused', ({ error }) => messages.push(error.message));
    const proxy = await dial();
    proxy.hex(HELLO);
    await at.clock.advance(5);
    expect([heard, messages, proxy.heard.at(-1)]).toEqual([
      ['refused 10.0.0.2 PROXY_HEADER'],
      ['no PROXY header of version 2: it begins with 00 00 00 05 68 65 6c 6c 6f'],
      'closed',
    ]);
    await server.dispose();
    expect([at.clock.pending, at.network.openTransports]).toEqual([0, 0]);
  });

  test('a socket that closes before its header is complete', async () => {
    const { at, server, dial, heard } = await behind();
    const [first, second] = [await dial(), await dial()];
    first.hex(SIGNATURE);
    await at.clock.advance(5);
    first.end();
    second.transport.reset();
    await at.clock.advance(5);
    expect(heard).toEqual(['refused 10.0.0.2 PROXY_HEADER', 'refused 10.0.0.2 PROXY_HEADER']);
    await server.dispose();
  });

  test.each([
    [{ trusted: ['10.0.0.3', '192.0.2.0/24'] }, '10.0.0.2 is not a trusted proxy of proxyProtocol'],
    [true, '10.0.0.2 is not a trusted proxy of proxyProtocol'],
    [{ trusted: [] }, '10.0.0.2 is not a trusted proxy of proxyProtocol'],
  ])('whoever is not trusted; proxyProtocol: %o', async (proxyProtocol, message) => {
    const { at, server, dial, heard } = await behind({ proxyProtocol });
    const messages: string[] = [];
    server.on('refused', ({ error }) => messages.push(error.message));
    const proxy = await dial();
    await at.clock.advance(5);
    expect([heard, messages, proxy.heard.at(-1)]).toEqual([['refused 10.0.0.2 BLOCKED'], [message], 'closed']);
    await server.dispose();
  });

  test('a header that drips, at its deadline', async () => {
    const { at, server, dial, heard } = await behind({ handshakeTimeout: 1000 });
    const proxy = await dial();
    const messages: string[] = [];
    server.on('refused', ({ error }) => messages.push(error.message));
    for (let place = 0; place < 28; place += 1) {
      proxy.hex(HEADER.slice(2 * place, 2 * place + 2));
      await at.clock.advance(50);
    }
    expect([heard, messages]).toEqual([
      ['refused 10.0.0.2 HANDSHAKE_TIMEOUT'],
      ['no PROXY header within handshakeTimeout, 1000 ms'],
    ]);
    await server.dispose();
  });
});

test('whoever dials by a path is trusted: its permissions guard it', async () => {
  const at = stage();
  const path = '/run/till.sock';
  const server = await at.serve(echo, { port: undefined, path, proxyProtocol: { trusted: [] } });
  const proxy = raw(at.server.environment().dial({ host: '', path, noDelay: true }));
  await at.clock.advance(5);
  proxy.hex(HEADER + HELLO);
  await at.clock.advance(5);
  expect([firstPeer(server).remoteAddress, proxy.messages]).toEqual(['192.0.2.7', ['hello']]);
  await server.dispose();
});

test('the header comes before TLS: what follows it is given to the handshake, and the deadline is the same', async () => {
  const { at, server, underway } = await handshaking({
    proxyProtocol: { trusted: new AddressSet(['10.0.0.0/8']) },
    handshakeTimeout: 1000,
  });
  const messages: string[] = [];
  server.on('refused', ({ error }) => messages.push(error.message));
  const proxies = [await dialSilent(at), await dialSilent(at)];
  await at.clock.advance(500);
  for (const proxy of proxies) proxy.hex(`${HEADER}160301`);
  await at.clock.advance(5);
  expect(underway.map(({ received }) => received)).toEqual(['160301', '160301']);
  // What TLS makes of it is another transport: nobody has attached to it yet.
  underway[0]?.done(Object.create(underway[0].transport, { attach: { value: () => {} } }));
  const peer = firstPeer(server);
  expect([peer.remoteAddress, peer.proxyAddress]).toEqual(['192.0.2.7', '10.0.0.2']);
  await at.clock.advance(600);
  expect(messages).toEqual(['no TLS within handshakeTimeout, 1000 ms']);
  await server.dispose();
});

describe('what is refused behind its header is told by the address of the client, not of the proxy:', () => {
  const trusting = { proxyProtocol: { trusted: new AddressSet(['10.0.0.0/8']) }, handshakeTimeout: 1000 };

  test.each<[string, string, (done: (error: Error) => void) => unknown]>([
    ['a TLS handshake that failed', 'TLS_FAILED', (done) => done(new NinjaTcpError('NINJA_TLS_FAILED', 'no version'))],
    ['a TLS handshake that is late', 'HANDSHAKE_TIMEOUT', () => {}],
  ])('%s', async (_, code, act) => {
    const { at, server, underway, heard } = await handshaking(trusting);
    const proxy = await dialSilent(at);
    proxy.hex(HEADER);
    await at.clock.advance(5);
    act((error) => underway[0]?.done(undefined, error));
    await at.clock.advance(1000);
    expect(heard).toEqual([`refused 192.0.2.7 ${code}`]);
    await server.dispose();
  });

  test('a client in blockList', async () => {
    const { at, server, dial, heard } = await behind({ blockList: ['192.0.2.0/24'] });
    (await dial()).hex(HEADER);
    await at.clock.advance(5);
    expect(heard).toEqual(['refused 192.0.2.7 BLOCKED']);
    await server.dispose();
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type ListenOptions, listen, type PeerHandler } from '../../src/index.js';
import { as, ca } from './certificates.js';
import { connectTo, freePort, later, next, until } from './support.js';
import { haproxyTo, noHaproxy } from './support-haproxy.js';

const echo: PeerHandler = async (peer) => {
  for await (const message of peer) peer.send(message);
};

async function serve(options: Partial<ListenOptions> = {}) {
  const server = await listen(
    { ...('path' in options ? {} : { host: '127.0.0.1', port: 0 }), proxyProtocol: true, ...options },
    echo,
  );
  later(() => server.dispose());
  const refused: string[] = [];
  server.on('refused', ({ error }) => refused.push(error.message));
  return { server, refused, at: `127.0.0.1:${server.address()?.port}` };
}

describe.skipIf(noHaproxy)('behind haproxy', () => {
  test('send-proxy-v2: messages pass, and the peer has the address of the client', async () => {
    const { server, at } = await serve();
    // haproxy may need a moment to bind: the connection heals.
    const localPort = await freePort();
    const connection = connectTo(await haproxyTo([at], 'send-proxy-v2'), { backoff: () => 20, localPort });
    const sent = [1, 70_000, 1_000_000].map((size) => Buffer.alloc(size, size));
    for (const message of sent) connection.send(message);
    for (const message of sent) expect((await next<Buffer>(connection, 'message')).equals(message)).toBe(true);
    const [peer] = server.peers;
    expect([peer?.remoteAddress, peer?.remotePort, peer?.proxyAddress]).toEqual(['127.0.0.1', localPort, '127.0.0.1']);
    await connection.close();
  });

  test('send-proxy-v2 with TLVs in front of TLS: both pass', async () => {
    const { server, at } = await serve({ tls: as('server') });
    const port = await haproxyTo([at], 'send-proxy-v2 proxy-v2-options crc32c,unique-id');
    const connection = connectTo(port, { backoff: () => 20, tls: { ca, servername: 'localhost' } });
    connection.send('hello');
    expect(String(await next(connection, 'message'))).toBe('hello');
    const [peer] = server.peers;
    expect([peer?.proxyAddress, peer?.tls?.protocol, connection.tls?.authorized]).toEqual([
      '127.0.0.1',
      'TLSv1.3',
      true,
    ]);
  });

  test('health checks speak for haproxy itself (LOCAL), and do no harm', async () => {
    const { server, refused, at } = await serve();
    let checks = 0;
    server.on('peer', () => (checks += 1));
    const connection = connectTo(await haproxyTo([at], 'send-proxy-v2 check inter 50ms'), { backoff: () => 20 });
    await connection.connected({ proven: true });
    await until(() => checks > 4);
    expect([refused, connection.epoch > 0, connection.state]).toEqual([[], true, 'connected']);
  });

  test('send-proxy, version 1: refused with a word on what to do', async () => {
    const { refused, at } = await serve();
    connectTo(await haproxyTo([at], 'send-proxy'), { backoff: () => 20 });
    await until(() => refused.length > 0);
    expect(refused[0]).toBe(
      'no PROXY header of version 2: it is one of version 1, in text; let the proxy send version 2 (haproxy: send-proxy-v2)',
    );
  });

  test('no header at all: refused', async () => {
    const { refused, at } = await serve();
    connectTo(await haproxyTo([at], ''), { backoff: () => 20 });
    await until(() => refused.length > 0);
    expect(refused[0]).toBe('no PROXY header of version 2: it begins with 00 00 00 00');
  });

  test('an address that is not trusted: refused, whatever it sends', async () => {
    const { refused, at } = await serve({ proxyProtocol: { trusted: ['10.0.0.0/8'] } });
    connectTo(await haproxyTo([at], 'send-proxy-v2'), { backoff: () => 20 });
    await until(() => refused.length > 0);
    expect(refused[0]).toBe('127.0.0.1 is not a trusted proxy of proxyProtocol');
  });

  test('over a Unix domain socket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ninja-'));
    later(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, 'till.sock');
    const { server } = await serve({ path });
    const connection = connectTo(await haproxyTo([`unix@${path}`], 'send-proxy-v2'), { backoff: () => 20 });
    await connection.connected({ proven: true });
    expect([...server.peers].at(-1)?.remoteAddress).toBe('127.0.0.1');
  });
});

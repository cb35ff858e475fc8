import { connect as dialPlain, type Socket } from 'node:net';
import { type ConnectionOptions, connect as dialTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import {
  type Connection,
  type ConnectOptions,
  connect,
  type ListenOptions,
  listen,
  type NinjaTcpError,
  type PeerHandler,
} from '../../src/index.js';
import { as, ca, type certificates, key } from './certificates.js';
import { connectTo, later, next, rawServer, until } from './support.js';

const echo: PeerHandler = async (peer) => {
  for await (const message of peer) peer.send(message);
};

type Tls = NonNullable<ListenOptions['tls']>;

async function serve(tls: Tls = as('server'), more: Partial<ListenOptions> = {}) {
  const server = await listen({ host: '127.0.0.1', port: 0, tls, ...more }, echo);
  later(() => server.dispose());
  const refused: string[] = [];
  server.on('refused', ({ error }) => refused.push(`${error.code} ${error.message}`));
  return { server, refused, port: server.address()?.port ?? 0 };
}

const trusting = { ca, servername: 'localhost' };

function open(port: number, tls: ConnectOptions['tls'] = trusting, more: Partial<ConnectOptions> = {}): Connection {
  return connectTo(port, { tls, backoff: () => 20, ...more });
}

/** How the life of a connection went on: its state, the number of attempts, and why. */
async function end(connection: Connection): Promise<{ where: string; epoch: number; code: string; message: string }> {
  const { reason } = await next<{ reason: { code: string; message: string } }>(connection, 'failed');
  const where = `${connection.state}.${connection.substate}`;
  return { where, epoch: connection.epoch, code: reason.code, message: reason.message };
}

const failed = (code: string, message: string) => ({ where: 'disconnected.failed', epoch: 1, code, message });

describe('TLS', () => {
  test('carries messages of every size, both ways, and both sides know what was agreed on', async () => {
    const { server, port } = await serve({ ...as('server'), ALPNProtocols: ['ninja', 'other'] });
    const connection = open(port, { ...trusting, ALPNProtocols: ['other'] });
    const sent = [1, 16_384, 70_000, 3_000_000].map((size) => Buffer.alloc(size, size));
    for (const message of sent) connection.send(message);
    for (const message of sent) expect((await next<Buffer>(connection, 'message')).equals(message)).toBe(true);
    const [peer] = server.peers;
    expect(connection.tls).toMatchObject({
      authorized: true,
      authorizationError: undefined,
      protocol: 'TLSv1.3',
      alpnProtocol: 'other',
      servername: 'localhost',
      peerCertificate: { subject: { CN: 'localhost' } },
    });
    expect(peer?.tls).toMatchObject({
      authorized: false,
      protocol: 'TLSv1.3',
      alpnProtocol: 'other',
      servername: 'localhost',
      peerCertificate: undefined,
    });
    expect((await connection.close()).message).toBe('closed; both sides sent their FIN');
  });

  test('heals on a fresh socket, with a fresh handshake', async () => {
    const first = await serve();
    const connection = open(first.port);
    await connection.connected({ proven: true });
    await first.server.dispose();
    await until(() => connection.state !== 'connected');
    connection.send('held');
    await serve(as('server'), { port: first.port });
    expect(String(await next(connection, 'message'))).toBe('held');
    expect(connection.epoch).toBeGreaterThan(1);
  });

  test('the name of the server is the host, where that is a name', async () => {
    const { server, port } = await serve();
    const connection = open(
      port,
      { ca },
      { host: 'localhost', lookup: (_, __, tell) => tell(null, [{ address: '127.0.0.1', family: 4 }]) },
    );
    await connection.connected({ proven: true });
    expect([...server.peers][0]?.tls?.servername).toBe('localhost');
    const byAddress = open(port, { ca });
    await byAddress.connected({ proven: true });
    expect([...server.peers].map(({ tls }) => tls?.servername)).toEqual(['localhost', undefined]);
  });

  test('true is for certificates that Node itself knows', async () => {
    const { port } = await serve();
    expect((await end(open(port, true))).code).toBe('NINJA_CERTIFICATE');
  });

  test('false is none', async () => {
    const server = await listen({ host: '127.0.0.1', port: 0 }, echo);
    later(() => server.dispose());
    const connection = open(server.address()?.port ?? 0, false);
    await connection.connected({ proven: true });
    expect(connection.tls).toBeUndefined();
  });

  test('rejectUnauthorized: false lets pass, and says what is wrong', async () => {
    const { port } = await serve(as('stranger'));
    const connection = open(port, { ...trusting, rejectUnauthorized: false });
    await connection.connected({ proven: true });
    expect(connection.tls).toMatchObject({
      authorized: false,
      authorizationError: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
  });
});

describe('a certificate of the server that is not good ends all attempts:', () => {
  const rows: [string, keyof typeof certificates, ConnectionOptions, string][] = [
    [
      'unknown authority',
      'stranger',
      trusting,
      'the certificate of localhost is not accepted: who signed it is not known here; its authority belongs into tls.ca (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    ],
    ['expired', 'expired', trusting, 'the certificate of localhost is not accepted: it has expired (CERT_HAS_EXPIRED)'],
    [
      'another host, by name',
      'elsewhere',
      trusting,
      "the certificate of localhost is not accepted: Host: localhost. is not in the cert's altnames: DNS:elsewhere.example (ERR_TLS_CERT_ALTNAME_INVALID)",
    ],
    [
      'another host, by address',
      'elsewhere',
      { ca },
      "the certificate of 127.0.0.1 is not accepted: IP: 127.0.0.1 is not in the cert's list:  (ERR_TLS_CERT_ALTNAME_INVALID)",
    ],
    [
      "a check of the program's own",
      'server',
      { ...trusting, checkServerIdentity: () => new Error('not the pinned key') },
      'the certificate of localhost is not accepted: not the pinned key',
    ],
    [
      "a check of the program's own that throws",
      'server',
      {
        ...trusting,
        checkServerIdentity() {
          throw new TypeError('no pin');
        },
      },
      'the certificate of localhost is not accepted: checkServerIdentity threw: no pin',
    ],
    [
      "a check of the program's own that is async",
      'server',
      { ...trusting, checkServerIdentity: (async () => Promise.reject(new Error('too late'))) as never },
      'the certificate of localhost is not accepted: checkServerIdentity must return an Error or undefined, got a Promise',
    ],
  ];
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test.each(rows)(`%s, ${version}`, async (_, certificate, tls, message) => {
      const { port } = await serve(as(certificate));
      // A second attempt would be one too many; where there is one, the test is not to wait for ever.
      const connection = open(port, { ...tls, maxVersion: version }, { maxAttempts: 2 });
      connection.send('held');
      expect(await end(connection)).toEqual(failed('NINJA_CERTIFICATE', message));
    });
  }

  test('connect() tries again', async () => {
    const { port, server } = await serve(as('expired'));
    const connection = open(port);
    await end(connection);
    await server.dispose();
    await serve(as('server'), { port });
    connection.connect();
    await connection.connected({ proven: true });
  });
});

describe('mutual TLS', () => {
  const mutual: Tls = { ...as('server'), ca, requestCert: true };

  test('a good certificate of the client passes, and its peer knows it', async () => {
    const { server, port } = await serve(mutual);
    const connection = open(port, { ...trusting, ...as('client') });
    await connection.connected({ proven: true });
    expect([...server.peers][0]?.tls).toMatchObject({
      authorized: true,
      peerCertificate: { subject: { CN: 'till 7' }, subjectaltname: 'DNS:till-7.example' },
    });
  });

  test('rejectUnauthorized: false leaves the choice to the handler', async () => {
    const { server, port } = await serve({ ...mutual, rejectUnauthorized: false });
    const connection = open(port);
    await connection.connected({ proven: true });
    expect([...server.peers][0]?.tls).toMatchObject({ authorized: false, peerCertificate: undefined });
  });

  test('no certificate of the client, TLSv1.3: the alert comes behind the handshake, and is final all the same', async () => {
    const { refused, port } = await serve(mutual);
    const message =
      'localhost does not accept our certificate: it wants one, and was shown none (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)';
    expect(await end(open(port))).toEqual(failed('NINJA_CERTIFICATE', message));
    expect(refused).toEqual([
      'NINJA_CERTIFICATE the certificate of the client is not accepted: it showed none (ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE)',
    ]);
  });

  test('no certificate of the client, TLSv1.2: the handshake fails, finally', async () => {
    const { refused, port } = await serve(mutual);
    const message =
      'no TLS with localhost: handshake failure: no cipher in common, or it wants a certificate (ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE)';
    expect(await end(open(port, { ...trusting, maxVersion: 'TLSv1.2' }))).toEqual(failed('NINJA_TLS_FAILED', message));
    expect(refused[0]).toMatch(/^NINJA_CERTIFICATE the certificate of the client is not accepted: it showed none /);
  });

  test.each([
    [
      'stranger',
      'who signed it is not known here; its authority belongs into tls.ca (UNABLE_TO_VERIFY_LEAF_SIGNATURE)',
    ],
    ['expired', 'it has expired (CERT_HAS_EXPIRED)'],
  ] as const)('a client as %s is refused by the server, by name', async (certificate, why) => {
    const { server, refused, port } = await serve(mutual);
    const connection = open(port, { ...trusting, ...as(certificate) });
    await until(() => refused.length > 0);
    expect(refused[0]).toBe(`NINJA_CERTIFICATE the certificate of the client is not accepted: ${why}`);
    expect(server.peers.size).toBe(0);
    await connection.dispose();
  });
});

describe('no TLS in common ends all attempts:', () => {
  const rows: [string, Partial<Tls>, ConnectionOptions, string, string][] = [
    [
      'versions',
      { minVersion: 'TLSv1.3' },
      { maxVersion: 'TLSv1.2' },
      'no TLS with localhost: tlsv1 alert protocol version (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)',
      'no TLS with the client: unsupported protocol (ERR_SSL_UNSUPPORTED_PROTOCOL)',
    ],
    [
      'ciphers',
      { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' },
      { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' },
      'no TLS with localhost: handshake failure: no cipher in common, or it wants a certificate (ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE)',
      'no TLS with the client: no shared cipher (ERR_SSL_NO_SHARED_CIPHER)',
    ],
    [
      'ALPN protocols',
      { ALPNProtocols: ['ninja'] },
      { ALPNProtocols: ['other'] },
      'no TLS with localhost: tlsv1 alert no application protocol (ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL)',
      'no TLS with the client: no application protocol (ERR_SSL_NO_APPLICATION_PROTOCOL)',
    ],
  ];
  test.each(rows)('%s', async (_, theirs, ours, message, told) => {
    const { refused, port } = await serve({ ...as('server'), ...theirs });
    expect(await end(open(port, { ...trusting, ...ours }))).toEqual(failed('NINJA_TLS_FAILED', message));
    expect(refused).toEqual([`NINJA_TLS_FAILED ${told}`]);
  });
});

describe('what may go away by itself is tried again:', () => {
  test('a server that speaks no TLS, such as a proxy that has none behind it for a while', async () => {
    const sockets = new Set<Socket>();
    const babbler = await rawServer((socket) => {
      sockets.add(socket);
      socket.write('HTTP/1.1 502 Bad Gateway\r\n\r\n');
    });
    const connection = open(babbler.port);
    await until(() => connection.epoch > 2);
    expect(connection.reason).toMatchObject({
      code: 'NINJA_NOT_TLS',
      message: 'no TLS with localhost: what it says is not TLS (ERR_SSL_WRONG_VERSION_NUMBER)',
    });
    babbler.server.close();
    for (const socket of sockets) socket.destroy();
    await serve(as('server'), { port: babbler.port });
    await connection.connected({ proven: true });
  });

  test('and a backoff that says false to NINJA_NOT_TLS ends it', async () => {
    const { port } = await rawServer((socket) => socket.write('220 ready\r\n'));
    const connection = open(port, trusting, { backoff: (_, { code }) => (code === 'NINJA_NOT_TLS' ? false : 20) });
    expect(await end(connection)).toMatchObject({ epoch: 1, code: 'NINJA_NOT_TLS' });
  });

  test('a server that is gone in the middle of the handshake', async () => {
    let dials = 0;
    const { port } = await rawServer((socket) => {
      dials += 1;
      socket.once('data', () => socket.resetAndDestroy());
    });
    const connection = open(port);
    await until(() => dials > 2);
    expect(connection.reason).toMatchObject({ code: 'NINJA_CONNECT_FAILED' });
  });

  test('a server that says nothing: connectTimeout covers the handshake', async () => {
    const { port } = await rawServer(() => {});
    const connection = open(port, trusting, { connectTimeout: 200 });
    await until(() => connection.epoch > 1);
    expect(connection.reason?.code).toBe('NINJA_CONNECT_TIMEOUT');
  });
});

describe('a server with TLS', () => {
  /** A socket without ninja-tcp. */
  function plain(port: number): Socket {
    const socket = dialPlain(port, '127.0.0.1');
    socket.on('error', () => {});
    later(() => socket.destroy());
    return socket;
  }

  test('drops a client that says nothing within handshakeTimeout, not before, and says so', async () => {
    const { server, refused, port } = await serve(as('server'), { handshakeTimeout: 300 });
    const begin = performance.now();
    const socket = plain(port);
    await next(socket, 'close');
    expect(performance.now() - begin).toBeGreaterThanOrEqual(299);
    expect([refused, server.peers.size]).toEqual([
      ['NINJA_HANDSHAKE_TIMEOUT no TLS within handshakeTimeout, 300 ms'],
      0,
    ]);
  });

  test('drops a client that speaks no TLS, and says so', async () => {
    const { refused, port } = await serve();
    plain(port).write('\0\0\0\x05hello');
    await until(() => refused.length > 0);
    expect(refused[0]).toMatch(/^NINJA_NOT_TLS no TLS with the client: what it says is not TLS \(ERR_SSL_/);
  });

  test('counts those in their handshake as peers: one below maxConnections, at it, and one above', async () => {
    const { server, refused, port } = await serve(as('server'), { maxConnections: 2, handshakeTimeout: 60_000 });
    const first = plain(port);
    await next(first, 'connect');
    const second = open(port);
    await second.connected({ proven: true });
    const third = open(port);
    await until(() => refused.length > 0);
    expect(refused[0]).toBe('NINJA_SERVER_FULL the server has maxConnections, 2 peers');
    first.end();
    await third.connected({ proven: true });
    expect(server.peers.size).toBe(2);
  });

  test('that closes does not wait for those in their handshake', async () => {
    const { server, port } = await serve();
    const socket = plain(port);
    await next(socket, 'connect');
    const gone = next(socket, 'close');
    // Only then the server has surely seen it.
    const connection = open(port);
    await connection.connected({ proven: true });
    await connection.close();
    await server.close();
    await gone;
  });

  test('serves a client of Node as well', async () => {
    const { port } = await serve();
    const socket = dialTls({ host: '127.0.0.1', port, ...trusting });
    later(() => socket.destroy());
    socket.write(Buffer.from('0000000178', 'hex'));
    let stream = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      stream = Buffer.concat([stream, bytes]);
    });
    await until(() => stream.includes(Buffer.from('0000000178', 'hex')));
  });
});

describe('bad options of TLS are refused at the call', () => {
  const told = (call: () => unknown) => {
    try {
      call();
      return 'taken';
    } catch (error) {
      return `${(error as NinjaTcpError).code} ${(error as Error).message}`;
    }
  };

  test('by connect', () => {
    expect(told(() => connect({ port: 1, tls: { key: 'nonsense', cert: 'x' } }))).toMatch(
      /^NINJA_INVALID_OPTION tls: /,
    );
    expect(told(() => connect({ port: 1, tls: 7 as never }))).toBe(
      'NINJA_INVALID_OPTION tls must be the options of node:tls, got 7',
    );
  });

  test('by listen', async () => {
    const bad = listen({ port: 0, tls: { key, cert: 'nonsense' } });
    await expect(bad).rejects.toMatchObject({ code: 'NINJA_INVALID_OPTION', message: /^tls: / });
    await expect(listen({ port: 0, tls: true as never })).rejects.toMatchObject({ code: 'NINJA_INVALID_OPTION' });
  });
});

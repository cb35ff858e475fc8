import { BlockList } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ConnectOptions, ListenOptions, NinjaTcpError } from '../../src/index.js';
import { connect, lengthPrefixed, listen } from '../../src/index.js';
import { connectionSettings, serverSettings } from '../../src/settings.js';
import { nodeEnvironment } from '../../src/socket/node.js';

const MiB = 2 ** 20;
const connection = (options: object) => connectionSettings({ port: 1, ...options } as ConnectOptions, nodeEnvironment);
const server = (options: object) => serverSettings({ port: 0, ...options } as ListenOptions, nodeEnvironment);

const told = (doing: () => unknown): string => {
  try {
    doing();
    return 'taken';
  } catch (error) {
    expect((error as NinjaTcpError).code).toBe('NINJA_INVALID_OPTION');
    return (error as Error).message;
  }
};

describe('computed defaults', () => {
  const computed: [object, object][] = [
    [{ staleAfter: 3000 }, { heartbeatInterval: 1000 }],
    [{ staleAfter: 30_000 }, { heartbeatInterval: 1000 }],
    [{ staleAfter: 2999 }, { heartbeatInterval: 999 }],
    [{ staleAfter: 50 }, { heartbeatInterval: 16 }],
    [{ staleAfter: 0 }, { heartbeatInterval: 1000 }],
    [{ framing: lengthPrefixed({ bytes: 1 }) }, { maxFrameLength: 255, outboxBytes: 8 * MiB, highWaterMark: MiB }],
    [{ framing: lengthPrefixed({ bytes: 2 }) }, { maxFrameLength: 65_535 }],
    [{ framing: lengthPrefixed({ bytes: 2, includesHeader: true }) }, { maxFrameLength: 65_533 }],
    [{ maxFrameLength: 100 * MiB }, { outboxBytes: 101 * MiB, highWaterMark: MiB }],
    [{ maxFrameLength: 1000 }, { outboxBytes: 8 * MiB, highWaterMark: MiB }],
    [{ highWaterMark: 20 * MiB }, { outboxBytes: 28 * MiB }],
    [{ maxFrameLength: 2 ** 31 - 1 }, { outboxBytes: 2 ** 31 - 1, highWaterMark: MiB }],
    [{ maxFrameLength: 1000, outboxBytes: 5000 }, { highWaterMark: 4000 }],
  ];
  test.each(computed)('%o gives %o', (given, expected) => {
    expect(connection(given)).toMatchObject(expected);
    expect(server(given)).toMatchObject(expected);
  });
});

describe('contradictions', () => {
  const rows: [object, string][] = [
    [{ heartbeatInterval: 1501 }, 'heartbeatInterval must be 0 (off) or at most half of staleAfter, 1500 ms, got 1501'],
    [
      { staleAfter: 50, heartbeatInterval: 26 },
      'heartbeatInterval must be 0 (off) or at most half of staleAfter, 25 ms, got 26',
    ],
    [
      { emptyFrames: 'message' },
      "heartbeatInterval with emptyFrames: 'message' must be 0, since a heartbeat is an empty frame, got 1000",
    ],
    [
      { framing: lengthPrefixed({ bytes: 1 }), maxFrameLength: 256 },
      'maxFrameLength must be at most 255, the longest message of lengthPrefixed(1, big), got 256',
    ],
    [
      { outboxBytes: 999, maxFrameLength: 1000 },
      'outboxBytes must be at least maxFrameLength + highWaterMark, 1001, got 999',
    ],
    [{ outboxBytes: MiB }, `outboxBytes must be at least maxFrameLength + highWaterMark, ${8 * MiB + 1}, got ${MiB}`],
    [
      { outboxBytes: 2000, maxFrameLength: 1000, highWaterMark: 1001 },
      'outboxBytes must be at least maxFrameLength + highWaterMark, 2001, got 2000',
    ],
  ];
  test.each(rows)('%o is refused', (given, message) => {
    expect(told(() => connection(given))).toBe(message);
    expect(told(() => server(given))).toBe(message);
  });

  const fine: object[] = [
    { heartbeatInterval: 1500 },
    { staleAfter: 0, heartbeatInterval: 100_000 },
    { emptyFrames: 'message', heartbeatInterval: 0 },
    { framing: lengthPrefixed({ bytes: 1 }), maxFrameLength: 255 },
    { outboxBytes: 2000, maxFrameLength: 1000, highWaterMark: 1000 },
  ];
  test.each(fine)('%o is taken', (given) => {
    expect(told(() => connection(given))).toBe('taken');
    expect(told(() => server(given))).toBe('taken');
  });
});

describe('other options', () => {
  test('of a connection have their defaults', () => {
    expect(connection({ port: 7 })).toMatchObject({
      endpoints: [{ host: 'localhost', port: 7, path: undefined }],
      name: 'localhost:7',
      framing: { name: 'lengthPrefixed(4, big)' },
      emptyFrames: 'heartbeat',
      whenDisconnected: 'queue',
      discardIncoming: false,
      copy: false,
      noDelay: true,
      backoff: undefined,
      onConnect: undefined,
      localAddress: undefined,
      localPort: undefined,
      lookup: undefined,
      tls: undefined,
      environment: nodeEnvironment,
    });
    expect(connection({ host: '' }).endpoints[0].host).toBe('localhost');
    expect(connection({ host: '::1', port: 7 }).name).toBe('[::1]:7');
    expect([connection({ tls: false }).tls, connection({ tls: true }).tls]).toEqual([undefined, {}]);
    expect(connection({ port: undefined, path: '/x' })).toMatchObject({
      endpoints: [{ port: undefined, path: '/x' }],
      name: '/x',
    });
  });

  test('of a server have their defaults', () => {
    expect(server({ port: 7 })).toMatchObject({
      host: undefined,
      port: 7,
      name: '*:7',
      backlog: undefined,
      tls: undefined,
      proxyProtocol: undefined,
      blockList: undefined,
      noDelay: true,
    });
    expect(server({ port: 7, host: '::1' }).name).toBe('::1:7');
    const trusts = (proxyProtocol: unknown, address: string) =>
      server({ proxyProtocol }).proxyProtocol?.trusted.check(address, 'ipv4');
    expect([trusts(true, '127.9.9.9'), trusts(true, '10.0.0.1'), trusts(false, '127.0.0.1')]).toEqual([
      true,
      false,
      undefined,
    ]);
    const list = new BlockList();
    list.addSubnet('10.0.0.0', 8, 'ipv4');
    expect([trusts({ trusted: list }, '10.0.0.1'), trusts({ trusted: ['10.0.0.2'] }, '10.0.0.1')]).toEqual([
      true,
      false,
    ]);
    expect(server({ port: undefined, path: '/x' })).toMatchObject({ port: undefined, path: '/x', name: '/x' });
  });

  const WHOLE_BYTES = 'must be a whole number of bytes from 1 to 2147483647';
  const STALE_AFTER = 'staleAfter must be a whole number of ms from 50 to 2147483647, or 0 (off)';
  const bad: [string, object, (options: object) => unknown, string][] = [
    ['port', { port: 0 }, connection, 'port must be a whole number from 1 to 65535, got 0'],
    ['port', { port: 65_536 }, connection, 'port must be a whole number from 1 to 65535, got 65536'],
    ['port', { port: undefined }, connection, 'port must be a whole number from 1 to 65535, got undefined'],
    ['port', { port: '80' }, connection, "port must be a whole number from 1 to 65535, got '80'"],
    ['port', { port: 1.5 }, connection, 'port must be a whole number from 1 to 65535, got 1.5'],
    ['port', { port: Number.NaN }, connection, 'port must be a whole number from 1 to 65535, got NaN'],
    ['port', { port: -1 }, server, 'port must be a whole number from 0 to 65535, got -1'],
    ['port', { port: 65_536 }, server, 'port must be a whole number from 0 to 65535, got 65536'],
    ['path', { port: undefined, path: '' }, connection, "path must be the path of a socket, got ''"],
    ['path', { port: undefined, path: 7 }, server, 'path must be the path of a socket, got 7'],
    ['path and port', { path: '/x' }, server, "path must be given without host, port, got 'path and port'"],
    [
      'path and host',
      { port: undefined, path: '/x', host: 'h' },
      server,
      "path must be given without host, port, got 'path and host'",
    ],
    [
      'path and lookup',
      { port: undefined, path: '/x', lookup() {} },
      connection,
      "path must be given without host, port, localAddress, localPort, lookup, got 'path and lookup'",
    ],
    ['tls', { tls: 'yes' }, connection, "tls must be the options of node:tls, got 'yes'"],
    ['tls', { tls: null }, connection, 'tls must be the options of node:tls, got null'],
    ['tls', { tls: true }, server, 'tls must be the options of node:tls, got true'],
    ['tls', { tls: {}, environment: {} }, server, 'tls: the environment that was given knows no TLS'],
    [
      'blockList',
      { blockList: '10.0.0.1' },
      server,
      "blockList must be a list of addresses, or a net.BlockList, got '10.0.0.1'",
    ],
    [
      'blockList',
      { blockList: ['10.0.0.300'] },
      server,
      "blockList must be a list of addresses and networks, such as 10.0.0.0/8, got '10.0.0.300'",
    ],
    ['proxyProtocol', { proxyProtocol: 'yes' }, server, "proxyProtocol must be true, false or { trusted }, got 'yes'"],
    ['proxyProtocol', { proxyProtocol: null }, server, 'proxyProtocol must be true, false or { trusted }, got null'],
    [
      'proxyProtocol',
      { proxyProtocol: {} },
      server,
      'proxyProtocol.trusted must be a list of addresses, or a net.BlockList, got undefined',
    ],
    [
      'proxyProtocol',
      { proxyProtocol: { trusted: ['10.0.0.0/8', '10.0.0.0/33'] } },
      server,
      "proxyProtocol.trusted must be a list of addresses and networks, such as 10.0.0.0/8, got '10.0.0.0/33'",
    ],
    ['localPort', { localPort: 0 }, connection, 'localPort must be a whole number from 1 to 65535, got 0'],
    ['host', { host: 7 }, connection, 'host must be a name or an address, got 7'],
    ['host', { host: null }, server, 'host must be a name or an address, got null'],
    ['name', { name: 7 }, connection, 'name must be a string, got 7'],
    ['localAddress', { localAddress: 7 }, connection, 'localAddress must be an address, got 7'],
    ['backoff', { backoff: 100 }, connection, 'backoff must be a function (failures, reason) => ms | false, got 100'],
    ['onConnect', { onConnect: 'x' }, connection, "onConnect must be a function, got 'x'"],
    ['lookup', { lookup: {} }, connection, 'lookup must be a function like dns.lookup, got a Object'],
    [
      'whenDisconnected',
      { whenDisconnected: 'drop' },
      connection,
      "whenDisconnected must be 'queue' or 'fail', got 'drop'",
    ],
    ['emptyFrames', { emptyFrames: true }, connection, "emptyFrames must be 'heartbeat' or 'message', got true"],
    ['discardIncoming', { discardIncoming: 1 }, connection, 'discardIncoming must be true or false, got 1'],
    ['copy', { copy: 'yes' }, server, "copy must be true or false, got 'yes'"],
    ['noDelay', { noDelay: 0 }, server, 'noDelay must be true or false, got 0'],
    ['staleAfter', { staleAfter: 3000n }, connection, `${STALE_AFTER}, got 3000`],
    ['staleAfter', { staleAfter: Object.create(null) }, server, `${STALE_AFTER}, got a object`],
    ['maxFrameLength', { maxFrameLength: 1n }, server, `maxFrameLength ${WHOLE_BYTES}, got 1`],
    ['outboxBytes', { outboxBytes: Symbol('x') }, connection, `outboxBytes ${WHOLE_BYTES}, got Symbol(x)`],
    ['framing', { framing: {} }, connection, 'framing must be a framing, such as lengthPrefixed(), got a Object'],
    [
      'framing',
      { framing: { maxLength: 9n } },
      server,
      'framing must be a framing, such as lengthPrefixed(), got a Object',
    ],
    ['framing', { framing: 'x' }, connection, "framing must be a framing, such as lengthPrefixed(), got 'x'"],
    ['environment', { environment: null }, connection, 'environment must be an Environment, got null'],
    ['signal', { signal: 42 }, connection, 'signal must be an AbortSignal, got 42'],
    ['signal', { signal: {} }, server, 'signal must be an AbortSignal, got a Object'],
    ['backlog', { backlog: 0 }, server, 'backlog must be a whole number from 1, got 0'],
    ['backlog', { backlog: 1.5 }, server, 'backlog must be a whole number from 1, got 1.5'],
  ];
  test.each(bad)('%s: %o is refused', (_, given, take, message) => {
    expect(told(() => take(given))).toBe(message);
  });

  const calls: [string, unknown, string][] = [
    ['nothing', undefined, 'got undefined'],
    ['null', null, 'got null'],
    ['a number', 65_432, 'got 65432'],
  ];
  test.each(calls)('%s instead of options is refused at the call', async (_, given, end) => {
    expect(told(() => connect(given as ConnectOptions))).toBe(`connect(options) must be an object, ${end}`);
    await expect(listen(given as ListenOptions)).rejects.toMatchObject({
      code: 'NINJA_INVALID_OPTION',
      message: `listen(options) must be an object, ${end}`,
    });
  });

  test('a long value is shown short', () => {
    expect(told(() => connection({ whenDisconnected: 'x'.repeat(1000) })).length).toBeLessThan(120);
  });
});

describe('what is not an option', () => {
  test.each(['connect', 'listen'] as const)('is refused by %s, named', (call) => {
    const given = { port: 1, staleAfer: 1 };
    const make = () =>
      call === 'connect' ? connectionSettings(given, nodeEnvironment) : serverSettings(given, nodeEnvironment);
    expect(make).toThrow(`${call}: staleAfer is not an option; see docs/options.md`);
  });

  test('of a server is none of a connection, and the other way round', () => {
    const listening = { port: 1, maxConnections: 3 };
    const dialing = { port: 1, maxAttempts: 3 };
    expect(() => connectionSettings(listening, nodeEnvironment)).toThrow('connect: maxConnections is not an option');
    expect(() => serverSettings(dialing, nodeEnvironment)).toThrow('listen: maxAttempts is not an option');
  });
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Acceptor, type DialTarget, type ListenTarget, nodeEnvironment, type Transport } from '../../src/index.js';
import { as, ca } from './certificates.js';
import { later, until } from './support.js';

/** What an owner heard. A call from inside a call to the transport is noted as such: there must be none. */
interface Side {
  readonly transport: Transport;
  readonly heard: string[];
  readonly received: number[];
  readonly bytes: Buffer;
  /** Calls the transport. */
  call<T>(how: (transport: Transport) => T): T;
}

function own(transport: Transport): Side {
  const heard: string[] = [];
  const chunks: Buffer[] = [];
  let inside = false;
  const hear = (what: string) => heard.push(inside ? `${what} from inside` : what);
  transport.attach({
    opened: () => hear('opened'),
    chunk: (bytes) => {
      if (inside) hear('chunk');
      chunks.push(Buffer.from(bytes));
    },
    ended: () => hear('ended'),
    failed: (error) => hear(`failed ${(error as NodeJS.ErrnoException).code}`),
    closed: () => hear('closed'),
  });
  return {
    transport,
    heard,
    get received() {
      return chunks.map(({ length }) => length);
    },
    get bytes() {
      return Buffer.concat(chunks);
    },
    call(how) {
      inside = true;
      try {
        return how(transport);
      } finally {
        inside = false;
      }
    },
  };
}

type Kind = { readonly name: string; readonly dial: Partial<DialTarget>; readonly listen: Partial<ListenTarget> };
const secured = (version: 'TLSv1.2' | 'TLSv1.3'): Kind => ({
  name: version,
  dial: { tls: { ca, servername: 'localhost' } },
  listen: { tls: { ...as('server'), minVersion: version, maxVersion: version } },
});

/** An open line, both ends in our hands. */
async function pair({ dial, listen }: Kind, path?: string): Promise<[near: Side, far: Side]> {
  const accepted: Transport[] = [];
  let port = 0;
  const at = path === undefined ? { host: '127.0.0.1', port: 0 } : { path };
  const acceptor: Acceptor = nodeEnvironment.listen(
    { ...at, noDelay: true, ...listen },
    {
      listening: (address) => {
        port = address.port;
      },
      accepted: (transport) => {
        if (!acceptor.secure) accepted.push(transport);
        else {
          acceptor.secure(transport, Buffer.alloc(0), (inner, error) => {
            if (inner) accepted.push(inner);
            else throw error;
          });
        }
      },
      failed: (error) => {
        throw error;
      },
    },
  );
  later(() => acceptor.close());
  await until(() => port > 0 || path !== undefined);
  const target = path === undefined ? { host: '127.0.0.1', port } : { host: '', path };
  const near = own(nodeEnvironment.dial({ ...target, noDelay: true, ...dial }));
  later(() => near.transport.destroy());
  await until(() => accepted.length > 0 && near.heard.length > 0);
  const far = own(accepted[0] as Transport);
  later(() => far.transport.destroy());
  return [near, far];
}

const MiB = 2 ** 20;
/** More than the kernels and OpenSSL take for a reader that does not read. */
const MUCH = 24 * MiB;

const kinds: Kind[] = [
  { name: 'TCP', dial: {}, listen: {} },
  { name: 'a Unix domain socket', dial: {}, listen: {} },
  secured('TLSv1.3'),
  secured('TLSv1.2'),
];

describe.each(kinds)('a transport over $name', (kind) => {
  const isPath = kind.name.startsWith('a Unix');
  const open = () => {
    if (!isPath) return pair(kind);
    const folder = mkdtempSync(join(tmpdir(), 'ninja-'));
    later(() => rmSync(folder, { recursive: true, force: true }));
    return pair(kind, join(folder, 'x.sock'));
  };

  test('says opened once to who dialed, and nothing to who accepted', async () => {
    const [near, far] = await open();
    expect([near.heard, far.heard]).toEqual([['opened'], []]);
  });

  test('carries all bytes, in order, both ways at once, corked and not', async () => {
    const [near, far] = await open();
    const bytes = Buffer.from(Array.from({ length: 4 * MiB }, (_, i) => i * 31));
    for (const side of [near, far]) {
      for (let at = 0; at < bytes.length; at += 200_000) {
        side.call((transport) => {
          transport.cork();
          transport.write(bytes.subarray(at, at + 70_000), () => {});
          transport.write(bytes.subarray(at + 70_000, at + 200_000), () => {});
          transport.uncork();
        });
      }
    }
    await until(() => near.bytes.length >= bytes.length && far.bytes.length >= bytes.length);
    expect([near.bytes.equals(bytes), far.bytes.equals(bytes)]).toEqual([true, true]);
    expect([near.heard, far.heard]).toEqual([['opened'], []]);
  });

  test('passes on: who is attached second hears from then on, and the first no more', async () => {
    const [near, far] = await open();
    near.call((transport) => transport.write(Buffer.from('first'), () => {}));
    await until(() => far.bytes.length === 5);
    expect(far.transport.passesOn).toBe(true);
    const second = own(far.transport);
    near.call((transport) => transport.write(Buffer.from('second'), () => {}));
    near.call((transport) => transport.end(() => {}));
    await until(() => second.heard.length > 0);
    expect([far.bytes.toString(), far.heard, second.bytes.toString(), second.heard]).toEqual([
      'first',
      [],
      'second',
      ['ended'],
    ]);
  });

  test('ends one direction only: the other side goes on writing; both FINs close both', async () => {
    const [near, far] = await open();
    let finished = 0;
    near.call((transport) => transport.write(Buffer.from('last'), () => {}));
    near.call((transport) => transport.end(() => (finished += 1)));
    await until(() => far.heard.includes('ended'));
    expect([String(far.bytes), finished, near.heard]).toEqual(['last', 1, ['opened']]);
    let written = 0;
    far.call((transport) => transport.write(Buffer.alloc(MiB), () => (written += 1)));
    await until(() => near.bytes.length === MiB);
    far.call((transport) => transport.end(() => (finished += 1)));
    await until(() => near.heard.includes('closed') && far.heard.includes('closed'));
    expect([near.heard, far.heard]).toEqual([
      ['opened', 'ended', 'closed'],
      ['ended', 'closed'],
    ]);
    expect([written, finished]).toEqual([1, 2]);
  });

  test('counts what the kernel has not taken, and calls back when it has; the FIN comes behind', async () => {
    const [near, far] = await open();
    far.call((transport) => transport.pause());
    const piece = Buffer.alloc(64 * 1024, 7);
    let taken = 0;
    for (let sent = 0; sent < MUCH; sent += piece.length) {
      near.call((transport) => transport.write(piece, (error) => (taken += error ? 0 : piece.length)));
    }
    let finished = false;
    near.call((transport) => transport.end(() => (finished = true)));
    // The kernels' buffers are full when nothing has moved for a while.
    let seen = -1;
    for (let still = 0; still < 20; still = near.transport.pendingBytes === seen ? still + 1 : 0) {
      seen = near.transport.pendingBytes;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect(near.transport.pendingBytes).toBeGreaterThan(MUCH / 2);
    expect(taken + near.transport.pendingBytes).toBe(MUCH);
    expect([finished, far.heard]).toEqual([false, []]);
    far.call((transport) => transport.resume());
    await until(() => finished && far.heard.includes('ended'));
    expect([taken, near.transport.pendingBytes, far.bytes.length]).toEqual([MUCH, 0, MUCH]);
  });

  test('hands over nothing while it is paused, and all of it afterwards', async () => {
    const [near, far] = await open();
    far.call((transport) => transport.pause());
    near.call((transport) => transport.write(Buffer.alloc(100_000, 1), () => {}));
    let answered = false;
    far.call((transport) => transport.write(Buffer.from('x'), () => {}));
    await until(() => near.bytes.length > 0);
    near.call((transport) => transport.write(Buffer.from('y'), () => (answered = true)));
    await until(() => answered);
    expect(far.received).toEqual([]);
    far.call((transport) => transport.resume());
    await until(() => far.bytes.length === 100_001);
  });

  test('destroyed says closed, never finished; the other side hears of an end', async () => {
    const [near, far] = await open();
    far.call((transport) => transport.pause());
    let finished = false;
    near.call((transport) => transport.write(Buffer.alloc(MUCH), () => {}));
    near.call((transport) => transport.end(() => (finished = true)));
    near.call((transport) => transport.destroy());
    await until(() => near.heard.includes('closed'));
    expect([near.heard, finished]).toEqual([['opened', 'closed'], false]);
    far.call((transport) => transport.resume());
    await until(() => far.heard.length > 0);
    expect(far.heard[0]).toMatch(/^(ended|failed ECONNRESET)$/);
    expect(far.bytes.length).toBeLessThan(MUCH);
  });

  // A Unix domain socket knows no RST: the other side hears of an end, and may be writing still.
  const told = isPath ? ['ended'] : ['failed ECONNRESET', 'closed'];
  test(`reset says closed; the other side hears ${told.join(', ')}`, async () => {
    const [near, far] = await open();
    // TLS has sent tickets; and a reset that comes along with bytes is told as an end, by libuv.
    far.call((transport) => transport.write(Buffer.from('x'), () => {}));
    await until(() => near.bytes.length > 0);
    far.call((transport) => transport.reset());
    await until(() => near.heard.length > told.length && far.heard.includes('closed'));
    expect([near.heard, far.heard]).toEqual([['opened', ...told], ['closed']]);
  });

  test('broken with bytes pending does not call them taken before it says so', async () => {
    const [near, far] = await open();
    far.call((transport) => transport.pause());
    const piece = Buffer.alloc(64 * 1024);
    let taken = 0;
    let takenBefore = -1;
    for (let sent = 0; sent < MUCH; sent += piece.length) {
      near.call((transport) =>
        transport.write(piece, (error) => {
          if (!error && !near.heard.some((line) => line.startsWith('failed'))) taken += piece.length;
        }),
      );
    }
    takenBefore = taken;
    far.call((transport) => transport.reset());
    await until(() => near.heard.includes('closed'));
    // Linux tells a reset once: where a write has met it, the read meets an end.
    expect(near.heard.join()).toMatch(/^opened,(ended,)?failed (ECONNRESET|EPIPE),closed$/);
    expect([takenBefore, taken < MUCH / 2]).toEqual([0, true]);
  });

  test('tells who is at the other end, and what TLS has agreed on', async () => {
    const [near, far] = await open();
    const known = isPath ? undefined : '127.0.0.1';
    expect([near.transport.remoteAddress, far.transport.remoteAddress]).toEqual([known, known]);
    expect(near.transport.remotePort).toBe(far.transport.localPort);
    const version = kind.name.startsWith('TLS') ? kind.name : undefined;
    expect([near.transport.tls?.protocol, far.transport.tls?.protocol]).toEqual([version, version]);
  });

  test('does not keep the process alive when it is told so, before and after it is open', async () => {
    const [near] = await open();
    expect(() => {
      near.transport.unref();
      near.transport.ref();
      near.transport.unref();
    }).not.toThrow();
  });
});

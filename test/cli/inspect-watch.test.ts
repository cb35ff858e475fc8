import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { connect, listen } from '../../src/index.js';
import { type Inspector, startInspector } from '../../src/inspector/index.js';
import { deadPort, Program, rawServer, startEcho, suite } from './program.js';

const later: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of later.splice(0).reverse()) await close();
});

async function inspect(...args: string[]): Promise<{ program: Program; url: string }> {
  const program = new Program('inspect', ...args);
  const [, url] = await program.until('stdout', /^open (http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43})\n/);
  return { program, url: url as string };
}

/** An inspector of this process, with a server and a connection to see. */
async function here(): Promise<{ inspector: Inspector; url: string; connection: ReturnType<typeof connect> }> {
  const server = await listen({ host: '127.0.0.1', port: 0, name: 'inn' }, async (peer) => {
    for await (const message of peer) peer.send(message);
  });
  const connection = connect({ host: '127.0.0.1', port: server.address()?.port ?? 0, name: 'till \x1b[2J7' });
  const inspector = await startInspector();
  later.push(
    () => server.dispose(),
    () => connection.dispose(),
    () => inspector.close(),
  );
  await connection.connected({ proven: true });
  return { inspector, url: inspector.url, connection };
}

const order = async (url: string, path: string, body: unknown): Promise<number> => {
  const headers = { authorization: `Bearer ${new URL(url).searchParams.get('token')}` };
  return (await fetch(new URL(path, url), { method: 'POST', headers, body: JSON.stringify(body) })).status;
};

suite('ninja-tcp inspect', () => {
  it('connects, prints the address of its page, and ends on SIGTERM', async () => {
    const { port } = await startEcho();
    const { program, url } = await inspect(`127.0.0.1:${port}`);
    await program.until('stderr', /live: the first byte came/);
    const told = new Program('watch', url, '--once', '--json');
    expect(await told.end).toBe(0);
    expect(JSON.parse(told.stdout)).toMatchObject({ kind: 'connection', name: `127.0.0.1:${port}`, substate: 'live' });
    program.child.kill('SIGTERM');
    expect(await program.end).toBe(0);
    expect(program.stderr).toContain('disposed: closed; both sides sent their FIN');
  });

  it('ends on SIGINT while the line is down', async () => {
    const { program } = await inspect(`localhost:${await deadPort()}`);
    await program.until('stderr', /disconnected: /);
    program.child.kill('SIGINT');
    expect(await program.end).toBe(0);
  });

  it('ends at once on a second signal, also where its server answers no FIN', async () => {
    const port = await rawServer((socket) => socket.write(Buffer.alloc(4)));
    const { program } = await inspect(`127.0.0.1:${port}`, '--stale-after', '0');
    await program.until('stderr', /live/);
    program.child.kill('SIGINT');
    program.child.kill('SIGTERM');
    expect(await program.end).toBe(0);
  });

  it('takes orders from its page only when told to, and stays while the line is not wanted', async () => {
    const { port } = await startEcho();
    const shy = await inspect(`127.0.0.1:${port}`);
    expect(await order(shy.url, '/control', { id: 'connection-1', order: 'dispose' })).toBe(403);
    const { program, url } = await inspect(`127.0.0.1:${port}`, '--allow-control');
    await program.until('stderr', /live/);
    const watching = new Program('watch', url, '--json');
    await watching.until('stdout', /"id":"connection-1"/);
    expect(await order(url, '/control', { id: 'connection-1', order: 'disconnect' })).toBe(200);
    await watching.until('stdout', /"substate":"idle"/);
    expect(await order(url, '/control', { id: 'connection-1', order: 'connect' })).toBe(200);
    await watching.until('stdout', /"substate":"idle".*"substate":"live"/s);
    expect(await order(url, '/control', { id: 'connection-1', order: 'dispose' })).toBe(200);
    expect(await program.end).toBe(0);
    expect(await watching.end).toBe(1);
  });

  it('says that the port of its page is taken', async () => {
    const { inspector } = await here();
    const program = new Program('inspect', '127.0.0.1:1', '--port', `${inspector.port}`);
    expect(await program.end).toBe(1);
    expect(program.stderr).toMatch(/^ninja-tcp: the inspector cannot listen: listen EADDRINUSE.*\n$/);
  });
});

suite('ninja-tcp watch', () => {
  it('prints how it stands, then a line for each status, when it is piped', async () => {
    const { url, connection } = await here();
    const program = new Program('watch', url);
    await program.until('stdout', /^\d\d:\d\d:\d\d {2}till ·\[2J7 connected \(live\) since .*\n/);
    connection.disconnect();
    await program.until('stdout', /\n\d\d:\d\d:\d\d {2}disconnected \(idle\), by disconnect: .*\n/);
    program.child.kill('SIGINT');
    expect(await program.end).toBe(0);
    expect(program.stderr).toBe('');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be there
    expect(program.stdout).not.toMatch(/\x1b/);
  });

  it('shows the picture once', async () => {
    const { url } = await here();
    const program = new Program('watch', url, '--once');
    expect(await program.end).toBe(0);
    expect(program.stdout).toContain('┃ ● live     ┃');
    expect(program.stdout).toMatch(/^till ·\[2J7 {2}1 of 3\n/);
    expect(program.stdout).toMatch(/\nsilence +[█░]{30} {2}[\d,]+ ms\n/);
    expect(program.stdout).toMatch(/\nsent {6}0\/s {2}0 bytes\/s {2}0 in all\n/);
    expect(program.stdout).toMatch(/\n\d\d:\d\d:\d\d {2}connected \(live\), by socket\.heard\n/);
  });

  it('follows whom it is told to, and whoever comes next when that one is gone', async () => {
    const { url, connection } = await here();
    const named = new Program('watch', url, 'inn', '--once', '--json');
    expect(await named.end).toBe(0);
    expect(JSON.parse(named.stdout)).toMatchObject({ kind: 'server', name: 'inn', state: 'listening' });
    const nobody = new Program('watch', url, 'nobody', '--once');
    expect(await nobody.end).toBe(1);
    expect(nobody.stderr).toBe('ninja-tcp: Nobody lives there by that name.\n');
    const program = new Program('watch', url, '--json');
    await program.until('stdout', /"kind":"connection".*"substate":"live"/);
    await connection.dispose();
    await program.until('stdout', /"state":"disposed".*\n.*"kind":"server"/);
    const lines = program.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ state }) => state)).toEqual(['connected', 'disposed', 'listening']);
    expect(lines[1]).toEqual({
      id: expect.stringMatching(/^connection-\d+$/),
      kind: 'connection',
      name: 'till \x1b[2J7',
      state: 'disposed',
      at: expect.closeTo(Date.now(), -5),
      epoch: 1,
      cause: 'dispose',
      reason: { code: 'NINJA_DISPOSED', message: 'the program called dispose()', at: expect.any(Number), epoch: 1 },
    });
  });

  it('says why there is nothing to see', async () => {
    const { inspector, url } = await here();
    const wrong = new Program('watch', `${url}x`);
    expect(await wrong.end).toBe(1);
    expect(wrong.stderr).toMatch(/^ninja-tcp: The inspector refused \(403\): The token is missing or wrong/);
    const dead = new Program('watch', `http://127.0.0.1:${await deadPort()}/?token=x`);
    expect(await dead.end).toBe(1);
    expect(dead.stderr).toMatch(/^ninja-tcp: There is no inspector at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
    const watching = new Program('watch', url);
    await watching.until('stdout', /connected \(live\)/);
    await inspector.close();
    expect(await watching.end).toBe(1);
    expect(watching.stderr).toMatch(/^ninja-tcp: The (inspector was closed|process is gone)\.\n$/);
  });

  it.each([
    ['text', 'hello\n\n'],
    ['JSON of another kind', 'data: 7\n\ndata: null\n\n'],
  ])('says that something else answers there: %s', async (_, said) => {
    const server = createServer((_, response) => void response.end(said)).listen(0, '127.0.0.1');
    later.push(() => server.close());
    await new Promise((resolve) => server.once('listening', resolve));
    const program = new Program('watch', `http://127.0.0.1:${(server.address() as AddressInfo).port}/?token=x`);
    expect(await program.end).toBe(1);
    expect(program.stderr).toBe('ninja-tcp: That is no inspector.\n');
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { deadPort, ear, Program, rawServer, startEcho, suite } from './program.js';

/** A heartbeat. */
const BEAT = Buffer.from([0, 0, 0, 0]);
const HELLO = Buffer.from([0, 0, 0, 5, 0x68, 0x65, 0x6c, 0x6c, 0x6f]);
const BYE = Buffer.from([0, 0, 0, 3, 0x62, 0x79, 0x65]);

suite('ninja-tcp echo', () => {
  it('gives back whole messages to a plain client, and parts with it on SIGTERM', async () => {
    const { program, port } = await startEcho();
    const socket = connect({ port: Number(port), host: '127.0.0.1' });
    const heard = ear(socket);
    socket.write(HELLO.subarray(0, 3));
    expect(await heard.until(4)).toEqual(BEAT);
    socket.write(HELLO.subarray(3));
    expect(await heard.until(13)).toEqual(Buffer.concat([BEAT, HELLO]));
    program.child.kill('SIGTERM');
    await once(socket, 'end');
    expect(await program.end).toBe(0);
    expect(program.stdout).toBe(`listening on 127.0.0.1:${port}\n`);
    expect(program.stderr).toBe('SIGTERM: closing 1 peer; a second signal ends at once\n');
  });

  it('does not wait for a client that answers no FIN when a second signal comes', async () => {
    const { program, port } = await startEcho();
    const socket = connect({ port: Number(port), host: '127.0.0.1', allowHalfOpen: true });
    await ear(socket).until(4);
    program.child.kill('SIGINT');
    await once(socket, 'end');
    program.child.kill('SIGINT');
    expect(await program.end).toBe(0);
  });

  it('says that a port is taken', async () => {
    const { port } = await startEcho();
    const second = new Program('echo', '--port', port);
    expect(await second.end).toBe(1);
    expect(second.stderr).toMatch(/^ninja-tcp: cannot listen on 127\.0\.0\.1:\d+: listen EADDRINUSE.*\n$/);
  });
});

suite('ninja-tcp connect', () => {
  it('sends lines, prints what comes, and at the end of the input still hears the answers', async () => {
    const { port } = await startEcho();
    const program = new Program('connect', '127.0.0.1', port);
    program.child.stdin.end('one\n\nzwölf\r\nno end of line');
    expect(await program.end).toBe(0);
    expect(program.stdout).toBe('one\nzwölf\nno end of line\n');
    expect(program.stderr).toContain('empty lines are not sent: an empty message is a heartbeat');
    expect(program.stderr).toContain('disposed: closed; both sides sent their FIN');
  });

  it('speaks these bytes, and prints what comes behind its FIN', async () => {
    let bytes: Buffer | undefined;
    const port = await rawServer(async (socket) => {
      const heard = ear(socket);
      await once(socket, 'end');
      bytes = await heard.until(0);
      socket.end(BYE);
    });
    const program = new Program('connect', '127.0.0.1', port);
    program.child.stdin.end('hello\n');
    expect(await program.end).toBe(0);
    expect(bytes).toEqual(Buffer.concat([BEAT, HELLO]));
    expect(program.stdout).toBe('bye\n');
  });

  it('closes gracefully on SIGTERM while the input is open', async () => {
    const { port } = await startEcho();
    const program = new Program('connect', '127.0.0.1', port);
    program.child.stdin.write('hello\n');
    await program.until('stdout', /^hello\n/);
    program.child.kill('SIGTERM');
    expect(await program.end).toBe(0);
    expect(program.stderr).toContain('disposed: closed; both sides sent their FIN');
  });

  it('heals when its server is killed and comes again, and sends what was entered meanwhile', async () => {
    const first = await startEcho();
    const program = new Program('connect', '127.0.0.1', first.port);
    program.child.stdin.write('before\n');
    await program.until('stdout', /^before\n/);
    first.program.child.kill('SIGKILL');
    await program.until('stderr', /disconnected: /);
    program.child.stdin.write('meanwhile\n');
    await startEcho(first.port);
    await program.until('stdout', /^before\nmeanwhile\n/);
    program.child.stdin.end('after');
    expect(await program.end).toBe(0);
    expect(program.stdout).toBe('before\nmeanwhile\nafter\n');
  });

  it('waits for a line when the input ends before there is one', async () => {
    const port = await deadPort();
    const program = new Program('connect', '127.0.0.1', port);
    program.child.stdin.end('patience\n');
    await program.until('stderr', /attempt 2/);
    await startEcho(port);
    expect(await program.end).toBe(0);
    expect(program.stdout).toBe('patience\n');
  });

  it('gives up after --max-attempts, and says what was not sent', async () => {
    const program = new Program('connect', '127.0.0.1', await deadPort(), '--max-attempts', '2');
    program.child.stdin.write('hello\n');
    expect(await program.end).toBe(1);
    expect(program.stderr).toContain('dropped: 1 message will not be sent (NINJA_GAVE_UP)');
    expect(program.stderr).toMatch(/gave up: connect ECONNREFUSED/);
  });

  it('names the first bytes of a server that speaks something else', async () => {
    const port = await rawServer((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const program = new Program('connect', '127.0.0.1', port, '--max-attempts', '1');
    expect(await program.end).toBe(1);
    expect(program.stderr).toContain('48 54 54 50 2f 31 2e 31');
  });

  it('throws a silent line away after --stale-after', async () => {
    const port = await rawServer(() => {});
    const program = new Program('connect', '127.0.0.1', port, '--stale-after', '60', '--max-attempts', '1');
    expect(await program.end).toBe(1);
    expect(program.stderr).toMatch(/stale: silent for \d+ ms; the socket is thrown away/);
  });

  it('prints JSON lines only with --json, and bytes that are not UTF-8 as base64', async () => {
    const { port } = await startEcho();
    const program = new Program('connect', '127.0.0.1', port, '--json');
    program.child.stdin.write(Buffer.from([0x68, 0x69, 0x0a, 0xff, 0xfe, 0x0a]));
    await program.until('stdout', /base64/);
    program.child.stdin.end();
    expect(await program.end).toBe(0);
    expect(program.stderr).toBe('');
    const events = program.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events.filter(({ type }) => type === 'message')).toEqual([
      { type: 'message', text: 'hi' },
      { type: 'message', base64: '//4=' },
    ]);
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['connecting', 'connected', 'live', 'disposed']),
    );
    expect(events.at(-1)).toMatchObject({ type: 'disposed', reason: { code: 'NINJA_DISPOSED' } });
  });

  it('passes more than all buffers hold, in order, at the pace of a slow reader', async () => {
    const { port } = await startEcho();
    const program = new Program('connect', '127.0.0.1', port);
    const lines = Array.from({ length: 100_000 }, (_, number) => `${number} ${'x'.repeat(200)}\n`).join('');
    program.child.stdout.pause();
    program.child.stdin.end(lines);
    await program.until('stderr', /reading paused/);
    program.child.stdout.resume();
    expect(await program.end).toBe(0);
    expect(program.stdout === lines).toBe(true);
  });
});

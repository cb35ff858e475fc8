// Processes that are killed, with sessions that outlive them: servers in front of Redis, behind haproxy; a client with a file.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { listen, type ManualMessage } from '../../src/index.js';
import { connectTo, freePort, later, until } from './support.js';
import { haproxyTo, noHaproxy } from './support-haproxy.js';
import { cannotRun, type Program, startProgram, titled } from './support-program.js';
import { noRedis, redis } from './support-redis.js';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'ninja-kept-'));
  later(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** What a server's file has: `session number text`, a line for each message that had its effect. */
function effects(file: string): { session: string; number: number; text: number }[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.map((line) => {
    const [session = '', number, text] = line.split(' ');
    return { session, number: Number(number), text: Number(text) };
  });
}

const MESSAGES = 10_000;
const why = cannotRun ?? (noRedis ? 'there is no Redis' : undefined);

describe('servers with Redis', () => {
  test.skipIf(why)(
    titled('a server that is killed 5 times at full speed: each message has its effect once, in order', why),
    async () => {
      const { url } = await redis();
      const file = join(folder(), 'effects');
      const port = await freePort();
      const start = async (): Promise<Program> => {
        const program = startProgram(later, 'kept_server', { url, file, port, acknowledge: 'manual' });
        await program.hears('listening');
        return program;
      };
      let server = await start();
      const connection = connectTo(port, { backoff: () => 20, session: true });
      const lost: unknown[] = [];
      connection.on('sessionLost', (event) => lost.push(event));
      let sent = 0;
      const send = (): void => {
        while (sent < MESSAGES && connection.send(`${sent + 1}`)) sent += 1;
      };
      const timer = setInterval(send, 5);
      later(() => clearInterval(timer));
      for (let kill = 1; kill <= 5; kill += 1) {
        await until(() => effects(file).length > (kill * MESSAGES) / 7);
        await server.kill();
        server = await start();
      }
      await until(() => sent === MESSAGES);
      await connection.flush();
      const all = effects(file);
      expect(lost).toEqual([]);
      expect(new Set(all.map(({ session }) => session)).size).toBe(1);
      expect(all.map(({ number }) => number)).toEqual(Array.from({ length: MESSAGES }, (_, index) => index + 1));
      expect(all.every(({ number, text }) => number === text)).toBe(true);
    },
  );

  test.skipIf(why)(
    titled(
      'the same without acknowledging by hand: nothing is lost; what comes twice are the last of the killed one',
      why,
    ),
    async () => {
      const { url } = await redis();
      const file = join(folder(), 'effects');
      const port = await freePort();
      const start = async (): Promise<Program> => {
        const program = startProgram(later, 'kept_server', { url, file, port, acknowledge: 'handled' });
        await program.hears('listening');
        return program;
      };
      let server = await start();
      const connection = connectTo(port, { backoff: () => 20, session: true });
      let sent = 0;
      const timer = setInterval(() => {
        while (sent < MESSAGES && connection.send(`${sent + 1}`)) sent += 1;
      }, 5);
      later(() => clearInterval(timer));
      const kills: number[] = [];
      for (let kill = 1; kill <= 3; kill += 1) {
        await until(() => effects(file).length > (kill * MESSAGES) / 5);
        await server.kill();
        kills.push(effects(file).length);
        server = await start();
      }
      await until(() => sent === MESSAGES);
      await connection.flush();
      const texts = effects(file).map(({ text }) => text);
      expect(new Set(texts).size).toBe(MESSAGES);
      // In order, but for a step back at each kill.
      const back = texts.flatMap((text, at) => (at > 0 && text !== (texts[at - 1] as number) + 1 ? [at] : []));
      expect(back.every((at) => kills.includes(at))).toBe(true);
      console.log(`${texts.length - MESSAGES} of ${MESSAGES} messages came twice over ${kills.length} kills`);
    },
  );

  const whyNot = why ?? (noHaproxy ? 'there is no haproxy' : undefined);
  test.skipIf(whyNot)(
    titled('two behind haproxy: whichever a client comes to goes on with its session', whyNot),
    async () => {
      const { url } = await redis();
      const file = join(folder(), 'effects');
      const ports = [await freePort(), await freePort()] as const;
      const started: Program[] = [];
      const start = async (port: number): Promise<Program> => {
        const program = startProgram(later, 'kept_server', { url, file, port, acknowledge: 'manual' });
        started.push(program);
        await program.hears('listening');
        return program;
      };
      const servers = await Promise.all(ports.map(start));
      const front = await haproxyTo(ports.map((port) => `127.0.0.1:${port}`));
      const connection = connectTo(front, {
        backoff: () => 30,
        session: true,
        staleAfter: 1000,
        heartbeatInterval: 200,
      });
      const lost: unknown[] = [];
      connection.on('sessionLost', (event) => lost.push(event));
      let sent = 0;
      const timer = setInterval(() => {
        for (let most = 0; most < 50 && sent < 5000 && connection.send(`${sent + 1}`); most += 1) sent += 1;
      }, 5);
      later(() => clearInterval(timer));
      // Each loses its socket now and then, and one of the servers is killed: the balancer takes turns.
      for (let turn = 1; turn <= 6; turn += 1) {
        await until(() => effects(file).length >= turn * 600);
        if (turn === 3) {
          await servers[0]?.kill();
          servers[0] = await start(ports[0]);
        } else {
          connection.reconnectNow();
        }
      }
      await until(() => sent === 5000);
      await connection.flush();
      const all = effects(file);
      expect(lost).toEqual([]);
      expect(new Set(all.map(({ session }) => session)).size).toBe(1);
      expect([...new Set(all.map(({ number }) => number))].sort((a, b) => a - b)).toEqual(
        Array.from({ length: 5000 }, (_, index) => index + 1),
      );
      // More than one has had it.
      expect(started.filter((server) => server.all('peer').length > 0).length).toBeGreaterThan(1);
    },
  );
});

describe('a client with a file', () => {
  test.skipIf(cannotRun)(
    titled('that is killed 8 times: one session, each of its messages once', cannotRun),
    async () => {
      const path = join(folder(), 'session');
      const heard: number[] = [];
      const texts = new Set<string>();
      let peers = 0;
      const server = await listen({ host: '127.0.0.1', port: 0, session: { acknowledge: 'manual' } }, (peer) => {
        peers += 1;
        peer.on('message', (message) => {
          heard.push((message as ManualMessage).number);
          texts.add(String(message));
          (message as ManualMessage).acknowledge();
        });
      });
      later(() => server.dispose());
      // Each waits for the acknowledgement of the one before, which waits for 25 ms.
      const most = 240;
      const start = (): Program => startProgram(later, 'kept_client', { path, port: server.address()?.port, most });
      let client = start();
      for (let kill = 1; kill <= 8; kill += 1) {
        await until(() => heard.length > (kill * most) / 12);
        await client.kill();
        client = start();
      }
      await client.hears('sent');
      expect([peers, heard.length]).toEqual([1, heard.at(-1)]);
      expect(heard).toEqual(Array.from({ length: heard.length }, (_, index) => index + 1));
      expect(texts.size).toBe(most);
      const [peer] = server.peers;
      expect(peer?.session?.resumes).toBeGreaterThanOrEqual(8);
    },
  );

  test.skipIf(cannotRun)(titled('whose file was changed gives up, and says so', cannotRun), async () => {
    const path = join(folder(), 'session');
    const server = await listen(
      { host: '127.0.0.1', port: 0, session: true },
      (peer) => void peer.on('message', () => {}),
    );
    later(() => server.dispose());
    const options = { path, port: server.address()?.port, most: 10 };
    const before = startProgram(later, 'kept_client', options);
    await before.hears('sent');
    await before.kill();
    appendFileSync(path, 'x'.repeat(100));
    const { code } = await startProgram(later, 'kept_client', options).hears('failed');
    expect(code).toBe('NINJA_STORE_CORRUPT');
  });
});

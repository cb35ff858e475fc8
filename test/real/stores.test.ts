// Processes that are killed, with sessions that outlive them: servers in front of Redis, behind haproxy; a client with a file.
import { appendFileSync, closeSync, existsSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Connection, listen, type ManualMessage } from '../../src/index.js';
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

/** How many there are, as it grows: only what is new is read. */
function counted(file: string): () => number {
  const part = Buffer.alloc(65_536);
  let at = 0;
  let count = 0;
  return () => {
    if (!existsSync(file)) return 0;
    const open = openSync(file, 'r');
    for (
      let read = readSync(open, part, 0, part.length, at);
      read > 0;
      read = readSync(open, part, 0, part.length, at)
    ) {
      at += read;
      for (let next = part.indexOf(10); next >= 0 && next < read; next = part.indexOf(10, next + 1)) count += 1;
    }
    closeSync(open);
    return count;
  };
}

/** The numbers from 1 on, as fast as they may go: so many, and on until it is enough. Gives the last. */
async function sendAll(connection: Connection, messages: number, enough: () => boolean): Promise<number> {
  let number = 0;
  while (number < messages || !enough()) {
    number += 1;
    if (!connection.send(String(number))) await connection.drained();
  }
  return number;
}

/** Where a list does not go up by one. */
const steps = (numbers: readonly number[]): number[] =>
  numbers.flatMap((number, at) => (number === (numbers[at - 1] ?? 0) + 1 ? [] : [at]));

const MESSAGES = 100_000;
const why = cannotRun ?? (noRedis ? 'there is no Redis' : undefined);

describe('servers with Redis', () => {
  const KILLS = 5;

  /** Messages at full speed to a server that is killed time and again. Gives how many, and how many effects there were at each kill. */
  async function killed(acknowledge: 'manual' | 'handled', answered: (number: number) => void = () => {}) {
    const { url } = await redis();
    const file = join(folder(), 'effects');
    const count = counted(file);
    const port = await freePort();
    const start = async (): Promise<Program> => {
      const program = startProgram(later, 'kept_server', { url, file, port, acknowledge });
      await program.hears('listening');
      return program;
    };
    let server = await start();
    const connection = connectTo(port, { backoff: () => 20, session: true });
    const lost: unknown[] = [];
    connection.on('sessionLost', (event) => lost.push(event));
    connection.on('message', (message) => answered(Number(message)));
    const kills: number[] = [];
    const sending = sendAll(connection, MESSAGES, () => kills.length === KILLS);
    for (let kill = 1; kill <= KILLS; kill += 1) {
      const before = count();
      await until(() => count() > before + MESSAGES / (KILLS + 2));
      await server.kill();
      kills.push(count());
      server = await start();
    }
    const sent = await sending;
    await connection.flush();
    const all = effects(file);
    expect([lost, new Set(all.map(({ session }) => session)).size]).toEqual([[], 1]);
    return { sent, kills, all };
  }

  test.skipIf(why)(
    titled(
      'a server that is killed 5 times at full speed: each message has its effect once, in order, and an answer',
      why,
    ),
    async () => {
      const answers: number[] = [];
      const { sent, all } = await killed('manual', (number) => void answers.push(number));
      expect([all.length, steps(all.map(({ number }) => number))]).toEqual([sent, []]);
      expect(all.every(({ number, text }) => number === text)).toBe(true);
      // What a killed one had not acknowledged is answered again.
      await until(() => answers.at(-1) === sent);
      const again = steps(answers);
      expect(again.length).toBeLessThanOrEqual(KILLS);
      for (const at of again) expect(answers[at]).toBeLessThanOrEqual(answers[at - 1] as number);
      console.log(`${sent} messages, ${answers.length} answers, over ${KILLS} kills`);
    },
  );

  test.skipIf(why)(
    titled(
      'the same without acknowledging by hand: nothing is lost; what comes twice are the last of the killed one',
      why,
    ),
    async () => {
      const { sent, kills, all } = await killed('handled');
      const texts = all.map(({ text }) => text);
      expect(new Set(texts).size).toBe(sent);
      // In order, but for a step back at each kill.
      expect(kills).toEqual(expect.arrayContaining(steps(texts)));
      console.log(`${texts.length - sent} of ${sent} messages came twice over ${KILLS} kills`);
    },
  );

  const whyNot = why ?? (noHaproxy ? 'there is no haproxy' : undefined);
  test.skipIf(whyNot)(
    titled('two behind haproxy: whichever a client comes to goes on with its session', whyNot),
    async () => {
      const { url } = await redis();
      const file = join(folder(), 'effects');
      const count = counted(file);
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
      // Whoever does not read is not acknowledged either: answers have to be handled.
      connection.on('message', () => {});
      const lost: unknown[] = [];
      connection.on('sessionLost', (event) => lost.push(event));
      let sent = 0;
      const timer = setInterval(() => {
        for (let most = 0; most < 50 && sent < 5000; most += 1) {
          sent += 1;
          if (!connection.send(`${sent}`)) return;
        }
      }, 5);
      later(() => clearInterval(timer));
      // Each loses its socket now and then, and one of the servers is killed: the balancer takes turns.
      for (let turn = 1; turn <= 6; turn += 1) {
        await until(() => count() >= turn * 600);
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

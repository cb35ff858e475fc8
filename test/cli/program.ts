import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, describe } from 'vitest';

/** The program as users run it. */
const file = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const isBuilt = existsSync(file);

/** A suite that runs the built program; where it is not built, its name says so and it is skipped. */
export function suite(name: string, tests: () => void): void {
  const why = isBuilt ? '' : ' (skipped: dist/cli/main.js is missing, `npm run setup -- --build` makes it)';
  describe.skipIf(!isBuilt)(`${name}${why}`, tests);
}

const running = new Set<Program>();
const servers = new Set<Server>();
const sockets = new Set<Socket>();

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers) server.close();
  const ends = [...running].map((program) => program.end);
  for (const program of running) program.child.kill('SIGKILL');
  await Promise.all(ends);
  sockets.clear();
  servers.clear();
});

/** One run of the program. It is killed after the test, if it still runs. */
export class Program {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = '';
  stderr = '';
  /** The exit code, or the name of the signal that ended it. */
  readonly end: Promise<number | string>;
  private readonly looks = new Set<() => void>();

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [file, ...args], { env: { ...process.env, NO_COLOR: '1' } });
    running.add(this);
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text;
      this.look();
    });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
      this.look();
    });
    // It may be gone before it has read what we write.
    this.child.stdin.on('error', () => {});
    this.end = once(this.child, 'close').then(([code, signal]) => {
      running.delete(this);
      this.look();
      return (code as number | null) ?? (signal as string);
    });
  }

  /** Waits until this stream has said something like `pattern`. */
  until(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(this[stream]);
        if (found) resolve(found);
        else if (running.has(this)) return;
        else reject(new Error(`it ended without ${pattern} on ${stream}:\n${this.stdout}\n${this.stderr}`));
        this.looks.delete(look);
      };
      this.looks.add(look);
      look();
    });
  }

  private look(): void {
    for (const look of this.looks) look();
  }
}

/** An echo server of the program, and its port. */
export async function startEcho(port: number | string = 0): Promise<{ program: Program; port: string }> {
  const program = new Program('echo', '--port', String(port));
  const [, bound] = await program.until('stdout', /^listening on 127\.0\.0\.1:(\d+)\n/);
  return { program, port: bound as string };
}

/** A server of plain node:net. It does not answer a FIN by itself. */
export async function rawServer(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    // The program may reset what it gives up.
    socket.on('error', () => {});
    onSocket(socket);
  });
  servers.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return String((server.address() as AddressInfo).port);
}

/** Collects what a plain socket hears. `until(n)` waits for so many bytes and gives all that came. */
export function ear(socket: Socket): { until(bytes: number): Promise<Buffer> } {
  sockets.add(socket);
  let heard = Buffer.alloc(0);
  const looks = new Set<() => void>();
  socket.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk]);
    for (const look of looks) look();
  });
  return {
    until: (bytes) =>
      new Promise((resolve) => {
        const look = () => {
          if (heard.length < bytes) return;
          looks.delete(look);
          resolve(heard);
        };
        looks.add(look);
        look();
      }),
  };
}

/** A port where nobody listens. */
export async function deadPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return String(port);
}

/** Whether there is a process with this number. */
export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

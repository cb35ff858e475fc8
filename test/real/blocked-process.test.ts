import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { cannotRun, type Later, type Program, startProgram, startServer, titled } from './support-program.js';

/**
 * A late event loop is not a silent peer, whatever holds it, and neither is a process that was stopped. Twenty lines in
 * one process each time (programs/blocked.mjs); the other side lives in another process, or shares the fate of this one.
 */
const long = process.env.NINJA_LONG ? undefined : 'npm run test:long';

interface Rule {
  readonly staleAfter: number;
  readonly heartbeatInterval: number;
}
const strict: Rule = { staleAfter: 400, heartbeatInterval: 50 };
const usual: Rule = { staleAfter: 3000, heartbeatInterval: 1000 };

const places = {
  timer: 'in a timer',
  immediate: 'in setImmediate',
  poll: 'in a callback of I/O',
  promise: 'in a chain of promises behind I/O',
} as const;
type Place = keyof typeof places;

const servers = ['the server lives', 'the server is in it too'] as const;
type ServerIs = (typeof servers)[number];

interface Lines {
  readonly program: Program;
  /** The other side, where it is a process of its own. */
  readonly server: Program | undefined;
}

async function twentyLines(later: Later, where: ServerIs, rule: Rule, blocked: object = {}): Promise<Lines> {
  const { heartbeatInterval } = rule;
  const live =
    where === 'the server lives' ? await startServer(later, { staleAfter: 60_000, heartbeatInterval }) : undefined;
  const program = startProgram(later, 'blocked', { ...rule, ...blocked, port: live?.port });
  await program.hears('ready');
  return { program, server: live?.server };
}

/** By how many milliseconds the other side was late itself, at most, since that was last asked. */
async function latenessOf(server: Program): Promise<number> {
  const from = server.all('pulse').length;
  server.tell({ pulse: true });
  return server.until('pulse', () => server.all('pulse')[from]?.late);
}

/** The obvious watchdog beside the lines, time and again: whether it took a live server for dead. */
const fooled: boolean[] = [];

/** Blocks, and finds nothing lost. Where the machine is so busy that the other side was silent indeed, it is done again. */
async function expectNoAlarm({ program, server }: Lines, rule: Rule, block: () => unknown): Promise<void> {
  for (let round = 1; ; round += 1) {
    if (server) await latenessOf(server);
    const from = program.all('done').length;
    await block();
    const done = await program.until('done', () => program.all('done')[from]);
    if (server) fooled.push(done.fooled === true);
    const late = server ? await latenessOf(server) : 0;
    if (done.lost?.length === 0) return;
    const silent = rule.heartbeatInterval + late >= rule.staleAfter / 2;
    if (!silent || round === 5) expect([done.lost, late]).toEqual([[], late]);
  }
}

afterAll(() => {
  if (fooled.length > 0) expect(fooled).toContain(true);
});

describe.concurrent('twenty lines in one process', () => {
  const held: readonly (readonly [number, Rule, ServerIs, string | undefined])[] = [
    [500, strict, 'the server lives', undefined],
    [500, strict, 'the server is in it too', undefined],
    [3600, usual, 'the server lives', undefined],
    [3600, usual, 'the server is in it too', undefined],
    [10_000, usual, 'the server lives', long],
    [10_000, usual, 'the server is in it too', long],
  ];
  for (const [blockMs, rule, where, onlyIn] of held) {
    for (const place of Object.keys(places) as Place[]) {
      const missing = cannotRun ?? onlyIn;
      const name = `held for ${blockMs} ms ${places[place]}, staleAfter ${rule.staleAfter}, ${where}: no false alarm`;

      test.skipIf(missing)(titled(name, missing), { timeout: 60_000 }, async ({ onTestFinished }) => {
        const lines = await twentyLines(onTestFinished, where, rule, { place, blockMs });
        await expectNoAlarm(lines, rule, () => lines.program.tell({ block: true }));
      });
    }
  }

  for (const where of servers) {
    const name = `stopped for 5 s and continued, as by a laptop's sleep, ${where}: no false alarm`;

    test.skipIf(cannotRun)(titled(name, cannotRun), { timeout: 60_000 }, async ({ onTestFinished }) => {
      const lines = await twentyLines(onTestFinished, where, usual);
      await expectNoAlarm(lines, usual, async () => {
        lines.program.signal('SIGSTOP');
        await wait(5000);
        lines.program.signal('SIGCONT');
        lines.program.tell({ block: false });
      });
    });
  }
});

import { describe, expect, test } from 'vitest';
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
const strict: Rule = { staleAfter: 400, heartbeatInterval: 100 };
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

async function twentyLines(later: Later, where: ServerIs, rule: Rule, blocked: object = {}): Promise<Program> {
  const live = where === 'the server lives';
  const { heartbeatInterval } = rule;
  const port = live ? (await startServer(later, { staleAfter: 60_000, heartbeatInterval })).port : undefined;
  const program = startProgram(later, 'blocked', { ...rule, ...blocked, port });
  await program.hears('ready');
  return program;
}

describe.concurrent('twenty lines in one process', () => {
  const held: readonly (readonly [number, Rule, ServerIs, string | undefined])[] = [
    [500, strict, 'the server lives', undefined],
    [500, strict, 'the server is in it too', undefined],
    [3600, usual, 'the server lives', undefined],
    [3600, usual, 'the server is in it too', long],
    [10_000, usual, 'the server lives', long],
    [10_000, usual, 'the server is in it too', long],
  ];
  for (const [blockMs, rule, where, onlyIn] of held) {
    for (const place of Object.keys(places) as Place[]) {
      const missing = cannotRun ?? onlyIn;
      const name = `held for ${blockMs} ms ${places[place]}, staleAfter ${rule.staleAfter}, ${where}: no false alarm`;

      test.skipIf(missing)(titled(name, missing), { timeout: 60_000 }, async ({ onTestFinished }) => {
        const program = await twentyLines(onTestFinished, where, rule, { place, blockMs });
        program.tell({ block: true });
        const { lost, fooled } = await program.hears('done');
        expect(lost).toEqual([]);
        // `socket.setTimeout` beside it took the server for dead.
        if (where === 'the server lives') expect(fooled).toBe(true);
      });
    }
  }

  for (const where of servers) {
    const name = `stopped for 5 s and continued, as by a laptop's sleep, ${where}: no false alarm`;

    test.skipIf(cannotRun)(titled(name, cannotRun), { timeout: 60_000 }, async ({ onTestFinished }) => {
      const program = await twentyLines(onTestFinished, where, usual);
      program.signal('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 5000));
      program.signal('SIGCONT');
      program.tell({ block: false });
      expect((await program.hears('done')).lost).toEqual([]);
    });
  }
});

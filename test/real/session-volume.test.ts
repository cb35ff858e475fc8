// Sessions at full speed both ways over real sockets, each side a process of its own, and sockets that break in the middle.
import { describe, expect, test } from 'vitest';
import { type Break, type Talk, type Way, ways } from './session-breaks.js';
import { later } from './support.js';
import { type Account, cannotRun, now, type Program, titled } from './support-program.js';

const BREAKS = 20;
const MESSAGES = 100_000;
/** So many messages come to each side between one break and the next. */
const BETWEEN = MESSAGES / (BREAKS + 1);

async function ask<Event extends 'account' | 'memory'>(program: Program, event: Event) {
  const from = now();
  program.tell({ [event]: true });
  return program.hears(event, from);
}

/** Both sides hear messages again. */
async function moved(sides: readonly Program[], messages: number): Promise<void> {
  const from = now();
  for (const side of sides) side.tell({ after: messages });
  await Promise.all(sides.map((side) => side.hears('moved', from)));
}

async function happens({ prepare, begin, end }: Break, { client, server }: Talk): Promise<void> {
  const sides = [client, server];
  await prepare?.();
  await moved(sides, Math.ceil(BETWEEN));
  const from = now();
  await begin();
  await client.hears('lost', from);
  await end?.();
  await Promise.all(sides.map((side) => side.hears('resumed', from)));
}

interface Outcome {
  readonly client: Account;
  readonly server: Account;
  /** How many messages each side had heard when the last break was over. */
  readonly heardBefore: readonly number[];
  /** How much memory each side had more than before the first message, at most, bytes: what lived, and the resident. */
  readonly grown: readonly { readonly bytes: number; readonly resident: number }[];
  readonly ms: number;
}

/** What lives in each of them, and is resident. */
async function memory(sides: readonly Program[]): Promise<{ bytes: number; resident: number }[]> {
  const told = await Promise.all(sides.map((side) => ask(side, 'memory')));
  return told.map(({ bytes = 0, resident = 0 }) => ({ bytes, resident }));
}

/** All messages both ways, with all the breaks. */
async function goThrough(talk: Talk, weighs = false): Promise<Outcome> {
  const { client, server, breaks } = talk;
  const sides = [client, server];
  await Promise.all(sides.map((side) => side.hears('live')));
  const empty = await memory(sides);
  const grown = sides.map(() => ({ bytes: 0, resident: 0 }));
  const from = now();
  for (const side of sides) side.tell({ go: true });
  for (const [turn, each] of breaks.entries()) {
    await happens(each, talk);
    if (weighs && turn % 4 === 3) {
      for (const [index, { bytes, resident }] of (await memory(sides)).entries()) {
        const [most, before] = [grown[index], empty[index]] as [(typeof grown)[0], (typeof empty)[0]];
        most.bytes = Math.max(most.bytes, bytes - before.bytes);
        most.resident = Math.max(most.resident, resident - before.resident);
      }
    }
  }
  const before = await Promise.all(sides.map((side) => ask(side, 'account')));
  await moved(sides, 1);
  for (const side of sides) side.tell({ enough: true });
  await Promise.all(sides.map((side) => side.hears('sent')));
  const ms = now() - from;
  const [one, other] = await Promise.all(sides.map((side) => ask(side, 'account')));
  client.tell({ close: true });
  expect((await client.hears('closed')).code).toBe('NINJA_DISPOSED');
  return {
    client: one?.account as Account,
    server: other?.account as Account,
    heardBefore: before.map(({ account }) => account?.received as number),
    grown,
    ms,
  };
}

/** Each message that one side sent came to the other once, in order, and whole. */
function expectAll(sender: Account, receiver: Account): void {
  const { received, distinct, highest, doubled, disordered, damaged } = receiver;
  expect(sender.sent).toBeGreaterThanOrEqual(MESSAGES);
  expect({ lost: sender.sent - distinct, doubled, disordered, damaged }).toEqual({
    lost: 0,
    doubled: 0,
    disordered: 0,
    damaged: 0,
  });
  expect([received, highest]).toEqual([sender.sent, sender.sent]);
}

function expectResumed({ client, server }: Outcome, silent: boolean): void {
  for (const side of [client, server]) {
    expect([side.sessions, side.sessionsLost]).toEqual([1, 0]);
    if (silent) expect(side.resumed).toBeGreaterThanOrEqual(BREAKS);
    else expect(side.resumed).toBe(BREAKS);
    // They broke while messages were under way.
    expect(side.replayed).toBeGreaterThan(0);
  }
}

function tell(name: string, { client, server, grown, ms }: Outcome): void {
  const what = `${client.sent} and ${server.sent} messages in ${(ms / 1000).toFixed(1)} s`;
  const again = `${client.resumed} resumes, ${client.replayed} and ${server.replayed} written again`;
  const most = grown.map(
    ({ bytes, resident }) => `${(bytes / MiB).toFixed(1)} (${(resident / MiB).toFixed(0)} resident)`,
  );
  console.log(
    `${name}: ${what}, ${again}${grown.some(({ bytes }) => bytes > 0) ? `, ${most.join(' and ')} MiB more` : ''}`,
  );
}

describe('100,000 numbered messages each way at full speed', () => {
  for (const way of Object.values(ways) as Way[]) {
    const why = cannotRun ?? way.missing;
    test.skipIf(why)(titled(`${way.name} 20 times: all there, once, in order`, why), async () => {
      const volume = { messages: MESSAGES, size: 64, options: { session: { window: { messages: 8192 } } } };
      const talk = await way.lay({ client: volume, server: volume }, later);
      expect(talk.breaks).toHaveLength(BREAKS);
      const outcome = await goThrough(talk);
      tell(way.name, outcome);
      const { client, server, heardBefore } = outcome;
      expectAll(client, server);
      expectAll(server, client);
      expectResumed(outcome, way.silent);
      const losses = [talk.client, talk.server].flatMap((side) => side.all('lost').map(({ code }) => code));
      expect(losses).toEqual(expect.arrayContaining([...way.codes]));
      expect(client.received).toBeGreaterThan(heardBefore[0] as number);
      expect(server.received).toBeGreaterThan(heardBefore[1] as number);
    });
  }
});

const MiB = 2 ** 20;

describe('100,000 messages of 1 KiB each way, and a receiver that is slower than its sender', () => {
  const window = { bytes: MiB / 2, messages: 10_000 };
  const limits = { maxFrameLength: 65_536, highWaterMark: MiB / 4, outboxBytes: 2 * MiB };
  const options = { ...limits, session: { window } };
  const size = 1024;

  test.skipIf(cannotRun).each([
    ['is told to', true, limits.highWaterMark],
    ['is refused', false, limits.outboxBytes],
  ])(
    titled('who waits when it %s keeps no more than the window, over 20 broken sockets', cannotRun),
    async (when, obeys, outbox) => {
      const client = { messages: MESSAGES, size, obeys, options };
      const server = { messages: MESSAGES, size, options, pace: { every: 1000, restMs: 4 } };
      const outcome = await goThrough(await ways.killed.lay({ client, server }, later), true);
      tell(`a slow receiver, a sender that waits when it ${when}`, outcome);
      expectAll(outcome.client, outcome.server);
      expectAll(outcome.server, outcome.client);
      expectResumed(outcome, false);
      // The window was full at both ends, and never more than that; the rest waited in the outbox, up to its bound.
      const { keptBytes, outboxBytes, waits } = outcome.client;
      for (const filled of [keptBytes, outcome.server.unreadBytes]) {
        expect(filled).toBeGreaterThan(0.9 * window.bytes);
        expect(filled).toBeLessThanOrEqual(window.bytes);
      }
      expect(waits).toBeGreaterThan(0);
      expect(outboxBytes).toBeGreaterThan(0.9 * outbox - window.bytes);
      expect(outboxBytes).toBeLessThanOrEqual(outbox + size);
      // At least 100 MiB went each way.
      for (const { bytes, resident } of outcome.grown) {
        expect(bytes).toBeLessThan(window.bytes + outbox + 8 * MiB);
        expect(resident).toBeLessThan(80 * MiB);
      }
    },
  );
});

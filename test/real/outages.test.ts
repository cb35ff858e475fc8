import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { figures, runs, writeFigures } from './figures.js';
import { type Outage, outages, type Scene } from './outages.js';
import { cannotRun, type Later, now, type Program, startProgram, type Told, titled } from './support-program.js';

const STALE_AFTER = 3000;
const CONNECT_TIMEOUT = 5000;
/** Timers of Node fire up to so much too early, milliseconds. */
const EARLY = 2;

/** What is promised of every verdict of silence: never early, and at most 50 ms later than a control timer. */
function expectPunctual(verdicts: readonly Told[]): void {
  for (const { silentForMs = 0, late = 0 } of verdicts) {
    expect(silentForMs).toBeGreaterThanOrEqual(STALE_AFTER);
    expect(silentForMs).toBeLessThanOrEqual(STALE_AFTER + 50 + late);
  }
}

/** An attempt that hears nothing is given up as soon as `connectTimeout` says. */
function expectTimeouts(client: Program): void {
  for (const { epoch, code, at, late = 0 } of client.all('disconnected')) {
    if (code !== 'NINJA_CONNECT_TIMEOUT') continue;
    const began = client.all('connecting').find((dial) => dial.epoch === epoch)?.at as number;
    // The first one is told when the tick of `connect()` is over.
    if (epoch !== 1) expect(at - began).toBeGreaterThanOrEqual(CONNECT_TIMEOUT - EARLY);
    expect(at - began).toBeLessThanOrEqual(CONNECT_TIMEOUT + 50 + late);
  }
}

/** Each attempt comes when its backoff is over, and no sooner; a failure more each time, unless the line had been a good one. */
function expectPatience(client: Program): void {
  const dials = client.all('connecting');
  const losses = client.all('disconnected');
  for (const [i, { at, failures, retryInMs }] of losses.entries()) {
    const dial = dials[i + 1];
    if (dial) expect(dial.at - at).toBeGreaterThanOrEqual((retryInMs as number) - EARLY);
    const before = losses[i - 1];
    if (before && failures !== 1) expect(failures).toBe((before.failures as number) + 1);
  }
}

/** @param run from 1: each begins in another moment between two heartbeats */
async function begin(
  outage: Outage,
  scene: Scene,
  run: number,
  later: Later,
): Promise<{ client: Program; from: number }> {
  const { host, port, inside, options } = scene;
  const start = () => startProgram(later, 'client', { host, port, ...options }, inside);
  if (outage.fromTheStart) {
    await scene.begin();
    const client = start();
    return { client, from: (await client.hears('connecting')).at };
  }
  const client = start();
  await client.hears('live');
  if (outage.talks) {
    client.tell({ talk: 20 });
    await client.hears('echo');
  } else {
    await wait((run * 370) % 1000);
  }
  await scene.begin();
  return { client, from: now() };
}

describe.concurrent('a real outage', () => {
  afterAll(() => {
    if (process.env.NINJA_FAULTS) writeFigures(outages.map(({ name }) => name));
  });

  for (const [outage, run] of outages.flatMap((one) => Array.from({ length: runs }, (_, i) => [one, i + 1] as const))) {
    const { name, codes, lasts, missing = cannotRun } = outage;
    const title = titled(`${name}: noticed as promised, and it heals by itself`, missing);

    test.skipIf(missing)(run > 1 ? `${title}, run ${run}` : title, { timeout: 60_000 }, async ({ onTestFinished }) => {
      const scene = await outage.lay(onTestFinished);
      const { client, from } = await begin(outage, scene, run, onTestFinished);
      const loss = await client.hears('disconnected');
      expect([loss.epoch, codes]).toEqual([1, expect.arrayContaining([loss.code])]);
      await wait(from + lasts - now());
      if (lasts > 0) expect(client.all('live')).toHaveLength(outage.fromTheStart ? 0 : 1);
      const attempts = client.all('disconnected').length - (outage.fromTheStart ? 0 : 1);
      await scene.end(client);
      const ended = lasts > 0 ? now() : from;

      const healed = await client.until('the next line', () => client.all('live', loss.at)[0]);
      if (!outage.talks) client.tell({ talk: 20 });
      await client.hears('echo', healed.at);
      const noticedMs = loss.at - from;
      figures.push({ outage: name, lasts, code: `${loss.code}`, noticedMs, healedMs: healed.at - ended, attempts });
      expectPunctual(client.all('stale'));
      expectTimeouts(client);
      expectPatience(client);

      const server = scene.server?.();
      if (!server) return;
      if (outage.serverToo) await server.hears('peer stale');
      expectPunctual(server.all('peer stale'));
      // Nobody is left of the lines that were lost.
      const peers = () => server.told.findLast((told) => told.peers !== undefined)?.peers;
      await server.until('a single peer', () => peers() === 1 || undefined);
    });
  }
});

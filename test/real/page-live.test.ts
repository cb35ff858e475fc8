/** The inspector's page in a browser, of a real process with a real connection to a real server that is stopped. */
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterEach, expect, test } from 'vitest';
import { browserSuite, type Opened, shows } from '../inspector/browser.js';
import { cannotRun, type Program, startProgram, startServer, titled } from './support-program.js';

const behind: (() => unknown)[] = [];
const later = (close: () => unknown): void => void behind.push(close);
afterEach(async () => {
  for (const close of behind.splice(0).reverse()) await close();
});

const lit = (id: string) => `.node[data-node="${id}"].lit`;

/** From the fact to the page that shows it. */
const PROMPT = 500;

/** A process with an inspector and a line that is live, to a server process of its own. */
async function inspected(options: object = {}) {
  const { server, port } = await startServer(later, { heartbeatInterval: 100 });
  const program = startProgram(later, 'inspected', { title: 'the till', ...options });
  const { url } = await program.hears('page');
  program.tell({ connect: { host: '127.0.0.1', port, name: 'till-4', staleAfter: 1000, waitMs: 1500 } });
  program.tell({ connect: { host: '127.0.0.1', port, name: 'till-5', staleAfter: 0 } });
  await program.until('both live', () => (program.all('live').length === 2 ? true : undefined));
  return { server, program, url: url as string };
}

async function choose(page: Page, name: string): Promise<void> {
  await page.locator('.row:not([hidden]) .who').getByText(name, { exact: true }).click();
  await shows(page, '#title .title', name);
}

/** Notes when it is lit, in the page itself and by its own clock. It is the same one: all are on this machine. */
async function noteWhenLit(page: Page, id: string): Promise<() => Promise<number>> {
  await page.evaluate(`void (window.litAt = new Promise((resolve) => {
    const look = () => document.querySelector(${JSON.stringify(lit(id))}) && resolve(Date.now());
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    look();
  }))`);
  return () => page.evaluate<number>('window.litAt');
}

/** Nobody observes, and so it remains. */
async function unwatched(program: Program): Promise<void> {
  const watchers = async () => {
    const from = program.all('watchers').length;
    program.tell({ watchers: true });
    return program.until('watchers', () => program.all('watchers')[from]?.watchers);
  };
  await expect.poll(watchers, { timeout: 20_000 }).toBe(0);
}

function clean({ complaints, asked }: Opened, url: string): void {
  expect(complaints).toEqual([]);
  const foreign = asked.filter((one) => !one.startsWith(new URL(url).origin) && !/^(data|blob):/.test(one));
  expect(foreign).toEqual([]);
}

browserSuite(titled('the page of a living process', cannotRun), (open) => {
  if (cannotRun) return void test.skip('nothing can run', () => {});

  test(`a server that is stopped: stale is lit within ${PROMPT} ms of the fact, and it heals before one's eyes`, async () => {
    const { server, program, url } = await inspected();
    const opened = await open(url);
    const { page } = opened;
    await choose(page, 'till-4');
    await page.waitForSelector(lit('connected.line.live'));
    await shows(page, '.headline', 'The line is live');
    const litAt = await noteWhenLit(page, 'stale');
    server.signal('SIGSTOP');
    const { wall, silentForMs } = await program.hears('stale');
    const delay = (await litAt()) - (wall as number);
    console.info(`stale after ${silentForMs?.toFixed(0)} ms of silence; lit in the page ${delay} ms later`);
    expect(delay).toBeLessThanOrEqual(PROMPT);
    await shows(page, '.headline', /the other side fell silent/i);
    await page.waitForSelector(lit('disconnected.waiting'));
    await page.waitForSelector('[data-timer=backoff]');
    await shows(page, '.next .what', /^Attempt 2 at /);
    // The kernel accepts for a stopped process.
    await page.waitForSelector(lit('connected.line.unproven'));
    server.signal('SIGCONT');
    await page.waitForSelector(lit('connected.line.live'));
    await shows(page, '.headline', 'The line is live');
    await shows(page, '.because', /It was lost at .* and has healed/);
    clean(opened, url);
  });

  test('a session: its own statechart is detached while the line is away, attached again, and watched no more', async () => {
    const { server, port } = await startServer(later, { heartbeatInterval: 100, session: 'require' });
    const program = startProgram(later, 'inspected', { title: 'the till' });
    const { url } = await program.hears('page');
    program.tell({
      connect: { host: '127.0.0.1', port, name: 'till-4', staleAfter: 1000, waitMs: 500, session: true },
    });
    await program.hears('live');
    const opened = await open(url as string);
    const { page } = opened;
    await choose(page, 'till-4');
    await shows(page, '.facts', /Session[0-9a-f]{8}, attached/);
    await page.click('#lives [data-life=session]');
    await page.waitForSelector(lit('attached'));
    server.signal('SIGSTOP');
    await page.waitForSelector(lit('detached'));
    await page.waitForSelector('.edge.taken[data-edge="attached session.detached 0"]', { state: 'attached' });
    server.signal('SIGCONT');
    await page.waitForSelector(lit('attached'));
    await shows(page, '.facts', /Resumed1 time/);
    await shows(page, '#history', /session\.detached/);
    await page.keyboard.press('s');
    await page.waitForSelector(lit('connected.line.live'));
    await page.close();
    await unwatched(program);
    clean(opened, url as string);
  });

  test('keyboard, pause, steps to and fro, and the recording as a file', async () => {
    const { server, program, url } = await inspected();
    const opened = await open(url);
    const { page } = opened;
    await page.waitForSelector('.row');
    await page.keyboard.press('/');
    await page.keyboard.type('till-4');
    await shows(page, '#tally', '1 of 2 lines');
    await page.keyboard.press('Escape');
    await page.keyboard.press('l');
    await page.keyboard.press('ArrowDown');
    await page.waitForSelector(lit('connected.line.live'));
    server.signal('SIGSTOP');
    await page.waitForSelector(lit('disconnected.waiting'));
    await page.keyboard.press(' ');
    await shows(page, '.pause', 'Live');
    // Back to what led here, step by step, and forth again, while the process goes on.
    const step = async (press: () => Promise<void>, id: string) => {
      for (let i = 0; i < 10 && (await page.locator(lit(id)).count()) === 0; i += 1) {
        await press();
        await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
      }
      await page.waitForSelector(lit(id));
    };
    await step(() => page.keyboard.press('['), 'stale');
    await program.until('a second silence', () => program.all('stale')[1]);
    expect(await page.locator(lit('stale')).count()).toBe(1);
    await step(() => page.click('[aria-label="One step back"]'), 'connected.line.live');
    await shows(page, '.headline', 'The line is live');
    await step(() => page.keyboard.press(']'), 'stale');
    await step(() => page.click('[aria-label="One step forth"]'), 'disconnected.waiting');
    await page.keyboard.press('Escape');
    await shows(page, '#travel output', /^live, \d+ entries recorded/);
    server.signal('SIGCONT');
    await page.waitForSelector(lit('connected.line.live'));

    const [download] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('e')]);
    const file = JSON.parse(await readFile(await download.path(), 'utf8'));
    expect(file).toMatchObject({
      format: 'ninja-tcp inspector recording',
      version: 1,
      process: { title: 'the till', pid: program.process.pid },
    });
    const entries = file.entries as { kind: string; at: number; step?: { from: string; to: string } }[];
    const path = entries.filter(({ step }) => step && step.from !== step.to).map(({ step }) => step?.to);
    expect(path.slice(0, 3)).toEqual(['stale', 'disconnected.deciding', 'disconnected.waiting']);
    expect(path.at(-1)).toBe('connected.live');
    expect(entries.map(({ at }) => at)).toEqual(entries.map(({ at }) => at).sort((a, b) => a - b));
    expect(entries.some(({ kind }) => kind === 'picture')).toBe(true);
    expect(file.history.map(({ to }: { to: string }) => to)).toContain('stale');
    clean(opened, url);
  });

  test('orders: reconnect now, and dispose after a question', async () => {
    const { url } = await inspected({ allowControl: true });
    const opened = await open(url);
    const { page } = opened;
    await choose(page, 'till-4');
    await shows(page, '.facts', /Epoch1$/);
    await page.click('[data-order=reconnectNow]');
    await shows(page, '.facts', /Epoch2$/);
    await page.waitForSelector(lit('connected.line.live'));
    await page.click('[data-order=dispose]');
    await shows(page, '#ask', /Dispose till-4\?/);
    await page.keyboard.press('Escape');
    await page.waitForSelector('#ask', { state: 'hidden' });
    await page.waitForSelector(lit('connected.line.live'));
    await page.click('[data-order=dispose]');
    await page.click('#ask .grave');
    await page.waitForSelector(lit('disposed'));
    await shows(page, '#notice', 'The chosen one is no more; what was recorded stays.');
    await shows(page, '#tally', '1 line');
    clean(opened, url);
  });

  test('a late page has the whole picture, and when all are closed nothing is observed', async () => {
    const { server, program, url } = await inspected();
    const early = await open(url);
    await choose(early.page, 'till-4');
    await early.page.waitForSelector(lit('connected.line.live'));
    server.signal('SIGSTOP');
    await early.page.waitForSelector(lit('disconnected.waiting'));
    const late = await open(url);
    await choose(late.page, 'till-4');
    await shows(late.page, '#tally', '2 lines');
    // What was before it came: the history, the attempts, the reason, and bands over time.
    await shows(late.page, '#history', /socket\.heard/);
    await shows(late.page, '.attempts', /Epoch 1 was live, lost after/);
    await shows(late.page, '.facts', /NINJA_STALE/);
    const asks = `document.getElementById('timeline-words').textContent`;
    expect(await late.page.evaluate(asks)).not.toBe('');
    await early.page.close();
    server.signal('SIGCONT');
    await late.page.waitForSelector(lit('connected.line.live'));
    await late.page.close();
    await unwatched(program);
    clean(late, url);
  });
});

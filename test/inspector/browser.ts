import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect } from 'vitest';
import { noPage } from './page/fake-feed.js';

const places = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = places.find((path) => existsSync(path));

/** A page that was opened, and all that it did wrong. */
export interface Opened {
  readonly page: Page;
  /** Errors and warnings of the page, breaches of its content security policy among them. */
  readonly complaints: string[];
  /** Addresses that it asked. */
  readonly asked: string[];
}

/** It is closed behind its test, unless it `stays` for the whole suite. */
export type Open = (url: string, options?: BrowserContextOptions & { readonly stays?: boolean }) => Promise<Opened>;

/** A suite that opens pages in a headless Chromium; skipped by name where there is none, or no page is built. */
export function browserSuite(name: string, tests: (open: Open) => void): void {
  const why = !executablePath
    ? ' (skipped: no chromium here)'
    : noPage
      ? ' (skipped: dist/inspector is not built)'
      : '';
  describe.skipIf(why !== '')(`${name}${why}`, () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: executablePath as string, args: ['--no-sandbox'] });
    }, 60_000);
    afterAll(() => browser?.close());

    // A page that nobody looks at any more still draws.
    const passing = new Set<BrowserContext>();
    afterEach(async () => {
      for (const context of passing) await context.close();
      passing.clear();
    });

    tests(async (url, { stays = false, ...options } = {}) => {
      const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
      if (!stays) passing.add(context);
      context.setDefaultTimeout(30_000);
      const page = await context.newPage();
      const opened: Opened = { page, complaints: [], asked: [] };
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) opened.complaints.push(message.text());
      });
      page.on('pageerror', (error) => opened.complaints.push(String(error)));
      page.on('request', (request) => opened.asked.push(request.url()));
      await page.goto(url);
      return opened;
    });
  });
}

/** Waits for what the page shows; says what it showed instead. */
export async function shows(page: Page, selector: string, words: RegExp | string): Promise<void> {
  await expect.poll(() => page.locator(selector).first().textContent(), { timeout: 20_000 }).toMatch(words);
}

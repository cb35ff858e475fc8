/**
 * Somebody has nothing but the inspector's page: does it say what is wrong? Each failure is staged for real, all of them
 * in one process that is watched, and what a test reads are the words on the page and nothing else.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, connect as dial, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFaultProxy } from '../../src/testing/index.js';
import { browserSuite } from '../inspector/browser.js';
import type { Target } from './failures.js';
import * as failures from './failures.js';
import { type Cable, layCable, noNamespaces } from './support-netns.js';
import { cannotRun, type Program, startProgram, startServer, titled } from './support-program.js';

const behind: (() => unknown)[] = [];
const later = (close: () => unknown): void => void behind.push(close);
afterAll(async () => {
  for (const close of behind.splice(0).reverse()) await close();
});

/** What the page has to say, in the end: the failure stays, so it may take its time. */
interface Words {
  readonly headline: RegExp;
  readonly because: RegExp;
  readonly help: RegExp;
  readonly next: RegExp;
}

/** Waits until the block above the picture says all of it at once; tells what it says instead. */
async function says(page: Page, name: string, words: Words): Promise<void> {
  const read = async () => {
    // Rows change places while lines come and go: a click may meet another one.
    if ((await page.locator('#title .title').textContent()) !== name) {
      await page.locator('.row:not([hidden]) .who').getByText(name, { exact: true }).click();
      return 'another one';
    }
    const texts = await page.evaluate<string[]>(
      `['.headline', '.because', '.cure', '.next'].map((one) => document.querySelector('#verdict ' + one).textContent)`,
    );
    const wanted = [words.headline, words.because, words.help, words.next];
    return wanted.every((one, i) => one.test(texts[i] ?? '')) ? 'as it should' : texts;
  };
  await expect.poll(read, { timeout: 30_000, interval: 50 }).toBe('as it should');
}

const AGAIN = /^Attempt \d+ at [\d:]{8}(in [\d,]+ ms|now)/;
const GAVE_UP = /^Nothing by itself: it gave up/;

interface Staged extends Words {
  readonly name: string;
  readonly lay: () => Promise<Target>;
}

let stop = (): void => {};

const staged: readonly Staged[] = [
  {
    name: 'refused',
    lay: failures.refused,
    headline: /nobody listens at 127\.0\.0\.1:\d+$/i,
    because: /The machine answered, and refuses: no program has this port open\.$/,
    help: /Start the server, or mend the port\. It is retried by itself\./,
    next: AGAIN,
  },
  {
    name: 'wrong port, a web server',
    lay: () => failures.wrongPort(later),
    headline: /that is HTTP, not our framing: wrong port\?$/i,
    because: /came “HTTP\/1\.1 400 Bad”, as HTTP begins\.$/,
    help: /Check host and port/,
    next: AGAIN,
  },
  {
    name: 'no TLS',
    lay: () => failures.noTls(later),
    headline: /the other side speaks no TLS at 127\.0\.0\.1:\d+: wrong port\?$/i,
    because: /was answered in the clear: another service has this port/,
    help: /Check the port/,
    next: AGAIN,
  },
  {
    name: 'certificate, expired',
    lay: () => failures.expired(later),
    headline: /^The certificate of the other side has expired$/,
    because: /^The certificate of 127\.0\.0\.1 is not accepted: it has expired/,
    help: /Renew it on the other side; .*Then call connect\(\)/,
    next: GAVE_UP,
  },
  {
    name: 'certificate, unknown authority',
    lay: () => failures.stranger(later),
    headline: /^The certificate of the other side is signed by somebody unknown$/,
    because: /who signed it is not known here/,
    help: /put its authority into ca of the option tls/,
    next: GAVE_UP,
  },
  {
    name: 'stopped server',
    lay: async () => {
      const { target, stop: itself } = await failures.stopped(later);
      stop = itself;
      return target;
    },
    headline: /it opens, and nobody speaks$/i,
    because: /brought no byte .*: the process behind the port is stopped or hangs\.$/,
    help: /Look at the server process: stopped \(state T\)/,
    next: AGAIN,
  },
  {
    name: 'slow reader',
    lay: () => failures.slowReader(later, { writeStallTimeout: 600_000 }),
    headline: /^The other side reads too slowly$/,
    because: /^[\d.]+ MiB are accepted and not taken by the network yet; 0 B a second get through\.$/,
    help: /See why the other side does not read\./,
    next: /^Next check for silence at/,
  },
  {
    name: 'reader that takes nothing',
    lay: () => failures.slowReader(later, { writeStallTimeout: 500, waitMs: 600_000 }),
    headline: /the other side does not read$/i,
    because: /It may well speak, but nothing was taken for writeStallTimeout, 500 ms: \d+ bytes are pending\.$/,
    help: /The peer is alive and does not read: see why/,
    next: AGAIN,
  },
  {
    name: 'oversize frame',
    lay: () => failures.oversize(later),
    headline: /a message is longer than allowed$/i,
    because: /A header announces 8\.6 MiB; maxFrameLength is 8 MiB\.$/,
    help: /Raise maxFrameLength on this side/,
    next: AGAIN,
  },
  {
    name: 'garbage',
    lay: () => failures.garbage(later),
    headline: /garbage where a length should stand$/i,
    because: /Read as a length, the bytes f1 9e 02 c8 1f 00 ff 73 … announce 3\.8 GiB; maxFrameLength is 8 MiB\./,
    help: /Check framing on both sides/,
    next: AGAIN,
  },
  {
    name: 'other end first',
    lay: () => failures.otherEnd(later),
    headline: /the length is written the other way round$/i,
    because: /as little-endian the header says 5 B, which makes sense/,
    help: /Check endian of the framing on both sides/,
    next: AGAIN,
  },
  {
    name: 'drop after accept',
    lay: () => failures.dropsAll(later),
    headline: /it accepts, then drops the line at once$/i,
    because: /The last \d+ lines ended [\d.]+ m?s after opening, before a byte came\. The other side turns us away/,
    help: /Look into the log of the other side, and at what stands between/,
    next: AGAIN,
  },
  {
    name: 'DNS, no such name',
    lay: () => failures.noSuchName(later),
    headline: /no such host name: till-7\.example$/i,
    because: /The name servers answered, and know no address for it\.$/,
    help: /Check the spelling of the host, and DNS/,
    next: AGAIN,
  },
];

/** The page of a process in a network namespace, from outside: its own port, whose bytes pass a socket file. */
async function inspectedIn({ client }: Cable): Promise<{ program: Program; url: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'ninja-'));
  later(() => rmSync(folder, { recursive: true, force: true }));
  const crossing = join(folder, 'page');
  const here: Server = createServer((near) => {
    const far = dial(crossing);
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  await new Promise<void>((resolve) => here.listen(0, '127.0.0.1', resolve));
  later(() => void here.close());
  const { port } = here.address() as { port: number };
  const program = startProgram(later, 'inspected', { port, crossing }, client.inside);
  const { url } = await program.hears('page');
  return { program, url: url as string };
}

const live = (program: Program, name: string) =>
  program.until(`a live ${name}`, () => program.all('live').find((one) => one.name === name));

browserSuite(titled('what is wrong, from the page alone', cannotRun), (open) => {
  if (cannotRun) return void test.skip('nothing can run', () => {});
  let page: Page;
  let complaints: readonly string[] = [];

  beforeAll(async () => {
    const program = startProgram(later, 'inspected', { title: 'failures' });
    const { url } = await program.hears('page');
    for (const { name, lay } of staged) program.tell({ connect: { waitMs: 1500, ...(await lay()), name } });
    await live(program, 'stopped server');
    stop();
    ({ page, complaints } = await open(url as string, { stays: true }));
  });

  test.each(staged)('$name', ({ name, ...words }) => says(page, name, words));

  test('the list says of every line that is down why it is', async () => {
    for (const { name, next } of staged) {
      if (next.source.startsWith('^Next check')) continue;
      const row = page.locator('.row:not([hidden])', { has: page.locator('.who').getByText(name, { exact: true }) });
      await expect.poll(() => row.locator('.below').textContent(), { timeout: 20_000 }).toMatch(/^connection · \S/);
    }
    expect(complaints).toEqual([]);
  });

  describe('in a network of its own', () => {
    const pulled = async (which: 'client' | 'server') => {
      const cable = await layCable(later);
      const { port } = await startServer(later, { host: '0.0.0.0', heartbeatInterval: 100 }, cable.server.inside);
      const { program, url } = await inspectedIn(cable);
      const far = { host: cable.server.address, port, staleAfter: 800, connectTimeout: 1500, waitMs: 2500 };
      program.tell({ connect: { ...far, name: 'far' } });
      program.tell({ connect: { ...far, host: 'till-7.example', name: 'by name' } });
      await live(program, 'far');
      const { page: other } = await open(url);
      await cable[which].pull();
      return other;
    };

    test.skipIf(noNamespaces)(
      titled('a cable that is pulled at the other end; and no name server', noNamespaces),
      async () => {
        const other = await pulled('server');
        await says(other, 'far', {
          headline: /the other side fell silent$/i,
          because:
            /The line was live, then there was no byte for \d+ ms, and no FIN or reset came: a pulled cable, a lost/,
          help: /Look at cable and route, and at the server process/,
          next: AGAIN,
        });
        await says(other, 'far', {
          headline: /(nothing answers|the machine cannot be reached) at 10\.83\.0\.2:\d+$/i,
          because: /The line fell silent first\. .*a cable or route is down/,
          help: /cable/,
          next: AGAIN,
        });
        await says(other, 'by name', {
          headline: /the name servers do not answer$/i,
          because: /The name till-7\.example could not be looked up at all\.$/,
          help: /DNS of this machine/,
          next: AGAIN,
        });
      },
    );

    test.skipIf(noNamespaces)(titled('a cable that is pulled at this end', noNamespaces), async () => {
      await says(await pulled('client'), 'far', {
        headline: /the network is down$/i,
        because:
          /The line fell silent first\. This machine has no route there: its own cable or interface may be down\.$/,
        help: /Look at the network of this machine/,
        next: AGAIN,
      });
    });
  });

  test('a line on which nothing passes any more', async () => {
    const { port } = await startServer(later, { heartbeatInterval: 100 });
    const proxy = await createFaultProxy({ target: { port } });
    later(() => proxy.close());
    const program = startProgram(later, 'inspected', {});
    const { url } = await program.hears('page');
    program.tell({
      connect: { host: proxy.host, port: proxy.port, staleAfter: 800, waitMs: 3000, name: 'behind a proxy' },
    });
    await live(program, 'behind a proxy');
    const { page: other } = await open(url as string);
    proxy.cut();
    await says(other, 'behind a proxy', {
      headline: /the other side fell silent$/i,
      because: /The line was live, then there was no byte for \d+ ms, and no FIN or reset came/,
      help: /It is dialled again by itself\. Look at cable and route/,
      next: AGAIN,
    });
  });
});

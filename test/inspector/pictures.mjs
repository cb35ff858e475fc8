// Takes the pictures of the inspector's page for the documentation: `node test/inspector/pictures.mjs [FOLDER]`. It needs
// what is built, and a chromium. Real processes: one that is watched, a server that is stopped, and a crowd of clients.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { connect, listen } from '../../dist/index.js';
import { startInspector } from '../../dist/inspector/index.js';

const self = fileURLToPath(import.meta.url);
const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
const host = '127.0.0.1';
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const tell = (value) => console.log(JSON.stringify(value));
/** Ends with the process that started it. */
const staysWithStarter = () => process.stdin.resume().on('end', () => process.exit());

const parts = {
  /** An echo server. */
  async server() {
    const server = await listen({ host, port: 0, heartbeatInterval: 500 }, async (peer) => {
      for await (const message of peer) peer.send(message);
    });
    tell({ port: server.address().port });
  },

  /** So many clients that speak now and then. */
  async clients(port, many) {
    const fleet = [];
    for (let i = 0; i < many; i += 1) {
      fleet.push(connect({ host, port, heartbeatInterval: 900, discardIncoming: true, backoff: () => 600_000 }));
      if (i % 20 === 19) await wait(20);
    }
    await Promise.all(fleet.map((one) => one.connected()));
    tell({ clients: many });
    setInterval(() => {
      for (const [i, one] of fleet.entries()) {
        if (one.state === 'connected' && Math.random() < 0.02 + (i % 7) / 20)
          one.send('x'.repeat(40 + ((i * 37) % 400)));
      }
    }, 200);
  },

  /** What is watched: a few lines, most of them well, and a server with its peers. */
  async watched(port) {
    const inspector = await startInspector({ title: 'payments', allowControl: true });
    const exchange = await listen({ host, port: 0, name: 'exchange', heartbeatInterval: 1000 }, async (peer) => {
      for await (const message of peer) if (message.length % 3 === 0) peer.send(message);
    });
    const given = { host, port, discardIncoming: true };
    const slowly = { backoff: () => 3_600_000 };
    const tills = [1, 2, 3, 4, 5].map((n) => connect({ ...given, name: `till ${n}`, backoff: () => 4000 }));
    const others = [
      connect({ ...given, name: 'settlement' }),
      connect({ host, port: 9, name: 'archive', backoff: (n) => 1000 * n }),
      connect({ host: 'ledger.invalid', port: 7001, name: 'ledger', lookup: noName, ...slowly }),
    ];
    let at = 0;
    setInterval(() => {
      at += 1;
      for (const [i, till] of tills.entries()) {
        const many = Math.round(2 + 2 * Math.sin(at / 25 + i) + Math.random());
        for (let k = 0; k < many && till.state === 'connected'; k += 1)
          till.send(Buffer.alloc(120 + 40 * i + (at % 50)));
      }
    }, 50);
    globalThis.kept = [inspector, exchange, tills, others];
    tell({ url: inspector.url, port: exchange.address().port });
  },
};

function noName(name, _options, done) {
  done(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), '');
}

/** Starts a part as a process of its own. @returns what it tells first */
async function start(part, ...args) {
  const child = spawn(process.execPath, [self, '--part', part, ...args.map(String)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  process.on('exit', () => child.kill('SIGKILL'));
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, ...JSON.parse(line) };
}

async function take(into) {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!executablePath) throw new Error('no chromium here');
  const server = await start('server');
  const watched = await start('watched', server.port);
  await start('clients', watched.port, 320);
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const look = async (colorScheme) => {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      deviceScaleFactor: 1,
      colorScheme,
    });
    const page = await context.newPage();
    await page.goto(watched.url);
    return page;
  };
  const choose = async (page, name) => {
    await page.locator('#search').fill(name);
    await page.locator('.row:not([hidden]) .who').getByText(name, { exact: true }).click();
    await page.locator('#search').fill('');
    // Nothing under the mouse.
    await page.mouse.move(1439, 2);
    await page.evaluate('document.activeElement.blur()');
  };
  const lit = (id) => `.node[data-node="${id}"].lit`;
  const shot = async (page, name) => {
    await page.screenshot({ path: `${into}/inspector-${name}.png` });
    console.log(`inspector-${name}.png`);
  };

  const [light, dark] = [await look('light'), await look('dark')];
  await choose(light, 'till 4');
  await choose(dark, 'exchange');
  await wait(12_000);
  await shot(light, 'live');

  await choose(dark, 'till 2');
  server.child.kill('SIGSTOP');
  await light.waitForSelector(lit('disconnected.waiting'));
  await dark.waitForSelector(lit('disconnected.waiting'));
  await wait(1200);
  await shot(dark, 'dark');
  // It is stale for a millisecond: back to it.
  for (let i = 0; i < 9 && (await light.locator(lit('stale')).count()) === 0; i += 1) {
    await light.keyboard.press('[');
    await wait(100);
  }
  await wait(1500);
  await shot(light, 'stale');
  await light.keyboard.press('Escape');
  server.child.kill('SIGCONT');
  await light.waitForSelector(lit('connected.line.live'));

  await choose(light, 'archive');
  await light.check('#grouped');
  await wait(3000);
  await shot(light, 'list');
  await browser.close();
}

const [flag, part, ...args] = process.argv.slice(2);
if (flag === '--part') {
  staysWithStarter();
  await parts[part](...args.map(Number));
} else {
  await take(flag ?? folder);
  process.exit();
}

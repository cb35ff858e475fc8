import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectRaw } from 'node:net';
import { describe, expect, test } from 'vitest';
import { startInspector } from '../../src/inspector/index.js';
import { MOST_BODY } from '../../src/inspector/requests.js';
import { startStage } from './stage.js';

describe('startInspector()', () => {
  test('listens on 127.0.0.1 alone, on a port that the system chose, with a token of its own each time', async () => {
    const [one, two] = [await startInspector(), await startInspector({ port: 0, title: 'second' })];
    const tokens = [one, two].map(({ url, port }) => {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[\w-]{43}$/);
      expect(new URL(url).port).toBe(String(port));
      return new URL(url).searchParams.get('token');
    });
    expect(tokens[0]).not.toBe(tokens[1]);
    await Promise.all([one.close(), one.close(), two.close()]);
    await expect(fetch(one.url)).rejects.toThrow();
  });

  test.each([
    [{ port: 65_536 }, 'port must be a whole number from 0 to 65535, got 65536'],
    [{ port: '80' }, "port must be a whole number from 0 to 65535, got '80'"],
    [{ allowControl: 1 }, 'allowControl must be true or false, got 1'],
    [{ title: 7 }, 'title must be a string, got 7'],
    [{ host: '0.0.0.0' }, 'startInspector(): host is not an option'],
  ])('refuses %j', async (options, message) => {
    await expect(startInspector(options as never)).rejects.toMatchObject({ code: 'NINJA_INVALID_OPTION', message });
  });

  test('says that a port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    await expect(startInspector({ port: (taken.address() as AddressInfo).port })).rejects.toMatchObject({
      code: 'NINJA_LISTEN_FAILED',
      message: expect.stringMatching(/^the inspector cannot listen: listen EADDRINUSE/),
    });
    taken.close();
  });

  test('answers with the reason where the page is not there', async () => {
    const inspector = await startInspector();
    const response = await fetch(new URL('page.js', inspector.url));
    // From the sources the page is never beside it.
    expect({ status: response.status, text: await response.text() }).toEqual({
      status: 500,
      text: expect.stringMatching(/^page\.js is not beside the library, in .*inspector\. Was the library bundled/),
    });
    await inspector.close();
  });
});

describe('an answer', () => {
  const everything: [method: string, path: string, status: number][] = [
    ['GET', '/?token=TOKEN', 200],
    ['HEAD', '/?token=TOKEN', 200],
    ['GET', '/page.js', 200],
    ['GET', '/page.css', 200],
    ['GET', '/', 403],
    ['GET', '/feed', 403],
    ['POST', '/watch', 403],
    ['POST', '/control', 403],
    ['GET', '/nothing?token=TOKEN', 404],
    ['GET', '/toString?token=TOKEN', 404],
    ['GET', '/../package.json?token=TOKEN', 404],
    ['GET', '/index.html?token=TOKEN', 404],
    ['POST', '/?token=TOKEN', 405],
    ['HEAD', '/feed?token=TOKEN', 405],
    ['GET', '/watch?token=TOKEN', 405],
    ['DELETE', '/control?token=TOKEN', 405],
    ['OPTIONS', '/control?token=TOKEN', 405],
  ];

  test.each(everything)('to %s %s is %i, and is kept by nobody', async (method, path, status) => {
    const { ask, token } = await startStage();
    const answer = await ask(path.replace('TOKEN', token), { method });
    expect(answer.status).toBe(status);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'content-security-policy': expect.stringMatching(
        /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; .*frame-ancestors 'none'$/,
      ),
    });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    if (status === 405) expect(answer.headers.allow).toMatch(/^(GET|POST)$/);
    // No answer repeats the secret.
    expect(answer.text).not.toContain(token);
  });

  test('has the file of the page, with its type', async () => {
    const { ask, token } = await startStage();
    const [page, script, style] = [await ask(`/?token=${token}`), await ask('/page.js'), await ask('/page.css')];
    expect([page, script, style].map(({ text }) => text)).toEqual([
      'the file index.html',
      'the file page.js',
      'the file page.css',
    ]);
    expect(script.headers['content-type']).toBe('text/x-page.js');
  });
});

describe('who may ask', () => {
  const PORT = '{port}';
  const asked: [what: string, headers: Record<string, string>, status: number][] = [
    ['by address', { host: `127.0.0.1:${PORT}` }, 200],
    ['by name', { host: `localhost:${PORT}` }, 200],
    ['from the page', { host: `127.0.0.1:${PORT}`, origin: `http://127.0.0.1:${PORT}` }, 200],
    ['from the page by name', { host: `localhost:${PORT}`, origin: `http://localhost:${PORT}` }, 200],
    ['by a name that leads here', { host: `evil.example:${PORT}` }, 403],
    ['without the port', { host: '127.0.0.1' }, 403],
    ['with another port', { host: '127.0.0.1:1' }, 403],
    ['with more behind', { host: `127.0.0.1:${PORT}.evil.example` }, 403],
    ['by another loopback address', { host: `127.0.0.2:${PORT}` }, 403],
    ['from another site', { host: `127.0.0.1:${PORT}`, origin: 'https://evil.example' }, 403],
    ['from another port', { host: `127.0.0.1:${PORT}`, origin: 'http://127.0.0.1:1' }, 403],
    ['from the page by https', { host: `127.0.0.1:${PORT}`, origin: `https://127.0.0.1:${PORT}` }, 403],
    ['from a file or a sandbox', { host: `127.0.0.1:${PORT}`, origin: 'null' }, 403],
    ['from nowhere', { host: `127.0.0.1:${PORT}`, origin: '' }, 403],
  ];

  test.each(asked)('%s, with the token and without need of it', async (_, wanted, status) => {
    const { ask, port, token } = await startStage();
    const headers = Object.fromEntries(
      Object.entries(wanted).map(([name, value]) => [name, value.replace(PORT, `${port}`)]),
    );
    for (const path of [`/?token=${token}`, '/page.js']) {
      const answer = await ask(path, { headers });
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.text).toMatch(/^(Host|Origin) must be .*\.\n$/);
    }
  });

  const tokens: [what: string, query: string, authorization: string | undefined, status: number][] = [
    ['in the address', '?token=TOKEN', undefined, 200],
    ['as Bearer', '', 'Bearer TOKEN', 200],
    ['none', '', undefined, 403],
    ['an empty one', '?token=', undefined, 403],
    ['another one', '?token=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', undefined, 403],
    ['its beginning', '?token=HALF', undefined, 403],
    ['more than it', '?token=TOKENx', undefined, 403],
    ['as another scheme', '', 'Basic TOKEN', 403],
    // What is in the address counts.
    ['a wrong one beside the right one', '?token=x', 'Bearer TOKEN', 403],
  ];

  test.each(tokens)('a token: %s', async (_, query, authorization, status) => {
    const { ask, token } = await startStage();
    const put = (text: string) => text.replace('TOKEN', token).replace('HALF', token.slice(0, 21));
    const headers = authorization === undefined ? {} : { authorization: put(authorization) };
    const answer = await ask(`/${put(query)}`, { headers });
    expect(answer.status).toBe(status);
    if (status === 403) expect(answer.text).toContain('The token is missing or wrong');
  });

  test('whoever says no Host is told so', async () => {
    const { port } = await startStage();
    const socket = connectRaw(port, '127.0.0.1');
    socket.write('GET /page.js HTTP/1.0\r\n\r\n');
    const [said] = (await once(socket, 'data')) as [Buffer];
    expect(said.toString()).toMatch(/^HTTP\/1\.1 403 /);
    socket.destroy();
  });
});

describe('a body', () => {
  const bodies: [what: string, body: string, status: number, text: RegExp][] = [
    ['of the most bytes', JSON.stringify({ feed: 'x', id: null }).padEnd(MOST_BODY), 404, /^x is not open\.\n$/],
    [
      'of one more',
      JSON.stringify({ feed: 'x', id: null }).padEnd(MOST_BODY + 1),
      413,
      /^The body must have at most 4096/,
    ],
    ['that is none', '', 400, /^The body must be JSON\.\n$/],
    ['that is no JSON', '{', 400, /^The body must be JSON\.\n$/],
    ['that is no object', '[]', 400, /^The body must be an object/],
    ['without a feed', '{"id":null}', 400, /^feed must be a string\.\n$/],
    ['with an id of another type', '{"feed":"x","id":7}', 400, /^id must be a string, or null\.\n$/],
  ];

  test.each(bodies)('%s', async (_, body, status, text) => {
    const { ask, token } = await startStage();
    for (const length of [{ 'content-length': String(Buffer.byteLength(body)) }, { 'transfer-encoding': 'chunked' }]) {
      const headers = { authorization: `Bearer ${token}`, ...(length as Record<string, string>) };
      const answer = await ask('/watch', { method: 'POST', headers, body });
      expect(answer.status).toBe(status);
      expect(answer.text).toMatch(text);
    }
  });
});

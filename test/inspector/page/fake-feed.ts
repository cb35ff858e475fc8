import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Hello, Message, Row } from '../../../src/inspector/page/wire.js';

const dist = fileURLToPath(new URL('../../../dist/inspector/', import.meta.url));
/** For `describe.skipIf`: the page is what was built. */
export const noPage = !existsSync(`${dist}page.js`);

const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";
const types: Readonly<Record<string, string>> = {
  'index.html': 'text/html; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'page.css': 'text/css; charset=utf-8',
};

/** A message without its type-specific `now` may leave it to the feed. */
export interface FakeOptions {
  readonly token: string;
  readonly hello: Omit<Hello, 'type' | 'feed' | 'now'>;
  /** 0 for any. */
  readonly port?: number;
}

/** An inspector's server that says what a test tells it to, and writes down what it is asked. */
export class FakeFeed {
  rows: readonly Row[] = [];
  /** Bodies of `POST /watch` and `POST /control`, as they came. */
  readonly asked: { readonly path: string; readonly body: Record<string, unknown> }[] = [];
  /** Paths of all requests. */
  readonly requests: string[] = [];
  /** Called when somebody is watched, by whichever way. */
  onWatch: (id: string) => void = () => {};
  controlStatus = 200;
  private readonly feeds = new Map<string, ServerResponse>();
  private readonly server: Server;
  private named = 0;

  private constructor(private readonly options: FakeOptions) {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  static async start(options: FakeOptions): Promise<FakeFeed> {
    const feed = new FakeFeed(options);
    await new Promise<void>((resolve) => feed.server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return feed;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/?token=${this.options.token}`;
  }

  /** To all pages that listen. */
  say(message: Message): void {
    for (const response of this.feeds.values()) response.write(`data: ${JSON.stringify(message)}\n\n`);
  }

  /** Rows that have changed. */
  change(rows: readonly Row[], gone: readonly string[] = []): void {
    // In small pieces: a browser draws between two of them.
    for (let from = 0; from < rows.length; from += 500) {
      this.say({ type: 'rows', now: Date.now(), all: false, rows: rows.slice(from, from + 500), gone });
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    this.requests.push(`${request.method} ${pathname}`);
    response.setHeader('content-security-policy', CSP);
    const file = pathname === '/' ? 'index.html' : pathname.slice(1);
    const type = types[file];
    if (type) return void response.setHeader('content-type', type).end(readFileSync(`${dist}${file}`));
    const token = searchParams.get('token') ?? request.headers.authorization?.replace('Bearer ', '');
    if (token !== this.options.token) return void response.writeHead(403).end();
    if (pathname === '/feed') return this.feed(response, searchParams.get('watch'));
    if (request.method !== 'POST') return void response.writeHead(404).end();
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const body = JSON.parse(text) as Record<string, unknown>;
    this.asked.push({ path: pathname, body });
    if (pathname === '/control') return void response.writeHead(this.controlStatus).end('{"ok":true}');
    if (!this.feeds.has(String(body.feed))) return void response.writeHead(404).end();
    response.writeHead(200).end('{"ok":true}');
    if (typeof body.id === 'string') this.onWatch(body.id);
  }

  private feed(response: ServerResponse, watch: string | null): void {
    this.named += 1;
    const feed = `feed-${this.named}`;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    this.feeds.set(feed, response);
    response.on('close', () => this.feeds.delete(feed));
    const now = Date.now();
    const first: Message[] = [
      { type: 'hello', feed, now, ...this.options.hello },
      { type: 'rows', now, all: true, rows: this.rows, gone: [] },
    ];
    for (const message of first) response.write(`data: ${JSON.stringify(message)}\n\n`);
    if (watch !== null) this.onWatch(watch);
  }
}

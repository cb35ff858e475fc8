import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import { messageOf, NinjaTcpError } from '../errors.js';
import { port as checkedPort, refuse as refuseOption } from '../settings/checks.js';
import { charts } from './charts.js';
import { Feed } from './feed.js';
import { type ReadPage, readPage, version } from './files.js';
import { Guard } from './guard.js';
import { obey } from './orders.js';
import { answer, bodyOf, prepare, Refusal, refuse } from './requests.js';
import { Watch } from './watch.js';

/** So many pages may be open at once, and so many connections to us as a whole. */
const MOST_FEEDS = 16;
const MOST_SOCKETS = 64;
/** A request has to be there within this time, milliseconds. */
const REQUEST_TIME = 10_000;

export interface InspectorOptions {
  /** The port on 127.0.0.1, 0 … 65535; 0 lets the system choose. Default 0. */
  readonly port?: number | undefined;
  /** Lets whoever has the address connect, disconnect, close and dispose what they see. Default false. */
  readonly allowControl?: boolean | undefined;
  /** What the page calls this process. Default: the name of the program's file. */
  readonly title?: string | undefined;
}

/** A running inspector. It does not keep the process alive. */
export interface Inspector {
  /** The page's address, with the token in it: whoever has it, sees everything. */
  readonly url: string;
  readonly port: number;
  /** Ends all pages' feeds and gives the port back. Resolves when it is free; never rejects. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const paths: Readonly<Record<string, 'GET' | 'POST'>> = {
  '/': 'GET',
  '/page.js': 'GET',
  '/page.css': 'GET',
  '/feed': 'GET',
  '/watch': 'POST',
  '/control': 'POST',
};

export class InspectorServer implements Inspector {
  private readonly guard = new Guard();
  private readonly watch = new Watch();
  private readonly server: Server;
  private readonly version = version();
  private named = 0;
  private bound = 0;

  constructor(
    private readonly title: string,
    private readonly allowControl: boolean,
    private readonly page: ReadPage,
  ) {
    this.server = createServer({ requestTimeout: REQUEST_TIME }, (request, response) => {
      this.answer(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else refuse(response, error instanceof Refusal ? error : new Refusal(500, messageOf(error)));
      });
    });
    this.server.maxConnections = MOST_SOCKETS;
    this.server.on('connection', (socket) => socket.unref());
    this.server.unref();
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error) => {
        reject(new NinjaTcpError('NINJA_LISTEN_FAILED', `the inspector cannot listen: ${error.message}`, error));
      });
      this.server.listen(port, '127.0.0.1', resolve);
    });
    this.bound = (this.server.address() as AddressInfo).port;
    // A socket that cannot be accepted is no reason to end the process.
    this.server.removeAllListeners('error').on('error', (error) => process.emitWarning(error));
  }

  get port(): number {
    return this.bound;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/?token=${this.guard.token}`;
  }

  close(): Promise<void> {
    this.watch.end();
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    prepare(response);
    const strange = this.guard.strange(request.headers, this.port);
    if (strange) throw new Refusal(403, strange);
    const { pathname, searchParams } = addressOf(request);
    const method = Object.hasOwn(paths, pathname) ? paths[pathname] : undefined;
    if (!method) throw new Refusal(404, 'There is nothing here.');
    if (request.method !== method && !(method === 'GET' && pathname !== '/feed' && request.method === 'HEAD')) {
      throw new Refusal(405, `${pathname} wants ${method}.`, { allow: method });
    }
    if (pathname === '/page.js' || pathname === '/page.css') return this.send(response, pathname.slice(1) as 'page.js');
    if (!this.guard.knows(searchParams.get('token') ?? bearer(request))) {
      throw new Refusal(403, 'The token is missing or wrong: open the address that the program printed, as it stands.');
    }
    if (pathname === '/') this.send(response, 'index.html');
    else if (pathname === '/feed') this.open(response, searchParams.get('watch') ?? undefined);
    else if (pathname === '/watch') this.choose(response, await bodyOf(request));
    else {
      if (!this.allowControl) throw new Refusal(403, 'Orders are not allowed: the option allowControl is off.');
      const { id, order } = await bodyOf(request);
      obey(id, order);
      answer(response, { ok: true });
    }
  }

  private send(response: ServerResponse, name: Parameters<ReadPage>[0]): void {
    const { type, bytes } = this.page(name);
    response.writeHead(200, { 'content-type': type, 'content-length': bytes.length }).end(bytes);
  }

  private open(response: ServerResponse, watched: string | undefined): void {
    if (this.watch.size >= MOST_FEEDS) throw new Refusal(503, `${MOST_FEEDS} pages are open already: close one.`);
    this.named += 1;
    const feed = new Feed(`feed-${this.named}`, response);
    response.on('error', () => {});
    response.on('close', () => this.watch.remove(feed));
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
    this.watch.add(feed, {
      type: 'hello',
      feed: feed.name,
      version: this.version,
      pid: process.pid,
      title: this.title,
      now: Date.now(),
      allowControl: this.allowControl,
      charts,
    });
    if (watched !== undefined && !feed.watch(watched)) feed.tell({ type: 'gone', id: watched });
  }

  private choose(response: ServerResponse, { feed: name, id }: Readonly<Record<string, unknown>>): void {
    if (typeof name !== 'string') throw new Refusal(400, 'feed must be a string.');
    if (typeof id !== 'string' && id !== null) throw new Refusal(400, 'id must be a string, or null.');
    const feed = this.watch.feed(name);
    if (!feed) throw new Refusal(404, `${name || 'That feed'} is not open.`);
    if (!feed.watch(id ?? undefined)) throw new Refusal(404, `${id} is no more.`);
    answer(response, { ok: true });
  }
}

function addressOf({ url = '/' }: IncomingMessage): URL {
  try {
    return new URL(url, 'http://127.0.0.1');
  } catch {
    throw new Refusal(400, 'That is no address.');
  }
}

function bearer({ headers }: IncomingMessage): string | undefined {
  return /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1];
}

const known: Readonly<Record<keyof InspectorOptions, true>> = { port: true, allowControl: true, title: true };

/**
 * Serves a page, on 127.0.0.1 alone, that shows every connection, peer and server of this process, and the statechart of
 * the chosen one as it moves. Nothing is observed while no page is open.
 *
 * ```ts
 * const inspector = await startInspector();
 * console.log(inspector.url);
 * ```
 *
 * @throws NinjaTcpError `NINJA_INVALID_OPTION`, `NINJA_LISTEN_FAILED`
 */
export async function startInspector(options: InspectorOptions = {}): Promise<Inspector> {
  const { port = 0, allowControl = false, title = basename(process.argv[1] ?? process.title) } = options;
  const unknown = Object.keys(options).find((option) => !Object.hasOwn(known, option));
  if (unknown !== undefined) {
    throw new NinjaTcpError('NINJA_INVALID_OPTION', `startInspector(): ${unknown} is not an option`);
  }
  if (typeof allowControl !== 'boolean') refuseOption('allowControl', 'true or false', allowControl);
  if (typeof title !== 'string') refuseOption('title', 'a string', title);
  const inspector = new InspectorServer(title, allowControl, readPage);
  await inspector.listen(checkedPort('port', port, 0));
  return inspector;
}

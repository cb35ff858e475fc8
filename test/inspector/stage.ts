/** An inspector on a real port, asked by literal requests; and a page that is nothing but its ears. */
import { type ClientRequest, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { afterEach } from 'vitest';
import { type InspectorOptions, InspectorServer } from '../../src/inspector/inspector.js';
import type { Message } from '../../src/inspector/wire.js';

const open = new Set<InspectorServer>();
const pages = new Set<Page>();

afterEach(async () => {
  for (const page of pages) page.close();
  for (const inspector of open) await inspector.close();
  pages.clear();
  open.clear();
});

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** The page's files are one line each here: what is built is not looked at. */
export async function startStage({ allowControl = false }: InspectorOptions = {}) {
  const inspector = new InspectorServer('the tests', allowControl, (name) => ({
    type: `text/x-${name}`,
    bytes: Buffer.from(`the file ${name}`),
  }));
  await inspector.listen(0);
  open.add(inspector);
  const { port } = inspector;
  const token = new URL(inspector.url).searchParams.get('token') as string;
  const authorization = `Bearer ${token}`;
  const ask = (path: string, asked: Asked = {}): Promise<Answer> => askPort(port, path, asked);
  return {
    inspector,
    port,
    token,
    ask,
    /** With the token, and as JSON. */
    post: (path: string, body: unknown): Promise<Answer> =>
      ask(path, { method: 'POST', headers: { authorization }, body: JSON.stringify(body) }),
    page: (more = ''): Promise<Page> => Page.open(port, `/feed?token=${token}${more}`),
  };
}

function askPort(port: number, path: string, { method = 'GET', headers = {}, body }: Asked): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        });
      });
      response.on('error', reject);
    });
    asking.on('error', reject);
    asking.end(body);
  });
}

type Of<Type> = Extract<Message, { readonly type: Type }>;

export class Page {
  readonly heard: Message[] = [];
  /** The events as they came over the wire. */
  raw = '';
  over = false;
  private rest = '';
  private readonly looks = new Set<() => void>();

  private constructor(
    private readonly asking: ClientRequest,
    readonly response: IncomingMessage,
  ) {
    response.setEncoding('utf8').on('data', (text: string) => this.hear(text));
    response.on('error', () => {});
    response.on('close', () => {
      this.over = true;
      this.look();
    });
  }

  static open(port: number, path: string): Promise<Page> {
    return new Promise((resolve, reject) => {
      const asking = request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        const page = new Page(asking, response);
        pages.add(page);
        resolve(page);
      });
      asking.on('error', reject);
      asking.end();
    });
  }

  private hear(text: string): void {
    this.raw += text;
    const events = (this.rest + text).split('\n\n');
    this.rest = events.pop() as string;
    for (const event of events) this.heard.push(JSON.parse(event.replace(/^data: /, '')) as Message);
    this.look();
  }

  private look(): void {
    for (const look of this.looks) look();
  }

  /** All of this type, so far. */
  all<Type extends Message['type']>(type: Type): readonly Of<Type>[] {
    return this.heard.filter((message): message is Of<Type> => message.type === type);
  }

  /** Waits for the first message of this type that `fits`, among those that came and those that come. */
  until<Type extends Message['type']>(
    type: Type,
    fits: (message: Of<Type>) => unknown = () => true,
  ): Promise<Of<Type>> {
    return this.wait(`a '${type}'`, () => this.all(type).find((message) => fits(message)));
  }

  /** Waits until the server has ended it. */
  end(): Promise<true> {
    return this.wait('its end', () => this.over || undefined, false);
  }

  private wait<T>(what: string, find: () => T | undefined, alive = true): Promise<T> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = find();
        if (found === undefined && !(alive && this.over)) return;
        this.looks.delete(look);
        if (found !== undefined) resolve(found);
        else reject(new Error(`the feed ended before ${what} came; it heard ${this.heard.map(({ type }) => type)}`));
      };
      this.looks.add(look);
      look();
    });
  }

  /** The rows that it knows, as a page does. */
  get rows(): ReadonlyMap<string, Of<'rows'>['rows'][number]> {
    const rows = new Map<string, Of<'rows'>['rows'][number]>();
    for (const message of this.all('rows')) {
      if (message.all) rows.clear();
      for (const row of message.rows) rows.set(row.id, row);
      for (const id of message.gone) rows.delete(id);
    }
    return rows;
  }

  /** Waits for a row with this name, and gives its id. */
  async idOf(name: string): Promise<string> {
    const { rows } = await this.until('rows', ({ rows }) => rows.some((row) => row.name === name));
    return rows.find((row) => row.name === name)?.id as string;
  }

  close(): void {
    this.asking.destroy();
  }
}

import type { IncomingMessage, ServerResponse } from 'node:http';

/** The longest body of a request, bytes. */
export const MOST_BODY = 4096;

/** What was asked is not answered, and why. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message);
  }
}

/** Of every answer. Nothing that the page did not bring along is loaded, and nobody else may show or keep it. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export function prepare(response: ServerResponse): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

export function refuse(response: ServerResponse, { status, message, headers }: Refusal): void {
  // A request that was not read to its end leaves the connection where no other can follow.
  if (status === 413) response.setHeader('connection', 'close');
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${message}\n`);
}

export function answer(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(value));
}

/** The JSON object in a request's body. @throws Refusal */
export async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  const text = (await read(request)).toString();
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Refusal(400, 'The body must be JSON.');
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(400, 'The body must be an object of JSON.');
  }
  return body as Record<string, unknown>;
}

function read(request: IncomingMessage): Promise<Buffer> {
  const tooLong = new Refusal(413, `The body must have at most ${MOST_BODY} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > MOST_BODY) return Promise.reject(tooLong);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MOST_BODY) reject(tooLong);
      else chunks.push(chunk);
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => reject(new Refusal(400, 'The body was cut off.')));
    request.once('error', reject);
  });
}

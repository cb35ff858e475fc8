/** ninja-tcp/redis: sessions that any of several servers can go on with, through Redis or Valkey and the package `redis`. */
import { createHash } from 'node:crypto';
import { createClient } from 'redis';
import { NinjaTcpError } from '../errors.js';
import type { Block, SessionStore, StoreChange, StoreClaimed, StoreFound, StoreOutcome } from '../store/contract.js';
import { createSealer } from '../store/sealing.js';
import { claim, load, write } from './scripts.js';

export type { SessionStore } from '../store/contract.js';

/** What is asked of a client of the package `redis`, version 6: its `createClient()` gives one. */
export interface RedisClient {
  sendCommand<T>(
    args: readonly (string | Buffer)[],
    options?: { readonly typeMapping?: Readonly<Record<number, unknown>> },
  ): Promise<T>;
}

export interface RedisStoreOptions {
  /** `redis[s]://[[username][:password]@][host][:port][/db-number]`. Either this or `client`. */
  readonly url?: string | undefined;
  /** A client of your own, connected, with its own `error` listener; it stays yours to close. Either this or `url`. */
  readonly client?: RedisClient | undefined;
  /** What all keys begin with. Default `'ninja:'`; in Redis Cluster one with a hash tag, such as `'{ninja}:'`. */
  readonly prefix?: string | undefined;
  /**
   * Seals what is kept, AES-256-GCM: 32 bytes from a cryptographic source, the same on all servers; or several, of which the
   * first seals and all open, so that one can be replaced by another.
   */
  readonly key: Uint8Array | readonly Uint8Array[];
}

/** The marker of strings in the protocol of Redis. */
const BLOB = 36;
const AS_BYTES = { typeMapping: { [BLOB]: Buffer } };

class Script {
  private readonly hash: string;

  constructor(private readonly text: string) {
    this.hash = createHash('sha1').update(text).digest('hex');
  }

  /** By its hash, which Redis has forgotten when it was restarted. */
  async run<T>(client: RedisClient, keys: readonly string[], args: readonly (string | Buffer)[]): Promise<T> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await client.sendCommand<T>(['EVALSHA', this.hash, ...rest], AS_BYTES);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return client.sendCommand<T>(['EVAL', this.text, ...rest], AS_BYTES);
    }
  }
}

const scripts = { load: new Script(load), claim: new Script(claim), write: new Script(write) };

/**
 * A store of sessions in Redis or Valkey, for `session: { store }`.
 *
 * What is promised holds as long as Redis keeps what it has said that it has: let it run with `appendonly yes` and
 * `appendfsync always` (with `everysec` a power cut may cost the last second), and `maxmemory-policy noeviction`.
 *
 * ```ts
 * const store = redisStore({ url: 'redis://127.0.0.1', key: Buffer.from(process.env.SESSION_KEY, 'base64') });
 * await listen({ port: 65432, session: { store } }, async (peer) => { … });
 * ```
 *
 * @throws NinjaTcpError `NINJA_INVALID_OPTION`
 */
export function redisStore(options: RedisStoreOptions): SessionStore {
  const { url, prefix = 'ninja:', key } = options;
  if ((url === undefined) === (options.client === undefined)) {
    throw new NinjaTcpError('NINJA_INVALID_OPTION', 'one of url and client must be given, and not both');
  }
  const sealer = createSealer(key);
  const connection = url === undefined ? undefined : connectTo(url);
  const clientOf = async (): Promise<RedisClient> => connection?.ready() ?? (options.client as RedisClient);
  return {
    sealer,
    async find(alias) {
      const id = await (await clientOf()).sendCommand<Buffer | string | null>(['GET', prefix + alias], AS_BYTES);
      return id === null ? undefined : String(id);
    },
    async load(id) {
      return foundOf(await scripts.load.run<Reply>(await clientOf(), [prefix + id], []));
    },
    async claim(id, { fence, held = '', epoch, keepMs }) {
      const args = [fence, held, epoch === undefined ? '' : String(epoch), msOf(keepMs)];
      return claimedOf(await scripts.claim.run<Reply>(await clientOf(), [prefix + id], args));
    },
    async write(changes) {
      const client = await clientOf();
      return Promise.all(changes.map(async (change) => String(await writeOne(client, prefix, change)) as StoreOutcome));
    },
    close: async () => connection?.close(),
  };
}

function writeOne(client: RedisClient, prefix: string, change: StoreChange): Promise<unknown> {
  const { id, fence, create, head, epoch, handled, first, next, block, keepMs, rememberMs, end } = change;
  const alias = create?.alias;
  const keys = alias === undefined ? [prefix + id] : [prefix + id, prefix + alias];
  return scripts.write.run(client, keys, [
    fence,
    create ? 'create' : '',
    id,
    ...[epoch, handled, first, next].map(String),
    msOf(keepMs),
    msOf(rememberMs),
    end ?? '',
    head ? 'head' : '',
    head ? bufferOf(head) : '',
    block ? String(block.from) : '',
    block ? String(block.next) : '',
    block ? bufferOf(block.bytes) : '',
  ]);
}

/** A client of our own. It says at once when Redis is away: whoever asks knows better when to ask again. */
function connectTo(url: string): { ready(): Promise<RedisClient>; close(): Promise<void> } {
  const client = createClient({ url, disableOfflineQueue: true });
  // What fails says so to whoever asked.
  client.on('error', () => {});
  let connected: Promise<unknown> | undefined;
  return {
    async ready() {
      connected ??= client.connect();
      await connected;
      return client as unknown as RedisClient;
    },
    async close() {
      connected?.catch(() => {});
      if (client.isOpen) client.destroy();
    },
  };
}

/** What scripts answer: a word, then what belongs to it. */
type Reply = readonly [Buffer, ...unknown[]];

function foundOf([outcome, ...rest]: Reply): StoreFound {
  switch (String(outcome)) {
    case 'live':
      return { outcome: 'live', session: sessionOf(rest) };
    case 'ended':
      return { outcome: 'ended', session: { head: rest[0] as Buffer, handled: Number(String(rest[1])) } };
    default:
      return { outcome: 'unknown' };
  }
}

function claimedOf(reply: Reply): StoreClaimed {
  const outcome = String(reply[0]);
  if (outcome === 'held' || outcome === 'stale') return { outcome };
  if (outcome === 'claimed') return { outcome, session: sessionOf(reply.slice(1)) };
  return foundOf(reply) as StoreClaimed;
}

function sessionOf([head, epoch, handled, first, blocks]: readonly unknown[]) {
  return {
    head: head as Buffer,
    epoch: Number(String(epoch)),
    handled: Number(String(handled)),
    first: Number(String(first)),
    blocks: (blocks as Buffer[]).map(blockOf),
  };
}

/** @throws NinjaTcpError `NINJA_STORE_CORRUPT` */
function blockOf(bytes: Buffer): Block {
  const [, from, next] = /^(\d+) (\d+) /.exec(bytes.toString('latin1', 0, 40)) ?? [];
  if (from === undefined || next === undefined) {
    throw new NinjaTcpError('NINJA_STORE_CORRUPT', 'the session store cannot be believed: messages without numbers');
  }
  return { from: Number(from), next: Number(next), bytes: bytes.subarray(from.length + next.length + 2) };
}

const msOf = (ms: number): string => (ms === Number.POSITIVE_INFINITY ? 'inf' : String(Math.ceil(ms)));
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

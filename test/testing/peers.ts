import type { Acceptor, BoundAddress, Environment, Transport, TransportHandlers } from '../../src/environment.js';
import { createNetwork, createVirtualClock, type NetworkOptions } from '../../src/testing/index.js';

/** What an owner heard of its transport: `opened`, `chunk …`, `ended`, `failed CODE`, `closed`. */
export interface Owner {
  readonly transport: Transport;
  readonly heard: string[];
  readonly chunks: Buffer[];
  readonly received: Buffer;
  errors: Error[];
  on: Partial<TransportHandlers>;
}

export function own(transport: Transport, on: Partial<TransportHandlers> = {}): Owner {
  const owner: Owner = {
    transport,
    heard: [],
    chunks: [],
    errors: [],
    on,
    get received() {
      return Buffer.concat(owner.chunks);
    },
  };
  transport.attach({
    opened() {
      owner.heard.push('opened');
      owner.on.opened?.();
    },
    chunk(bytes) {
      owner.heard.push(`chunk ${bytes.length}`);
      owner.chunks.push(bytes);
      owner.on.chunk?.(bytes);
    },
    ended() {
      owner.heard.push('ended');
      owner.on.ended?.();
    },
    failed(error) {
      owner.heard.push(`failed ${(error as NodeJS.ErrnoException).code}`);
      owner.errors.push(error);
      owner.on.failed?.(error);
    },
    closed() {
      owner.heard.push('closed');
      owner.on.closed?.();
    },
  });
  return owner;
}

export function dial(environment: Environment, port = 65432, host = 'server', on?: Partial<TransportHandlers>): Owner {
  return own(environment.dial({ host, port, noDelay: true }), on);
}

export interface Port {
  readonly acceptor: Acceptor;
  readonly accepted: Owner[];
  readonly heard: string[];
  address: BoundAddress | undefined;
  error: Error | undefined;
}

export function listen(environment: Environment, port = 65432, host?: string, backlog?: number): Port {
  const open: Port = {
    accepted: [],
    heard: [],
    address: undefined,
    error: undefined,
    acceptor: environment.listen(
      { port, host, backlog, noDelay: true },
      {
        listening(address) {
          open.heard.push('listening');
          open.address = address;
        },
        accepted(transport) {
          open.accepted.push(own(transport));
        },
        failed(error) {
          open.heard.push(`failed ${(error as NodeJS.ErrnoException).code}`);
          open.error = error;
        },
      },
    ),
  };
  return open;
}

export const written = (): void => {};

/** A client and a server on hosts of their own, and the line between them is open. */
export async function line(options: Partial<NetworkOptions> = {}) {
  const clock = options.clock ?? createVirtualClock();
  const network = createNetwork({ ...options, clock });
  const client = network.host('client');
  const server = network.host('server');
  const port = listen(server.environment());
  const near = dial(client.environment());
  await clock.runUntil(() => port.accepted.length === 1);
  const far = port.accepted[0] as Owner;
  near.heard.length = 0;
  return { clock, network, client, server, port, near, far };
}

import type { BoundAddress, DialTarget } from './environment.js';

/** Where one server listens. */
export type Target = Pick<DialTarget, 'host' | 'port' | 'path'>;

/** `127.0.0.1:9`, `[::1]:9` */
export function hostPort(host: string | undefined, port: number | undefined): string {
  return `${host?.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Where a server listens: `127.0.0.1:9`, or a path. */
export function boundWords({ address, port, family }: BoundAddress): string {
  return family === 'unix' ? address : hostPort(address, port);
}

/** Where to dial: `127.0.0.1:9`, or a path. */
export function targetWords({ host, port, path }: Target): string {
  return path ?? hostPort(host, port);
}

/**
 * A cable between two network namespaces, and what can happen to it. The namespaces have no names: each lives as long as
 * a process in it, and every process here ends with the one that started it. So nothing is left of a test, whether it
 * passed, failed, or was killed.
 */
import { execFile, execFileSync } from 'node:child_process';
import { readlinkSync, realpathSync } from 'node:fs';
import { promisify } from 'node:util';
import { type Inside, type Later, Program, which } from './support-program.js';

const run = promisify(execFile);
const tool = (name: string): string => which(name) ?? name;
const isRoot = process.getuid?.() === 0;

/** Without root the namespaces belong to a user namespace of ours. */
const unshare = [tool('unshare'), ...(isRoot ? [] : ['-r']), '-n'];

/** Why there can be no network namespaces here; for titles. */
export const noNamespaces = ((): string | undefined => {
  if (process.platform !== 'linux') return 'network namespaces are Linux';
  for (const name of ['ip', 'unshare', 'nsenter']) if (!which(name)) return `${name} is missing`;
  try {
    const [command, ...args] = unshare as [string, ...string[]];
    execFileSync(command, [...args, tool('ip'), 'link', 'add', 'probe', 'type', 'veth'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'network namespaces are not permitted';
  }
})();

/** Why there can be no rules of a firewall in a namespace here; for titles. */
export const noFirewall = ((): string | undefined => {
  if (noNamespaces) return noNamespaces;
  if (!which('nft')) return 'nft is missing';
  try {
    const [command, ...args] = unshare as [string, ...string[]];
    execFileSync(command, [...args, tool('nft'), 'add', 'table', 'inet', 'probe'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'nft is not permitted';
  }
})();

const cat = which('cat') && realpathSync(tool('cat'));
const SUBNET = '10.83.0';

/** One end of the cable: a namespace with an address. */
export class CableEnd {
  constructor(
    readonly address: string,
    readonly inside: Inside,
  ) {}

  /** Runs a command here, and waits until it is done. */
  async do(...command: readonly string[]): Promise<void> {
    const [file, ...args] = [...this.inside, ...command] as [string, ...string[]];
    await run(file, args);
  }

  /** Takes one more address. */
  async have(address: string): Promise<void> {
    await this.do(tool('ip'), 'address', 'add', `${address}/24`, 'dev', 'cable');
  }

  /** Pulls the plug at this end. */
  async pull(): Promise<void> {
    await this.do(tool('ip'), 'link', 'set', 'cable', 'down');
  }

  async plug(): Promise<void> {
    await this.do(tool('ip'), 'link', 'set', 'cable', 'up');
  }

  /** Drops packets that arrive here without a word. @param which as nft says it: all, unless it is given */
  async drop(which = ''): Promise<void> {
    const chain = 'add chain inet fault in { type filter hook input priority 0; }';
    const rules = `add table inet fault; ${chain}; add rule inet fault in iifname cable ${which} drop`;
    await this.do(tool('nft'), rules);
  }

  /** Drops no more. */
  async pass(): Promise<void> {
    await this.do(tool('nft'), 'delete table inet fault');
  }
}

export interface Cable {
  readonly client: CableEnd;
  readonly server: CableEnd;
  /** An address at the server's end of the cable where there is no machine. */
  readonly nobody: string;
}

/** A process that keeps a namespace: it is there when the process has become what we asked for. */
async function keep(later: Later, inside: Inside): Promise<number> {
  const { process: keeper } = new Program(later, [...inside, tool('cat')], false);
  while (keeper.exitCode === null) {
    if (readlinkSync(`/proc/${keeper.pid}/exe`) === cat) return keeper.pid as number;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error('no namespace could be made');
}

const enter = (pid: number): Inside => [
  tool('nsenter'),
  ...(isRoot ? [] : ['--user', '--preserve-credentials']),
  '--net',
  `--target=${pid}`,
];

/** Lays a cable between two namespaces, plugged in at both ends. */
export async function layCable(later: Later): Promise<Cable> {
  const first = await keep(later, unshare);
  // The second namespace belongs to the user namespace of the first.
  const second = await keep(later, isRoot ? unshare : [...enter(first), tool('unshare'), '-n']);
  const client = new CableEnd(`${SUBNET}.1`, enter(first));
  const server = new CableEnd(`${SUBNET}.2`, enter(second));
  const ip = tool('ip');
  await client.do(ip, 'link', 'add', 'cable', 'type', 'veth', 'peer', 'name', 'cable', 'netns', String(second));
  for (const end of [client, server]) {
    await end.have(end.address);
    await end.do(ip, 'link', 'set', 'lo', 'up');
    await end.plug();
  }
  return { client, server, nobody: `${SUBNET}.9` };
}

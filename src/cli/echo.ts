import type { BoundAddress } from '../environment.js';
import { NinjaTcpError } from '../errors.js';
import type { Peer } from '../peer.js';
import { listen } from '../server.js';
import { type Command, hostName, wholeOption } from './arguments.js';
import { onEndingSignal, onOutputGone } from './signals.js';

/** Gives every message back, and reads no faster than the answers are taken. */
async function echo(peer: Peer): Promise<void> {
  for await (const message of peer) {
    if (!peer.send(message)) await peer.drained();
  }
}

function words({ address, port, family }: BoundAddress): string {
  return `${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

export const echoCommand: Command = {
  name: 'echo',
  operands: '',
  mostOperands: 0,
  summary: 'An echo server: gives every message back to whom it came from.',
  options: {
    port: { value: 'PORT', help: 'the port, 0 for any that is free (default 65432)' },
    host: { value: 'HOST', help: 'the address to listen on (default 127.0.0.1)' },
  },
  details: [
    'It prints `listening on HOST:PORT` when it does. SIGINT and SIGTERM let it finish what it\nhas begun; a second signal ends it at once.',
  ],

  async run(given) {
    const port = wholeOption(given, 'port', { min: 0, max: 65_535 }) ?? 65_432;
    const host = hostName('--host', given.values.get('host') ?? '127.0.0.1');
    const server = await listen({ host, port }, echo).catch((error: unknown) => {
      if (!(error instanceof NinjaTcpError)) throw error;
      process.stderr.write(`ninja-tcp: cannot listen on ${host}:${port}: ${error.message}\n`);
      return undefined;
    });
    if (!server) return 1;

    let asked = false;
    onEndingSignal((name) => {
      if (asked) {
        void server.dispose();
        return;
      }
      asked = true;
      const peers = server.peers.size;
      if (peers > 0) {
        process.stderr.write(`${name}: closing ${peers} peer${peers === 1 ? '' : 's'}; a second signal ends at once\n`);
      }
      void server.close();
    });
    // A parent that started us with a channel (as the demo does) is not to be outlived, however it died.
    if (process.channel) {
      process.channel.unref();
      process.on('disconnect', () => void server.dispose());
    }
    // The line was for whoever started us. If they listen no more, we go on.
    onOutputGone(() => {});
    process.stdout.write(`listening on ${words(server.address() as BoundAddress)}\n`);
    await server.closed();
    return 0;
  },
};

import { connect } from '../connection.js';
import { NinjaTcpError } from '../errors.js';
import { type Inspector, startInspector } from '../inspector/index.js';
import { lineNumbers } from '../options.js';
import { type Command, hostName, UsageError, whole, wholeOption } from './arguments.js';
import { narrate, styles } from './narrate.js';
import { Paper } from './paper.js';
import { onEndingSignal, onOutputGone } from './signals.js';

/** `127.0.0.1:65432`, `localhost:65432`, `[::1]:65432` @throws UsageError */
function endpoint(text: string | undefined): { readonly host: string; readonly port: number } {
  if (text === undefined) throw new UsageError('inspect needs HOST:PORT.');
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]*)):([^:]*)$/.exec(text) ?? [];
  if (port === undefined) throw new UsageError(`inspect needs HOST:PORT, with [ and ] around IPv6, got '${text}'.`);
  return { host: hostName('HOST', bracketed ?? plain ?? ''), port: whole('PORT', port, { min: 1, max: 65_535 }) };
}

export const inspectCommand: Command = {
  name: 'inspect',
  operands: 'HOST:PORT',
  mostOperands: 1,
  summary: 'Connects, and serves a page on this machine that shows the connection and its statechart.',
  options: {
    port: { value: 'PORT', help: 'the port of the page (default: any that is free)' },
    'allow-control': { help: 'let the page connect, disconnect and dispose' },
    'stale-after': { value: 'MS', help: 'silence that ends a line, 0 for never (default 3000)' },
  },
  details: [
    "It prints the page's address. Only this machine can open it, and only with the token that is\nin it. Heartbeats are all that is sent; what comes is counted and thrown away.",
    'State changes go to standard error. SIGINT and SIGTERM end it; a second signal ends it at once.',
  ],

  async run(given) {
    const { host, port } = endpoint(given.operands[0]);
    const staleAfter = wholeOption(given, 'stale-after', lineNumbers.staleAfter);
    const pagePort = wholeOption(given, 'port', { min: 0, max: 65_535 }) ?? 0;
    const title = `ninja-tcp inspect ${given.operands[0]}`;
    let inspector: Inspector;
    try {
      inspector = await startInspector({ port: pagePort, allowControl: given.flags.has('allow-control'), title });
    } catch (error) {
      if (!(error instanceof NinjaTcpError) || error.code !== 'NINJA_LISTEN_FAILED') throw error;
      process.stderr.write(`ninja-tcp: ${error.message}\n`);
      return 1;
    }
    const connection = connect({ host, port, staleAfter, discardIncoming: true });
    const paper = new Paper(process.stderr);
    narrate(connection, (name, sentence) => paper.event(sentence, styles[name]));
    let asked = false;
    const end = () => {
      // A line that is down has nothing to close.
      if (asked || connection.state !== 'connected') void connection.dispose();
      else void connection.close();
      asked = true;
    };
    onEndingSignal(end);
    // The address is for whoever started us. If they listen no more, the page is still there.
    onOutputGone(() => {});
    process.stdout.write(`open ${inspector.url}\n`);
    // A page alone keeps no process alive, nor does a connection that is not wanted for now.
    const alive = setInterval(() => {}, 2 ** 30);
    // Disposed of in the page, it is over as well.
    await connection.closed();
    clearInterval(alive);
    await inspector.close();
    return 0;
  },
};

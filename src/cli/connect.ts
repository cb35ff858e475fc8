import { isUtf8 } from 'node:buffer';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { type Connection, connect } from '../connection.js';
import { messageOf, NinjaTcpError } from '../errors.js';
import { connectionNumbers, lineNumbers } from '../options.js';
import { type Command, type Given, hostName, UsageError, whole, wholeOption } from './arguments.js';
import { LineSplitter } from './lines.js';
import { narrate, styles } from './narrate.js';
import { Paper } from './paper.js';
import { onEndingSignal, onOutputGone } from './signals.js';

/** The longest message, hence the longest line, bytes. */
const LONGEST = 8 * 2 ** 20;
/** Small messages are printed together, up to so many bytes. */
const BATCH = 64 * 1024;
/** How often we look whether what is held was written, milliseconds. */
const LOOK = 20;
/** After a signal a graceful close may take so long, milliseconds. */
const PATIENCE = 5000;

function open(given: Given): Connection {
  const [host, port] = given.operands;
  if (host === undefined || port === undefined) throw new UsageError('connect needs HOST and PORT.');
  const { min, max, unit } = connectionNumbers.maxAttempts;
  return connect({
    host: hostName('HOST', host),
    port: whole('PORT', port, { min: 1, max: 65_535 }),
    staleAfter: wholeOption(given, 'stale-after', lineNumbers.staleAfter),
    maxAttempts: wholeOption(given, 'max-attempts', { min, max, unit }),
    maxFrameLength: LONGEST,
    // Like netcat we wait for the answers to the last line, however slowly our own output is taken: a day is no limit,
    // a signal ends it sooner.
    drainTimeout: 24 * 60 * 60 * 1000,
    finTimeout: 30_000,
  });
}

/** Sends the lines of standard input. @returns whether every line was sent */
async function feed(connection: Connection, complain: (sentence: string) => void): Promise<boolean> {
  const splitter = new LineSplitter(LONGEST);
  let complete = true;
  let emptyTold = false;
  const send = async (lines: ReturnType<LineSplitter['push']>) => {
    for (const line of lines) {
      if (line === 'tooLong') {
        complete = false;
        complain(`a line of more than ${LONGEST / 2 ** 20} MiB is not sent: that is the longest message`);
      } else if (line.length === 0) {
        if (!emptyTold) complain('empty lines are not sent: an empty message is a heartbeat');
        emptyTold = true;
      } else if (!connection.send(line)) {
        await connection.drained();
      }
    }
  };
  try {
    for await (const chunk of process.stdin) await send(splitter.push(chunk as Buffer));
    await send(splitter.end());
  } catch (error) {
    // That the connection ended is told elsewhere. Anything else: standard input cannot be read.
    if (!(error instanceof NinjaTcpError)) complain(`standard input cannot be read: ${messageOf(error)}`);
    return false;
  }
  return complete;
}

/** Prints what comes, and reads no faster than it is taken. What nobody reads any more is thrown away. */
async function print(connection: Connection, json: boolean): Promise<void> {
  const { stdout } = process;
  let gone = false;
  onOutputGone(() => {
    gone = true;
  });
  try {
    for await (const first of connection) {
      const parts: Buffer[] = [];
      let size = 0;
      for (let message: Buffer | undefined = first; message; ) {
        parts.push(...shown(message, json));
        size += message.length;
        message = size < BATCH ? connection.receive() : undefined;
      }
      if (!gone && !stdout.write(Buffer.concat(parts))) await once(stdout, 'drain').catch(() => {});
    }
  } catch {
    // The connection gave up, which is told elsewhere.
  }
}

const NEWLINE = Buffer.from('\n');

function shown(message: Buffer, json: boolean): readonly Buffer[] {
  if (!json) return [message, NEWLINE];
  const content = isUtf8(message) ? { text: message.toString() } : { base64: message.toString('base64') };
  return [Buffer.from(`${JSON.stringify({ type: 'message', ...content })}\n`)];
}

/**
 * Waits until there was a line, and until all that was accepted is written: `close()` while the line is down would
 * give up what is held.
 */
async function written(connection: Connection, met: Promise<void>): Promise<void> {
  await met;
  while (connection.stats().outbox.messages > 0) await wait(LOOK);
}

export const connectCommand: Command = {
  name: 'connect',
  operands: 'HOST PORT',
  mostOperands: 2,
  summary: 'Sends the lines of standard input as messages, prints the messages that come.',
  options: {
    'stale-after': { value: 'MS', help: 'silence that ends a line, 0 for never (default 3000)' },
    'max-attempts': { value: 'N', help: 'give up after so many failures in a row (default: never)' },
    json: { help: 'print messages and state changes as JSON lines on standard output' },
  },
  details: [
    'State changes go to standard error. The connection heals by itself; what is entered meanwhile\nis held and sent on the next line. At the end of the input, and on SIGINT or SIGTERM, it closes\ngracefully; a second signal ends it at once.',
    'Exit code 0 after a graceful end, 1 when it gave up, or was not sure that all was handed over.',
  ],

  async run(given) {
    const json = given.flags.has('json');
    const paper = new Paper(process.stderr);
    let over = false;
    const complain = (sentence: string) => {
      if (over) return;
      if (json) process.stdout.write(`${JSON.stringify({ type: 'note', message: sentence })}\n`);
      else paper.event(sentence, 'yellow');
    };
    const connection = open(given);
    let unsent = false;
    connection.on('dropped', () => {
      unsent = true;
    });
    narrate(connection, (name, sentence, facts) => {
      if (json) process.stdout.write(`${JSON.stringify({ type: name, at: Date.now(), ...facts })}\n`);
      else paper.event(sentence, styles[name]);
    });

    const asked = new AbortController();
    const hurry = once(asked.signal, 'abort').then(() => 'asked' as const);
    onEndingSignal(() => {
      // Whoever asks twice does not want to wait, not even for our output to be taken.
      if (asked.signal.aborted) process.exit(1);
      asked.abort();
    });
    onOutputGone(() => asked.abort());

    const met = connection.connected().catch(() => {});
    const printing = print(connection, json);
    const feeding = feed(connection, complain).then(async (complete) => {
      await written(connection, met);
      return complete ? ('complete' as const) : ('incomplete' as const);
    });
    const failed = once(connection, 'failed').then(() => 'gave up' as const);
    const end = await Promise.race([feeding, failed, hurry]);
    over = true;
    process.stdin.destroy();
    if (end === 'gave up') {
      await connection.dispose();
      return 1;
    }

    // A line that is down has nothing to close: what was written to it last is unknown.
    const parted = end === 'asked' || (end === 'complete' && connection.state === 'connected');
    const closing = connection.close().then(async ({ code }) => {
      await printing;
      return parted && !unsent && code === 'NINJA_DISPOSED';
    });
    const late = hurry.then(() => wait(PATIENCE, 'late' as const));
    const graceful = await Promise.race([closing, late]);
    if (graceful === 'late') {
      await connection.dispose();
      process.exit(1);
    }
    return graceful ? 0 : 1;
  },
};

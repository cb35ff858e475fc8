import { once } from 'node:events';
import { constants } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { type Connection, connect } from '../connection.js';
import { messageOf } from '../errors.js';
import { charts } from '../inspector/charts.js';
import { type Inspector, startInspector } from '../inspector/index.js';
import { millis } from '../line/explain.js';
import type { Command } from './arguments.js';
import { EchoProcess } from './demo-server.js';
import { printTable, RATE, Tally } from './demo-tally.js';
import { readText } from './demo-text.js';
import { narrate, styles } from './narrate.js';
import { count, Paper } from './paper.js';
import { bar, stateRow } from './picture.js';
import { onEndingSignal, onOutputGone } from './signals.js';

/** How long the line is left in peace between two blows, ms: `stableAfter`, so that each loss is the first in a row. */
const PEACE = 3200;
/** How long nobody listens after the kill, ms: time for a few attempts in vain. */
const DOWN = 700;
/** At the end the last echoes may take so long, ms. */
const LAST_ECHOES = 3000;
/** About so long it takes as a whole, for the bar, ms. */
const USUAL = 14_500;
/** Whatever happens, it is over by then, ms. */
const HARD_LIMIT = 38_000;
/** How often what is due is sent, and how often the bar is drawn, ms. */
const TICK = 5;
const DRAW = 100;

/** Windows knows no SIGSTOP. */
const canStop = process.platform !== 'win32';

/** The demo ends before its end. */
class Stopped extends Error {
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

/** Sends `RATE` messages a second, whatever becomes of the line. @returns what ends it */
function startSending(connection: Connection, tally: Tally): () => void {
  let from = performance.now();
  let before = tally.sent;
  let full = false;
  const timer = setInterval(() => {
    const due = before + ((performance.now() - from) * RATE) / 1000;
    while (!full && tally.sent < due) {
      full = !connection.send(tally.message(tally.sent + 1));
      tally.sent += 1;
      if (full) connection.drained().then(goOn, () => {});
    }
  }, TICK);
  // What was not sent for want of room is not made up for.
  const goOn = () => {
    from = performance.now();
    before = tally.sent;
    full = false;
  };
  return () => clearInterval(timer);
}

function startDrawing(connection: Connection, tally: Tally, paper: Paper): () => void {
  const timer = setInterval(() => {
    const { state, substate } = connection;
    const place = substate ? `${state}.${substate}` : state;
    paper.progress(
      stateRow(charts.connection, place, paper),
      `${bar(performance.now() / USUAL, 24)}  sent ${count(tally.sent)}  echoed ${count(tally.echoed)}`,
    );
  }, DRAW);
  return () => {
    clearInterval(timer);
    paper.progress();
  };
}

/** The life of one connection, told and counted. */
function open(port: number, tally: Tally, paper: Paper): Connection {
  const connection = connect({ host: '127.0.0.1', port });
  connection
    .on('message', (message) => tally.hear(message))
    .on('connecting', () => {
      tally.attempts += 1;
    })
    .on('stale', ({ silentForMs }) => {
      tally.detectedAfterMs ??= Math.round(silentForMs);
    })
    .on('disconnected', ({ unknown }) => {
      tally.unknown += unknown?.messages ?? 0;
    });
  narrate(connection, (name, sentence) => {
    // Each attempt in vain has its line already: why it failed, and when the next one comes.
    if (name !== 'connecting') paper.event(sentence, styles[name]);
  });
  return connection;
}

/** The first echo on a line younger than `epoch`. @returns its time, monotonic milliseconds */
async function healed(connection: Connection, epoch: number, tally: Tally, signal: AbortSignal): Promise<number> {
  do await once(tally, 'echo', { signal });
  while (connection.epoch <= epoch);
  return performance.now();
}

interface Stage {
  readonly server: EchoProcess;
  readonly tally: Tally;
  readonly paper: Paper;
  readonly signal: AbortSignal;
}

/** The play: stop, continue, kill, start again, sending all the while. */
async function perform(connection: Connection, { server, tally, paper, signal }: Stage): Promise<void> {
  const act = (sentence: string) => paper.event(sentence, ['bold', 'cyan']);
  const peace = () => wait(PEACE, undefined, { signal });
  await connection.connected({ proven: true, signal });
  act(`now ${RATE} messages a second, and all is well`);
  const stopSending = startSending(connection, tally);
  try {
    await peace();
    if (canStop) {
      const { epoch } = connection;
      const stale = once(connection, 'stale', { signal });
      act('the server process is stopped (SIGSTOP): its port stays open, but nobody answers');
      server.signal('SIGSTOP');
      connection.once('stale', () => {
        server.signal('SIGCONT');
        act('the server process is continued (SIGCONT)');
      });
      await stale;
      await healed(connection, epoch, tally, signal);
      act('the line has healed');
      await peace();
    } else {
      act('this system has no SIGSTOP: the server process is not stopped, only killed');
    }
    const { epoch } = connection;
    act('the server process is killed (SIGKILL)');
    await server.kill();
    await wait(DOWN, undefined, { signal });
    act('the server process is started again, on the same port');
    const first = healed(connection, epoch, tally, signal);
    const starting = server.start(signal).then((at) => {
      paper.event(`an echo server listens on 127.0.0.1:${server.port} again, as process ${server.pid}`);
      return at;
    });
    const [echoAt, listeningAt] = await Promise.all([first, starting]);
    tally.healedAfterMs = Math.max(0, Math.round(echoAt - listeningAt));
    act(`the line has healed, ${millis(tally.healedAfterMs)} after the new server listened`);
    await peace();
  } finally {
    stopSending();
  }
  const enough = AbortSignal.any([signal, AbortSignal.timeout(LAST_ECHOES)]);
  // Order is kept on a line: when the last one is back, so are all that were written to this line.
  while (tally.last < tally.sent && !enough.aborted) await once(tally, 'echo', { signal: enough }).catch(() => {});
  await Promise.race([connection.close(), once(signal, 'abort')]);
}

export const demoCommand: Command = {
  name: 'demo',
  operands: '[FILE]',
  mostOperands: 1,
  summary: 'Sends the lines of a file through a line whose server is stopped and killed.',
  options: {
    inspect: { help: 'print the address of a page that shows it, live' },
    json: { help: 'end with the findings as one line of JSON' },
  },
  details: [
    'It starts an echo server as a process of its own and sends it FILE (default: the README), line by\nline, 200 a second. Then it stops the server until the line is stale, continues it, kills it and\nstarts it again, sending all the while. That takes about 15 seconds.',
    'Exit code 0 if the line healed, nothing was out of order or came twice, and no message is missing\nthat was not reported as unknown.',
  ],

  async run(given, home) {
    const paper = new Paper(process.stdout);
    const stop = new AbortController();
    const { signal } = stop;
    const limit = setTimeout(
      () => stop.abort(new Stopped(`It is not over after ${HARD_LIMIT / 1000} seconds, and is given up.`)),
      HARD_LIMIT - performance.now(),
    );
    onEndingSignal((name) => {
      // The server process is ended in any case: see EchoProcess.
      if (signal.aborted) process.exit(128 + constants.signals[name]);
      stop.abort(new Stopped(`${name}: the demo is broken off.`, 128 + constants.signals[name]));
    });
    onOutputGone(() => stop.abort(new Stopped('Nobody reads what is printed.')));

    let text: Awaited<ReturnType<typeof readText>>;
    try {
      text = await readText(given.operands[0], home);
    } catch (error) {
      process.stderr.write(`ninja-tcp: ${given.operands[0]} cannot be read: ${messageOf(error)}\n`);
      return 1;
    }
    if (text.lines.length === 0) {
      process.stderr.write(`ninja-tcp: ${text.name} has no lines to send.\n`);
      return 1;
    }

    const tally = new Tally(text.lines);
    const server = new EchoProcess(home.file, (sentence) => stop.abort(new Stopped(sentence)));
    let connection: Connection | undefined;
    let inspector: Inspector | undefined;
    let stopDrawing = () => {};
    let failure: Stopped | undefined;
    try {
      await server.start(signal);
      paper.event(`an echo server listens on 127.0.0.1:${server.port}, as process ${server.pid}`);
      paper.event(`${text.name} has ${count(text.lines.length)} lines; each is a message, again and again`);
      if (given.flags.has('inspect')) {
        inspector = await startInspector({ title: 'ninja-tcp demo' });
        paper.event(`open ${inspector.url}`, 'bold');
      }
      connection = open(server.port, tally, paper);
      stopDrawing = startDrawing(connection, tally, paper);
      await perform(connection, { server, tally, paper, signal });
      signal.throwIfAborted();
    } catch (error) {
      const why: unknown = signal.aborted ? signal.reason : error;
      failure = why instanceof Stopped ? why : new Stopped(`The demo itself failed: ${messageOf(why)}`);
    } finally {
      clearTimeout(limit);
      await connection?.dispose();
      await inspector?.close();
      await server.end();
      stopDrawing();
    }

    const faults = failure ? [failure.message] : tally.faults(canStop);
    // A demo that was broken off proves nothing, for or against.
    if (!failure) printTable(tally, canStop, paper);
    for (const sentence of faults) paper.line(paper.style('red', sentence));
    if (faults.length === 0) {
      paper.line(paper.style('green', 'It healed, and every message that is missing was reported as unknown.'));
    }
    if (given.flags.has('json')) paper.line(JSON.stringify(tally.findings()));
    return failure?.exitCode ?? (faults.length > 0 ? 1 : 0);
  },
};

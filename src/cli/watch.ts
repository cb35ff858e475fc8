import type { Detail, Hello, Message, Row } from '../inspector/wire.js';
import { harmless } from './ansi.js';
import type { Command } from './arguments.js';
import { FeedReader, inspectorAddress, NoFeed } from './feed-reader.js';
import { Paper } from './paper.js';
import { colourOf } from './picture.js';
import { Screen } from './screen.js';
import { onEndingSignal, onOutputGone } from './signals.js';
import { type Passed, placeOf, sceneLines, statusJson, stepWords } from './watch-view.js';

/** How often a terminal is drawn, ms. */
const DRAW = 100;
/** Whom one wants to see first. */
const RANKS: readonly Row['kind'][] = ['connection', 'server', 'peer'];

/** What came over the feed, and whom of all we follow. */
class Session {
  hello: Hello | undefined;
  detail: Detail | undefined;
  /** The process's clock minus ours, milliseconds. */
  ahead = 0;
  readonly rows = new Map<string, Row>();
  followed: string | undefined;

  /** @param wanted an id, or a part of a name */
  constructor(private readonly wanted: string | undefined) {}

  apply(message: Message): void {
    if ('now' in message) this.ahead = message.now - Date.now();
    if (message.type === 'hello') this.hello = message;
    if (message.type === 'detail') this.detail = message;
    if (message.type !== 'rows') return;
    if (message.all) this.rows.clear();
    for (const row of message.rows) this.rows.set(row.id, row);
    for (const id of message.gone) this.rows.delete(id);
  }

  /** @returns whom to follow from now on, where that is somebody else */
  choose(): string | undefined {
    if (this.followed !== undefined && this.rows.has(this.followed)) return undefined;
    const { wanted } = this;
    const fitting = [...this.rows.values()].filter(({ id, name }) => {
      return wanted === undefined || id === wanted || name.includes(wanted);
    });
    const [first] = fitting.sort((a, b) => RANKS.indexOf(a.kind) - RANKS.indexOf(b.kind));
    this.followed = first?.id;
    return this.followed;
  }
}

/** Those steps that come behind what was told before. */
function newSteps(history: readonly Passed[], told: Passed | undefined): readonly Passed[] {
  const isTold = ({ at, to, epoch }: Passed) => at === told?.at && to === told.to && epoch === told.epoch;
  return history.slice(history.findLastIndex(isTold) + 1);
}

/** One line for each status. */
class Teller {
  private id = '';
  private told: Passed | undefined;

  constructor(
    private readonly json: boolean,
    private readonly paper: Paper,
  ) {}

  tell(detail: Detail): void {
    const isNew = detail.id !== this.id;
    const steps = isNew ? detail.history.slice(-1) : newSteps(detail.history, this.told);
    this.id = detail.id;
    this.told = detail.history.at(-1);
    if (this.json) {
      for (const step of steps) process.stdout.write(`${statusJson(detail, step)}\n`);
    } else if (isNew) {
      this.paper.event(harmless(detail.explain), colourOf(placeOf(detail.snapshot)));
    } else {
      for (const step of steps) this.paper.event(stepWords(step), colourOf(step.to));
    }
  }
}

/** Draws what the session knows, now and then. @returns what ends it */
function startDrawing(session: Session, screen: Screen, paper: Paper): () => void {
  const draw = () => {
    const { hello, detail, rows, ahead } = session;
    const now = Date.now() + ahead;
    const chart = detail && hello?.charts[detail.snapshot.kind];
    const lines =
      detail && chart
        ? sceneLines({ chart, detail, living: rows.size, now }, screen.width, screen.height, paper)
        : [hello ? 'Nobody to see yet.' : 'Waiting for the inspector.'];
    screen.draw(lines);
  };
  const timer = setInterval(draw, DRAW);
  draw();
  return () => {
    clearInterval(timer);
    screen.end();
  };
}

export const watchCommand: Command = {
  name: 'watch',
  operands: 'URL [NAME]',
  mostOperands: 2,
  summary: 'Shows in the terminal what an inspector sees: the statechart, live.',
  options: {
    once: { help: 'show how it stands now, and end' },
    json: { help: 'print each status as one line of JSON' },
  },
  details: [
    'URL is the address that startInspector() or `ninja-tcp inspect` printed. NAME is a part of the name\nof the one to follow, or its id; else the first connection is followed, or the first server.',
    'On a terminal the picture is drawn anew as things go on; elsewhere each status is one line. Exit\ncode 1 when there is no inspector, or its process ended.',
  ],

  async run(given) {
    const [text, wanted] = given.operands;
    const [once, json] = [given.flags.has('once'), given.flags.has('json')];
    const stop = new AbortController();
    const reader = new FeedReader(inspectorAddress(text), stop.signal);
    onEndingSignal(() => stop.abort());
    onOutputGone(() => stop.abort());
    const paper = new Paper(process.stdout);
    const session = new Session(wanted);
    const teller = new Teller(json, paper);
    const isScreen = !json && !once && process.stdout.isTTY === true && process.env.TERM !== 'dumb';
    const stopDrawing = isScreen ? startDrawing(session, new Screen(process.stdout), paper) : () => {};
    try {
      for await (const message of reader.messages()) {
        session.apply(message);
        if (message.type === 'rows') {
          const id = session.choose();
          if (id !== undefined) reader.watch(id);
          else if (once && session.followed === undefined) throw new NoFeed('Nobody lives there by that name.');
        } else if (message.type === 'detail' && !isScreen) {
          if (once && !json) printOnce(session, message, paper);
          else teller.tell(message);
          if (once) return 0;
        }
      }
    } catch (error) {
      if (!(error instanceof NoFeed)) throw error;
      stopDrawing();
      process.stderr.write(`ninja-tcp: ${error.message}\n`);
      return 1;
    } finally {
      stopDrawing();
      stop.abort();
    }
    // By a signal of ours.
    return 0;
  },
};

/** The whole picture, once. */
function printOnce({ hello, rows }: Session, detail: Detail, paper: Paper): void {
  const chart = hello?.charts[detail.snapshot.kind];
  if (!chart) return;
  const width = process.stdout.columns || 80;
  const scene = { chart, detail, living: rows.size, now: detail.now };
  for (const line of sceneLines(scene, width, Number.POSITIVE_INFINITY, paper)) paper.line(line);
}

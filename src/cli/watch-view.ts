import type { Chart } from '../inspector/chart.js';
import type { Detail, Row, Snapshot } from '../inspector/wire.js';
import { millis, timeOfDay } from '../line/explain.js';
import { harmless, wrap } from './ansi.js';
import { count, type Paper, type Style } from './paper.js';
import { bar, colourOf, stateBoxes } from './picture.js';

export type Passed = Detail['history'][number];

/** `connected.live` → `connected (live)` */
function placeWords(place: string): string {
  const [state, substate] = place.split('.');
  return substate ? `${state} (${substate})` : `${state}`;
}

export function placeOf({ state, substate }: Pick<Row, 'state' | 'substate'> | Snapshot): string {
  return substate ? `${state}.${substate}` : state;
}

/** The reason of a loss is kept when the line is back; only where it is the answer to "why" it is told. */
function reasonOf({ to, reason }: Passed): Passed['reason'] {
  return /^(connected|connecting|listening)/.test(to) ? undefined : reason;
}

/** One step in a line: `disconnected (waiting), by socket.failed: connect ECONNREFUSED 127.0.0.1:1` */
export function stepWords(step: Passed): string {
  const reason = reasonOf(step);
  return harmless(`${placeWords(step.to)}, by ${step.cause}${reason ? `: ${reason.message}` : ''}`);
}

/** One status as a line of JSON. */
export function statusJson({ id, snapshot }: Pick<Detail, 'id' | 'snapshot'>, step: Passed): string {
  const [state, substate] = step.to.split('.');
  const { at, epoch, cause } = step;
  const { kind, name } = snapshot;
  return JSON.stringify({ id, kind, name, state, substate, at, epoch, cause, reason: reasonOf(step) });
}

export interface Scene {
  readonly chart: Chart;
  readonly detail: Detail;
  /** How many live there. */
  readonly living: number;
  /** The process's time now, wall-clock milliseconds. */
  readonly now: number;
}

/** All that a terminal shows, at most as many lines as it has. */
export function sceneLines(
  { chart, detail, living, now }: Scene,
  width: number,
  height: number,
  paper: Paper,
): string[] {
  const { snapshot, explain, history } = detail;
  const place = placeOf(snapshot);
  const others = living > 1 ? paper.style('dim', `  1 of ${count(living)}`) : '';
  const why = wrap(harmless(explain), Math.max(20, width));
  const lines = [
    `${paper.style('bold', harmless(snapshot.name))}${others}`,
    '',
    ...stateBoxes(chart, place, width, paper),
    '',
    ...why.map((line) => paper.style(colourOf(place), line)),
    '',
    ...timerLines(snapshot, now, width, paper),
    ...trafficLines(snapshot, paper),
  ];
  const room = height - lines.length - 1;
  const past = history.slice(-Math.max(0, room)).reverse();
  const steps = past.map((step) => `${paper.style('dim', timeOfDay(step.at))}  ${stepWords(step)}`);
  return [...lines, ...(room > 0 && steps.length > 0 ? ['', ...steps] : [])].slice(0, height);
}

function timerLines({ timers }: Snapshot, now: number, width: number, paper: Paper): string[] {
  const barWidth = Math.max(5, Math.min(30, width - 34));
  return timers.map(({ name, from, at }) => {
    const left = Math.max(0, at - now);
    const style: Style = name === 'silence' ? 'green' : 'yellow';
    return `${name.padEnd(14)}  ${paper.style(style, bar(left / Math.max(1, at - from), barWidth))}  ${millis(left)}`;
  });
}

function trafficLines(snapshot: Snapshot, paper: Paper): string[] {
  const dim = (text: string) => paper.style('dim', text);
  if (snapshot.kind === 'server') {
    const { peers, accepted, refused } = snapshot;
    return [
      `${dim('peers')}  ${count(peers)}  ${dim('accepted')} ${count(accepted)}  ${dim('refused')} ${count(refused)}`,
    ];
  }
  const way = (name: string, { messages, messagesPerSecond, bytesPerSecond }: typeof snapshot.sent, waits: string) =>
    `${dim(name)}  ${count(messagesPerSecond)}/s  ${count(bytesPerSecond)} bytes/s  ${count(messages)} in all${waits}`;
  const waiting = (name: string, messages: number) => (messages > 0 ? `  ${count(messages)} in the ${name}` : '');
  return [
    way('received', snapshot.received, waiting('inbox', snapshot.inbox.messages)),
    way('sent    ', snapshot.sent, waiting('outbox', snapshot.outbox.messages)),
  ];
}

/** A life over time: bands for its states, samples for its plots. Pure; canvases are drawn elsewhere. */
import type { Entry, Recording } from './recording.js';
import { type Passed, placeOf } from './wire.js';

/** One state, from its entry to the next; `to` is undefined for the present one. */
export interface Band {
  readonly from: number;
  readonly to: number | undefined;
  readonly place: string;
  readonly cause: string;
  readonly code: string | undefined;
}

export interface Sample {
  readonly at: number;
  readonly rx: number;
  readonly tx: number;
  readonly rxBytes: number;
  readonly txBytes: number;
  /** Milliseconds since the last byte; undefined where there is no line. */
  readonly silent: number | undefined;
}

/** The end of a wait that runs by itself, drawn into the future. */
export interface Coming {
  readonly name: string;
  readonly from: number;
  readonly at: number;
}

export interface Timeline {
  readonly from: number;
  readonly to: number;
  readonly bands: readonly Band[];
  /** Those of its session; empty where it has none. */
  readonly session: readonly Band[];
  readonly samples: readonly Sample[];
  readonly marks: readonly { readonly at: number; readonly text: string }[];
  readonly coming: Coming | undefined;
}

/** How much is shown, milliseconds. */
export const SPANS: readonly number[] = [15_000, 60_000, 300_000, 1_800_000];

/** A part of the right is left for what comes. */
const FUTURE = 0.12;

/** @param now what stands near the right end: the process's time, or that of the moment that is looked at */
export function timelineOf(recording: Recording, now: number, span: number): Timeline {
  const to = now + span * FUTURE;
  const from = to - span;
  const entries = within(recording, from, to);
  const held = recording.moment()?.picture;
  const known = recording.held === undefined ? now : to;
  return {
    from,
    to,
    bands: bandsOf(recording.passed, from, known),
    session: bandsOf(recording.sessionPassed, from, known),
    samples: entries.flatMap((entry) => sampleOf(entry) ?? []),
    marks: entries.flatMap((entry) => (entry.kind === 'mark' ? [{ at: entry.at, text: entry.text }] : [])),
    coming: held?.snapshot.timers.find((timer) => timer.at > now),
  };
}

/** The entries of a window, and one before it, so that lines do not begin in mid-air. */
function within(recording: Recording, from: number, to: number): readonly Entry[] {
  const first = recording.positionAt(from) - recording.first;
  const last = recording.positionAt(to) - recording.first;
  return recording.all.slice(first, last + 1);
}

export function bandsOf(passed: readonly Passed[], from: number, to: number): Band[] {
  const bands: Band[] = [];
  for (let i = passed.length - 1; i >= 0; i -= 1) {
    const one = passed[i] as Passed;
    const next = passed[i + 1];
    if (one.at > to) continue;
    const { at, cause, reason } = one;
    bands.push({ from: at, to: next?.at, place: one.to, cause, code: reason?.code });
    if (at <= from) break;
  }
  return bands.reverse();
}

function sampleOf(entry: Entry): Sample | undefined {
  if (entry.kind !== 'picture') return undefined;
  const { snapshot, now } = entry.detail;
  if (snapshot.kind === 'server') return undefined;
  const up = placeOf(snapshot).startsWith('connected') || snapshot.state === 'stale';
  return {
    at: entry.at,
    rx: snapshot.received.messagesPerSecond,
    tx: snapshot.sent.messagesPerSecond,
    rxBytes: snapshot.received.bytesPerSecond,
    txBytes: snapshot.sent.bytesPerSecond,
    silent: up ? now - (snapshot.lastHeardAt ?? snapshot.since) : undefined,
  };
}

/** What stands under a time, in words: for a tip, and for those who hear the page. */
export function bandAt(bands: readonly Band[], at: number): Band | undefined {
  return bands.findLast((band) => band.from <= at && (band.to === undefined || at < band.to));
}

import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { DiagnosticChannels, DiagnosticTracingChannels } from '../diagnostics.js';

/** What ends the listening. */
export type Undo = () => void;

export function listenTo<Name extends keyof DiagnosticChannels>(
  name: Name,
  listener: (message: DiagnosticChannels[Name]) => void,
): Undo {
  return subscribed(name, listener as (message: unknown) => void);
}

export function listenToTrace<Name extends keyof DiagnosticTracingChannels>(
  name: Name,
  step: 'start' | 'asyncEnd',
  listener: (context: DiagnosticTracingChannels[Name]) => void,
): Undo {
  return subscribed(`tracing:${name}:${step}`, listener as (context: unknown) => void);
}

function subscribed(name: string, listener: (message: unknown) => void): Undo {
  subscribe(name, listener);
  return () => void unsubscribe(name, listener);
}

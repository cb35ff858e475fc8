import type { Pattern } from './bytes.js';

/** One step of a script. */
export type Step =
  | { readonly type: 'expect'; readonly pattern: Pattern; readonly withinMs: number | undefined }
  | { readonly type: 'expectEnd'; readonly withinMs: number | undefined }
  | {
      readonly type: 'send';
      readonly bytes: Buffer;
      /** Bytes of each piece. */
      readonly pieceBytes: number;
      /** Milliseconds between pieces. */
      readonly everyMs: number;
    }
  | { readonly type: 'wait'; readonly ms: number }
  | { readonly type: 'heartbeats'; readonly everyMs: number }
  | { readonly type: 'call'; readonly callback: () => unknown }
  | { readonly type: 'end' | LastStep };

/** Steps behind which there can be no other. */
export type LastStep = 'silent' | 'stall' | 'reset' | 'destroy';

/** What every connection of a script is given. */
export interface ScriptRules {
  readonly patienceMs: number;
  readonly ignoreHeartbeats: boolean;
}

/** A step in the words of errors. */
export function wordsOf(step: Step): string {
  switch (step.type) {
    case 'expect':
      return `expect ${count(step.pattern.bytes.length)}`;
    case 'expectEnd':
      return 'expect the end';
    case 'send':
      return `send ${count(step.bytes.length)}`;
    case 'wait':
      return `wait ${step.ms} ms`;
    case 'heartbeats':
      return `heartbeats every ${step.everyMs} ms`;
    default:
      return step.type;
  }
}

export function isLast(step: Step | undefined): boolean {
  return step !== undefined && ['silent', 'stall', 'reset', 'destroy'].includes(step.type);
}

export function count(bytes: number): string {
  return bytes === 1 ? '1 byte' : `${bytes} bytes`;
}

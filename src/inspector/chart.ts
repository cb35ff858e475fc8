/**
 * A statechart as a drawing: its states with their places, its transitions with their ways. Plain values, laid out when
 * the library is built (`.config/charts.mjs`), so that whoever draws one needs no layout engine. All lengths are pixels,
 * all coordinates count from the top left of the whole drawing.
 */

export interface Chart {
  /** `connection`, `peer` or `server`.  */
  readonly id: string;
  /** What the whole is. */
  readonly description: string;
  readonly width: number;
  readonly height: number;
  /** Outer ones come before what is in them: drawn in this order nothing is covered. The first is `any state`. */
  readonly nodes: readonly Node[];
  /** One for each transition, in the order of the plan. */
  readonly edges: readonly Edge[];
}

export interface Node {
  /** Its path: `connected.line.live`. */
  readonly id: string;
  /** The last part of it: `live`. */
  readonly label: string;
  readonly parent?: string;
  /**
   * The parts of a parallel state hold at the same time. A `transient` one is passed at once. `any` is no state: the
   * transitions that every state has leave from it. It has no outer state, is in none, and never lit.
   */
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'transient' | 'any';
  readonly description: string;
  /** The description in lines that fit into the box, from `y` + 36 on, 15 px each. */
  readonly lines: readonly string[];
  /** Where the outer state begins. */
  readonly initial: boolean;
  /** What `state` and `substate` say while it holds: `connected.live`, `stale`. Absent where they never say it. */
  readonly place?: string;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Edge {
  /** `connected.line.live close 0`: the source, the event, and which of its transitions on that event. */
  readonly id: string;
  readonly source: string;
  /** The source itself where the transition stays in it. */
  readonly target: string;
  /** `socket.opened`, `after silence`, `always`. */
  readonly event: string;
  /** What is written beside the arrow: `close [nothingHeld]`; with what it does where there is none: `close / noteClosing`. */
  readonly label: string;
  /** By its name. */
  readonly guard?: string;
  /** The name of the delay after which it is taken by itself: `silence`. */
  readonly delay?: string;
  /** Names of the actions, in order. */
  readonly actions: readonly string[];
  readonly description?: string;
  /**
   * The way of the arrow, whose head is at the last point. Transitions between the same two states share one way, with
   * their labels one under the other. Empty where nothing is left and entered: the label stands inside the box then.
   */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** The middle of the label. */
  readonly lx: number;
  readonly ly: number;
  /** How wide the label is, as far as can be told beforehand; it is 16 px high. */
  readonly lw: number;
}

/** A state or a transition before it has its place. */
export type Unplaced<Part> = Omit<Part, 'x' | 'y' | 'w' | 'h' | 'points' | 'lx' | 'ly' | 'lw' | 'lines'>;

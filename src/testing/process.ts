/** Something to call, on behalf of a process. */
export interface Job {
  readonly process: Process;
  /** Since when it could have been done, milliseconds. */
  readonly since: number;
  readonly callback: () => void;
}

/** What runs on the loop and can be stopped or killed on its own: one process of one host, or the test itself. */
export class Process {
  frozen = false;
  dead = false;
  /** The last instant by which it had polled, while it is stopped and until it has polled again. */
  polledAt: number | undefined;
  // What waits while it is stopped.
  readonly parkedReady: Job[] = [];
  readonly parkedDefers: Job[] = [];

  constructor(readonly name: string) {}
}

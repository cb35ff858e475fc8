/** Looks at a program at one place. */
type Check<App, Visit> = (app: App, visit: Visit) => unknown;

/** The checks of a set-up, by place, or by the name that several places have in common; and how often each was called. */
export class PathChecks<App, Visit> {
  constructor(
    private readonly checks: Readonly<Record<string, Check<App, Visit> | undefined>>,
    readonly counted = new Map<string, number>(),
    private readonly visitor?: (visit: Visit) => unknown,
  ) {}

  /** The same, and a visitor of one run. Runners that are given the bare method hand over a context of their own. */
  and(visitor: unknown): PathChecks<App, Visit> {
    const isOurs = typeof visitor === 'function';
    return isOurs ? new PathChecks(this.checks, this.counted, visitor as (visit: Visit) => unknown) : this;
  }

  /**
   * Refuses checks that would never be called.
   *
   * @param places all that there are
   * @param hints why a place may not be reached
   * @throws TypeError
   */
  demand(
    what: string,
    places: readonly string[],
    reached: ReadonlySet<string>,
    hints: Readonly<Record<string, string>>,
  ): void {
    for (const name of Object.keys(this.checks)) {
      const isParent = places.some((place) => place.startsWith(`${name}.`));
      demand(what, isParent || places.includes(name), `check: there is no '${name}', but ${places.join(', ')}`);
      demand(what, isParent || reached.has(name), `check: no path comes by '${name}'${hints[name] ?? ''}`);
    }
  }

  /** Calls the checks of a place: that of its parent first. What they throw says where. */
  async look(app: App, place: string, words: string, visit: Visit): Promise<void> {
    const names = new Set([place.split('.')[0] as string, place]);
    try {
      for (const name of names) {
        const check = this.checks[name];
        if (!check) continue;
        await check(app, visit);
        this.counted.set(name, (this.counted.get(name) ?? 0) + 1);
      }
      await this.visitor?.(visit);
    } catch (error) {
      if (error instanceof Error) error.message = `${place}, after '${words}': ${error.message}`;
      throw error;
    }
  }
}

/** @throws TypeError in the name of the function that was called */
export function demand(what: string, holds: unknown, message: string): void {
  if (!holds) throw new TypeError(`${what}: ${message}`);
}

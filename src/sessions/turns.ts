/** Things of the same name are done one behind the other. */
export class Turns {
  private readonly last = new Map<string, Promise<unknown>>();

  /** Does it when all that was asked for before under this name is over, however that ended. */
  take<T>(name: string, what: () => Promise<T>): Promise<T> {
    const before = this.last.get(name) ?? Promise.resolve();
    const mine = before.then(what, what);
    this.last.set(name, mine);
    const forget = (): void => {
      if (this.last.get(name) === mine) this.last.delete(name);
    };
    mine.then(forget, forget);
    return mine;
  }
}

// Everything that waits in an explored world waits here, and goes on when a schedule says so: the answers of the store and
// of the provider, the doors, the upstream (design: never undone).

/** Something that waits. Once it goes on it runs until it waits again: nothing else runs meanwhile. */
export interface Waiting {
  /** What began it. Whatever follows from that has the same name, unless it says otherwise. */
  readonly actor: string;
  readonly what: string;
  /** Nobody waits for it. */
  readonly isBehind: boolean;
  readonly goOn: () => void;
}

/** The waiting room of one world. */
export class Turns {
  /** Oldest first. */
  readonly waiting: Waiting[] = [];
  #actor: string | undefined;
  #doorsOpen = true;

  /** From here on whoever waits is kept waiting. */
  close(): void {
    this.#doorsOpen = false;
  }

  /** From here on nobody waits: for what a test wants done before or after the schedule. */
  open(): void {
    this.#doorsOpen = true;
  }

  /** Whoever went on last, if anybody has. */
  get actor(): string | undefined {
    return this.#actor;
  }

  /** Waits for its turn; `what` happens when it comes. */
  wait(what: string, actor = this.#actor ?? 'nobody'): Promise<void> {
    return this.#enter({ actor, what, isBehind: false });
  }

  /** The same for work that nobody waits for: it goes on when nobody else can, or when a schedule wants it before. */
  waitBehind(what: string): Promise<void> {
    return this.#enter({ actor: 'behind', what, isBehind: true });
  }

  #enter(one: Omit<Waiting, 'goOn'>): Promise<void> {
    if (this.#doorsOpen) return Promise.resolve();
    return new Promise((goOn) => this.waiting.push({ ...one, goOn }));
  }

  /** Lets one go on; what it does until it waits again is done in the microtasks and ticks that follow. */
  letGo(one: Waiting): void {
    this.waiting.splice(this.waiting.indexOf(one), 1);
    this.#actor = one.actor;
    one.goOn();
  }
}

// Proofs ahead of need, for sessions in use (design: revalidation for a session in use, open streams and sockets included).

import type { Flight, Watch } from './watch.ts';

/** Few enough that requests that wait for a proof of their own find turns; sessions have a quarter of their bound to spare. */
const UNDER_WAY = 16;

export interface ProofScheduleOptions {
  /** Whether the session still needs a proof when its turn has come. */
  readonly isDue: (watch: Watch) => boolean;
  readonly start: (watch: Watch) => Flight | undefined;
}

/** Sessions whose proof is due, in the order in which they became so, a few at a time. */
export class ProofSchedule {
  readonly #options: ProofScheduleOptions;
  readonly #due = new Set<Watch>();
  #underWay = 0;

  constructor(options: ProofScheduleOptions) {
    this.#options = options;
  }

  add(watch: Watch): void {
    this.#due.add(watch);
    this.#next();
  }

  delete(watch: Watch): void {
    this.#due.delete(watch);
  }

  has(watch: Watch): boolean {
    return this.#due.has(watch);
  }

  #next(): void {
    for (const watch of this.#due) {
      if (this.#underWay >= UNDER_WAY) return;
      this.#due.delete(watch);
      const flight = this.#options.isDue(watch) ? this.#options.start(watch) : undefined;
      if (flight === undefined) continue;
      this.#underWay++;
      void flight.landed.then(() => {
        this.#underWay--;
        this.#next();
      });
    }
  }
}

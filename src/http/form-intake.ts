// What may be arriving at once of forms that are to be kept: they are in memory before any store can refuse them.

/** Bytes of all of them together. */
const MOST_BYTES = 32 * 1024 ** 2;
/** Of one user: somebody who sends several windows' forms, and no more. */
const MOST_OF_USER = 4;

export class FormIntake {
  #bytes = 0;
  readonly #ofUser = new Map<string, number>();

  /** Makes room for a form of `bytes` at most; the returned function gives it back. undefined: there is none. */
  begin(sub: string, bytes: number): (() => void) | undefined {
    const own = this.#ofUser.get(sub) ?? 0;
    if (own >= MOST_OF_USER || this.#bytes + bytes > MOST_BYTES) return undefined;
    this.#ofUser.set(sub, own + 1);
    this.#bytes += bytes;
    return () => {
      this.#bytes -= bytes;
      const left = this.#ofUser.get(sub)! - 1;
      if (left === 0) this.#ofUser.delete(sub);
      else this.#ofUser.set(sub, left);
    };
  }
}

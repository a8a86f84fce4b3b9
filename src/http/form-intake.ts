// What may be arriving at once of forms that are to be kept: they are in memory before any store can refuse them. Bytes count
// as they arrive, so that nobody takes the room of others by announcing much and sending little.

/** Bytes of all of them together. */
const MOST_BYTES = 32 * 1024 ** 2;
/** Of one user: one of the largest there may be, or several smaller ones. */
const MOST_BYTES_OF_USER = 16 * 1024 ** 2;
/** Somebody who sends several windows' forms, and no more. */
const MOST_FORMS_OF_USER = 4;

export interface ArrivingForm {
  /** Counts bytes that have come; false: there is no room for them. */
  arrived(bytes: number): boolean;
  /** Gives its room back. */
  done(): void;
}

export class FormIntake {
  #bytes = 0;
  readonly #ofUser = new Map<string, { forms: number; bytes: number }>();

  /** undefined: there is no room for one of `bytes`. */
  begin(sub: string, bytes: number): ArrivingForm | undefined {
    const own = this.#ofUser.get(sub) ?? { forms: 0, bytes: 0 };
    if (own.forms >= MOST_FORMS_OF_USER || !this.#hasRoom(own, bytes)) return undefined;
    own.forms++;
    this.#ofUser.set(sub, own);
    let counted = 0;
    return {
      arrived: (more) => {
        if (!this.#hasRoom(own, more)) return false;
        counted += more;
        own.bytes += more;
        this.#bytes += more;
        return true;
      },
      done: () => {
        own.bytes -= counted;
        this.#bytes -= counted;
        if (--own.forms === 0) this.#ofUser.delete(sub);
      },
    };
  }

  #hasRoom(own: { bytes: number }, bytes: number): boolean {
    return own.bytes + bytes <= MOST_BYTES_OF_USER && this.#bytes + bytes <= MOST_BYTES;
  }
}

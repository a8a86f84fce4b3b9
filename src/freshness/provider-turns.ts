// Who may ask the provider now: a bounded number, and nobody for a while after it has failed (design: a provider that is
// down ends nobody; security catalogue SESS-10, no storm). Ten thousand sessions that fall due together must not be the
// blow that keeps a Keycloak, just back, from coming up.

import type { Clock } from '../base/clock.ts';

/** Calls under way at once. At 20 ms each that is some 3 000 sessions a second, more than a Keycloak refreshes. */
const IN_FLIGHT = 64;

/** So many failures in a row are the provider's and not one session's. */
const FAILURES_TO_PAUSE = 3;
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 30_000;

/** What a call came to; `answered` is whether the provider can be said to be up. */
export interface Call<T> {
  readonly answered: boolean;
  readonly result: T;
}

/** The queue to the provider. */
export class ProviderTurns {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #inFlight = 0;
  #failures = 0;
  #pausedUntilMs = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #trialInFlight = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** False while nobody is to be asked: in the pause after failures, and while one call tries whether it is over. */
  open(): boolean {
    if (this.#failures < FAILURES_TO_PAUSE) return true;
    return !this.#trialInFlight && this.#clock.monotonicMs() >= this.#pausedUntilMs;
  }

  /** Waits for a turn and makes `call`; undefined where the provider is paused when the turn comes. */
  async take<T>(call: () => Promise<Call<T>>): Promise<T | undefined> {
    if (this.#inFlight < IN_FLIGHT) this.#inFlight++;
    else await new Promise<void>((resolve) => this.#waiting.add(resolve));
    try {
      return this.open() ? await this.#ask(call) : undefined;
    } finally {
      this.#handOn();
    }
  }

  async #ask<T>(call: () => Promise<Call<T>>): Promise<T> {
    const isTrial = this.#failures >= FAILURES_TO_PAUSE;
    if (isTrial) this.#trialInFlight = true;
    let answered = false;
    try {
      const made = await call();
      answered = made.answered;
      return made.result;
    } finally {
      if (isTrial) this.#trialInFlight = false;
      this.#note(answered, isTrial ? 'trial' : 'normal');
    }
  }

  #handOn(): void {
    const next = this.#waiting.values().next().value;
    if (next === undefined) {
      this.#inFlight--;
      return;
    }
    this.#waiting.delete(next);
    next();
  }

  #note(answered: boolean, kind: 'trial' | 'normal'): void {
    if (answered) {
      this.#failures = 0;
      this.#pauseMs = FIRST_PAUSE_MS;
      return;
    }
    this.#failures++;
    // Calls that were already under way fail with the first; they do not lengthen the pause.
    if (this.#failures !== FAILURES_TO_PAUSE && kind !== 'trial') return;
    this.#pausedUntilMs = this.#clock.monotonicMs() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

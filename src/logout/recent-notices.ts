// Notices that were carried out a moment ago (Back-Channel Logout 1.0 section 2.6, `jti`). A repeat is answered like the
// first: providers and balancers resend what they think was lost. It ends nothing more, because the first one ended all
// that existed when the notice arrived, and whoever signed in since has nothing to do with it.

import type { Clock } from '../base/clock.ts';

/**
 * As long as any setting has a notice accepted: logout_token.max_age, an hour at most, and clock_tolerance, ten minutes at
 * most, at either end. An admin action lives for less.
 */
const REMEMBERED_MS = 80 * 60_000;

/** A mass logout sends one per session; the oldest goes beyond this, and its repeat would then end what it names again. */
const MAX_NOTICES = 100_000;

/** Notices that were accepted and might be accepted again, by the name that is all that each of them says. */
export class RecentNotices {
  readonly #clock: Clock;
  /** In order of acceptance: until when they are remembered. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#until.size;
  }

  has(name: string): boolean {
    const until = this.#until.get(name);
    return until !== undefined && until > this.#clock.monotonicMs();
  }

  add(name: string): void {
    const now = this.#clock.monotonicMs();
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size < MAX_NOTICES) break;
      this.#until.delete(oldest);
    }
    this.#until.delete(name);
    this.#until.set(name, now + REMEMBERED_MS);
  }
}

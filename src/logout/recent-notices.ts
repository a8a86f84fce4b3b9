// Notices that were carried out a moment ago (Back-Channel Logout 1.0 section 2.6, `jti`). A repeat is answered like the
// first: providers and balancers resend what they think was lost. It ends nothing more, because the first one ended all
// that existed when the notice arrived, and whoever signed in since has nothing to do with it.

import type { Clock } from '../base/clock.ts';
import type { LogoutToken } from '../oidc/verify-logout-token.ts';

/** Longer than any logout token is accepted (five minutes of age and the clock tolerance, by default). */
const REMEMBERED_MS = 15 * 60_000;

/** A mass logout sends one per session; the oldest goes beyond this, and its repeat would then end what it names again. */
const MAX_NOTICES = 100_000;

/** Accepted notices of the last quarter of an hour. */
export class RecentNotices {
  readonly #clock: Clock;
  /** By name, in order of acceptance: until when they are remembered. */
  readonly #until = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#until.size;
  }

  has(notice: LogoutToken): boolean {
    const until = this.#until.get(nameOf(notice));
    return until !== undefined && until > this.#clock.monotonicMs();
  }

  add(notice: LogoutToken): void {
    const now = this.#clock.monotonicMs();
    for (const [name, until] of this.#until) {
      if (until > now && this.#until.size < MAX_NOTICES) break;
      this.#until.delete(name);
    }
    const name = nameOf(notice);
    this.#until.delete(name);
    this.#until.set(name, now + REMEMBERED_MS);
  }
}

/** By everything it says, not by `jti` alone: a provider that repeats a jti must not silence its next notice. */
function nameOf(notice: LogoutToken): string {
  return JSON.stringify([notice.issuer, notice.jti, notice.sid, notice.sub, notice.issuedAtSeconds]);
}

// Ids that a new sign-in of the same SSO session replaced: requests that were sent with the old cookie are still under
// way, and the browser's other tabs have not heard of the new one (design: decided cases, 30 s).

import type { SessionId } from '../base/ids.ts';
import type { StoredSession } from './session-record.ts';

/** How long a replaced id still finds its session. */
const GOOD_FOR_MS = 30_000;

/** More replaced ids than this within 30 s are nobody's normal use; the oldest goes. */
const MAX_FORMER_IDS = 10_000;

/** Replaced ids and the sessions that they still find. */
export class FormerIds<Session extends StoredSession> {
  /** In order of replacement, so that the first is the first to expire. */
  readonly #byId = new Map<SessionId, { session: Session; goodUntil: number }>();

  add(id: SessionId, session: Session, now: number): void {
    this.#byId.set(id, { session, goodUntil: now + GOOD_FOR_MS });
    for (const [oldest, entry] of this.#byId) {
      if (entry.goodUntil > now && !entry.session.ended && this.#byId.size <= MAX_FORMER_IDS) break;
      this.#byId.delete(oldest);
    }
  }

  /** The session that `id` found before, ended or not, as long as it may. */
  find(id: SessionId, now: number): Session | undefined {
    const entry = this.#byId.get(id);
    return entry !== undefined && entry.goodUntil > now ? entry.session : undefined;
  }

  clear(): void {
    this.#byId.clear();
  }
}

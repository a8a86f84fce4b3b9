// Sessions that may be over although nobody said so (design: triggers, a logout token with sid and sub; tombstones, a login
// on a sid that ended a moment ago). They are proven again after a while and not at once: until its notices are answered,
// Keycloak calls a session alive that it is just ending.

import type { Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { errorCode } from '../base/gateway-error.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';

/** After a notice that named one sid of a user. */
const SIBLINGS_PROVEN_AFTER_MS = [5_000, 30_000];

/** After a sign-in on a sid that had just ended: Keycloak may be busy with that for 5 s per client. */
const REBORN_PROVEN_AFTER_MS = [5_000, 30_000, 120_000];

const PAGE = 100;

export interface SuspicionsOptions {
  readonly store: SessionStore;
  readonly timers: Timers;
  readonly emit: Emit;
  /** Has a session proven anew, soon, whether it is in use or not. */
  readonly demandProof: (session: StoredSession) => void;
}

/** Demands proofs later. */
export class Suspicions {
  readonly #options: SuspicionsOptions;
  #stopped = false;

  constructor(options: SuspicionsOptions) {
    this.#options = options;
  }

  /** Has every session that the user then has proven 5 and 30 s from now. */
  ofSiblings(issuer: string, sub: string): void {
    this.#later(SIBLINGS_PROVEN_AFTER_MS, () => {
      this.#demandAll(issuer, sub).catch((error) => {
        this.#options.emit({ event: 'store.failed', operation: 'list', why: errorCode(error) });
      });
    });
  }

  /** Has the session proven 5, 30 and 120 s from now. */
  ofReborn(session: StoredSession): void {
    this.#later(REBORN_PROVEN_AFTER_MS, () => this.#options.demandProof(session));
  }

  stop(): void {
    this.#stopped = true;
  }

  #later(delaysMs: readonly number[], demand: () => void): void {
    for (const delayMs of delaysMs) {
      this.#options.timers.after(delayMs, () => {
        if (!this.#stopped) demand();
      });
    }
  }

  async #demandAll(issuer: string, sub: string): Promise<void> {
    let cursor: string | undefined;
    do {
      const page = await this.#options.store.list({ sub }, PAGE, cursor);
      for (const session of page.sessions) if (session.record.issuer === issuer) this.#options.demandProof(session);
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }
}

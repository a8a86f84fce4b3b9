// A request that was let through and goes on: decided again after every change of its session's claims and after every
// reload (design: decided cases). Transport carries it as the tag of the live connection, and does not look into it.

import { allowed } from '../access/route-match.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { DecideAgain, LiveFacts, RequestFacts } from './decide.ts';
import type { GateMatch } from './gate-route.ts';
import type { Recheck } from './recheck.ts';

export class LiveAdmission {
  readonly #facts: LiveFacts;
  #match: GateMatch;
  #session: StoredSession | undefined;

  constructor(facts: RequestFacts, match: GateMatch, session: StoredSession | undefined) {
    const { host, method, target, websocket, publicOrigin } = facts;
    const origin = websocket ? facts.origin() : undefined;
    // Not the request itself: thousands of idle WebSockets would keep theirs.
    this.#facts = { host, method, target, websocket, publicOrigin, origin: () => origin };
    this.#match = match;
    this.#session = session;
  }

  /** The session has other claims. Whether the connection may go on. */
  renewed(session: StoredSession): boolean {
    this.#session = session;
    return allowed(this.#match, session.record.claims);
  }

  /** The provider has not confirmed the session for too long. Whether the connection may go on. */
  unproven({ isExempt }: Pick<Recheck, 'isExempt'>): boolean {
    return isExempt(this.#facts.target, this.#match.route);
  }

  /** The rules are other ones. Whether the connection may go on. */
  reloaded(decideAgain: DecideAgain): boolean {
    const match = decideAgain(this.#facts, this.#session);
    if (match === undefined) return false;
    this.#match = match;
    return true;
  }
}

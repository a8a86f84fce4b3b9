// Sessions by a name that several may share: one sid or sub belongs to as many sessions as there are browsers and hosts
// (Back-Channel Logout 1.0 section 2.7), so no entry is ever a single slot that a later login overwrites.

import type { StoredSession } from './session-record.ts';

/**
 * Sets of sessions by name. Nearly every set has one member, which is then kept without a Set around it: with 100 000
 * sessions and three indexes that is some 60 MB less.
 */
export class SessionIndex<Session extends StoredSession> {
  readonly #groups = new Map<string, Session | Set<Session>>();

  add(name: string, session: Session): void {
    const group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, session);
    else if (group instanceof Set) group.add(session);
    else if (group !== session) this.#groups.set(name, new Set([group, session]));
  }

  /** Takes this session out, and no other that has the same name. */
  delete(name: string, session: Session): void {
    const group = this.#groups.get(name);
    if (group === session) this.#groups.delete(name);
    else if (group instanceof Set && group.delete(session) && group.size === 0) this.#groups.delete(name);
  }

  /** A copy: it stays as it is while its members are taken out. */
  get(name: string): readonly Session[] {
    const group = this.#groups.get(name);
    if (group === undefined) return [];
    return group instanceof Set ? [...group] : [group];
  }

  /** How many names there are. */
  get size(): number {
    return this.#groups.size;
  }
}

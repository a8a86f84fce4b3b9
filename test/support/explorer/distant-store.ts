// A store as if it stood at the other end of a network: a call takes effect some time after it was made, and its answer
// comes some time later still. What happens at the store itself happens at once, and so does what ends here.

import type { StoredSession } from '../../../src/session/session-record.ts';
import type { SessionStore } from '../../../src/session/session-store.ts';
import type { Turns } from './turns.ts';

/** Stops the connections of sessions in the tick in which their end takes effect; whoever asked for it gives the account. */
export type StopHere = (sessions: readonly StoredSession[]) => void;

/** `store` with both of these waits around every operation that may wait. */
export function distantStore(store: SessionStore, turns: Turns, stopHere: StopHere): SessionStore {
  const far = async <T>(operation: string, call: () => T | Promise<T>): Promise<T> => {
    await turns.wait(`${operation} takes effect`);
    const result = await call();
    await turns.wait(`${operation} is answered`);
    return result;
  };
  return {
    now: () => far('now', () => store.now()),
    estimateNow: () => store.estimateNow(),
    find: (id) => far('find', () => store.find(id)),
    create: (record) => far('create', () => store.create(record)),
    update: (session, next) => far('update', () => store.update(session, next)),
    replaceId: (session, next) => far('replaceId', () => store.replaceId(session, next)),
    lastSeenAt: (session) => far('lastSeenAt', () => store.lastSeenAt(session)),
    touch: (session) => store.touch(session),
    end: (selector, issuedAt) =>
      far('end', async () => {
        const ended = await store.end(selector, issuedAt);
        stopHere(ended);
        return ended;
      }),
    lastEndOf: (issuer, sid) => far('lastEndOf', () => store.lastEndOf(issuer, sid)),
    list: (filter, limit, cursor) => far('list', () => store.list(filter, limit, cursor)),
    size: () => store.size(),
    trouble: () => store.trouble(),
  };
}

// Where the applications' cookies of each session are kept (design: `cookies: jar`): apart from the session's record, so
// that no answer of an application ever writes a session.

import type { MaybePromise } from '../base/maybe-promise.ts';
import type { StoredSession } from './session-record.ts';

/** Cookies by name and path, each as text. */
export type JarChanges = ReadonlyMap<string, string | undefined>;

/**
 * Jars belong to a session from its creation to its end, whatever id it has meanwhile; an application's is one of them.
 * Nothing is found or kept for a session that has ended.
 */
export interface JarStore {
  /**
   * The cookies of one jar; a plain value when it is at hand.
   * @throws GatewayError `store_unavailable`
   */
  read(session: StoredSession, jar: string): MaybePromise<readonly string[]>;

  /**
   * Puts the cookies that have a text in their place and removes the others, one by one: what another answer changes at the
   * same time is not lost.
   * @throws GatewayError `store_unavailable`
   */
  write(session: StoredSession, jar: string, changes: JarChanges): MaybePromise<void>;

  /**
   * All jars of a session that has ended, and forgets them.
   * @throws GatewayError `store_unavailable`
   */
  takeOut(session: StoredSession): MaybePromise<ReadonlyMap<string, readonly string[]>>;
}

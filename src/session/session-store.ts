// The store behind every session: memory here, a shared one for replicas. The contract suite in test/contract holds
// every implementation to this page. Revocation wins: create and update are different operations, and both lose to a
// tombstone (design: nothing that was already under way can bring a session back).

import type { SessionHandle, SessionId } from '../base/ids.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { SessionRecord, StoredSession } from './session-record.ts';

/** Which sessions an end names. */
export type EndSelector =
  | { readonly by: 'handle'; readonly handle: SessionHandle }
  /** A bearer token's session at the token's expiry: nothing has to be remembered, the token itself says that it is over. */
  | { readonly by: 'expired'; readonly handle: SessionHandle }
  | { readonly by: 'sid'; readonly issuer: string; readonly sid: string }
  | { readonly by: 'sub'; readonly issuer: string; readonly sub: string }
  | { readonly by: 'user'; readonly user: string }
  | { readonly by: 'client'; readonly issuer: string; readonly clientId: string }
  | NotBeforeSelector
  | { readonly by: 'all' };

/**
 * Keycloak's not-before: tokens that were issued before it are void, those of a client or those of a user. It names sessions
 * by their current tokens (`record.tokens.issuedAtSeconds`), whenever they began, and goes on naming what comes later.
 */
export type NotBeforeSelector =
  | {
      readonly by: 'client_tokens';
      readonly issuer: string;
      readonly clientId: string;
      readonly issuedBeforeSeconds: number;
    }
  | { readonly by: 'sub_tokens'; readonly issuer: string; readonly sub: string; readonly issuedBeforeSeconds: number };

/**
 * `ours`: send it. `doubtful`: it was sent before and no answer came, so the provider may have used it up; ask first.
 * `changed`: another process has refreshed, and the session has the new tokens. `lost`: another process has sent it and is
 * gone; it must not be sent again.
 */
export type RefreshClaim = 'ours' | 'doubtful' | 'changed' | 'lost' | 'ended';

export interface SessionFilter {
  readonly user?: string;
  readonly sub?: string;
  readonly sid?: string;
}

export interface SessionStore {
  /**
   * The store's clock, epoch milliseconds: the only one that tombstones and records are compared by. Never goes back,
   * whatever the wall clock does, and what is read after an end has arrived is later than that arrival.
   */
  now(): MaybePromise<number>;

  /** What this process takes `now()` for, without asking: for ages (idle, proof), never for `beganAt`. */
  estimateNow(): number;

  /**
   * The live session with this id (or with an old id that a new sign-in replaced less than 30 s ago), else undefined.
   * A plain value when it is at hand. Looks at the tombstones too. Counts nothing as activity.
   * @throws GatewayError `store_unavailable` (503): fails closed.
   */
  find(id: SessionId): MaybePromise<StoredSession | undefined>;

  /**
   * Writes a new session, then reads the tombstones again. 'ended' when a tombstone refuses it: nothing is left of it
   * then, and no cookie may be sent. A bearer token's session that is there already is returned as it is.
   */
  create(record: SessionRecord): MaybePromise<StoredSession | 'ended'>;

  /**
   * Puts `next`, made from a record of `session`, in its place if that is still the current one (`next.version` is one
   * more than the current) and neither the session has ended nor a tombstone refuses `next`.
   */
  update(session: StoredSession, next: SessionRecord): MaybePromise<'updated' | 'changed' | 'ended'>;

  /**
   * Like update, and gives the session the new id `next.id`: a sign-in over a live session of the same (iss, sub, sid).
   * The old id finds the session for 30 s more.
   */
  replaceId(session: StoredSession, next: SessionRecord): MaybePromise<'updated' | 'changed' | 'ended'>;

  /**
   * For a shared store, before a refresh token is sent: writes down that this process sends the one of the current record,
   * so that no other sends it too. Where another has, it waits for what comes of that.
   * @throws GatewayError `store_unavailable`
   */
  claimRefresh?(session: StoredSession): Promise<RefreshClaim>;

  /** After a claim: no answer came, and this process has lived to see that. @throws GatewayError `store_unavailable` */
  releaseRefresh?(session: StoredSession): Promise<void>;

  /**
   * The user's last activity as all replicas together know it, and notes it in the session: asked before one ends as idle.
   * @throws GatewayError `store_unavailable`
   */
  lastSeenAt(session: StoredSession): MaybePromise<number>;

  /** Notes activity now; cheap, may be written later in batches. Nothing on an ended session. */
  touch(session: StoredSession): void;

  /**
   * The mark. Writes the tombstone first and alone, then takes the sessions out and returns them, `ended` set on each.
   * `noticeIssuedAtSeconds`: the `iat` of the notice (for sid and sub), or the not-before that it carries (for client):
   * logins with an older ID token are refused too.
   *
   * A not-before (`client_tokens`, `sub_tokens`) refuses creates and updates with older tokens and nothing else, whenever
   * they began. It never moves back. It is remembered until it is older than the longest session; one that comes so old
   * need not be remembered at all. The same one comes again with every token answer, and should cost little then.
   *
   * With a shared store it resolves when every replica has stopped, or its lease has lapsed; sessions that are taken out
   * later than that, because there are very many, go to `onLate`. They have ended all the same.
   * @throws GatewayError `store_unavailable`: then it is written when the store is back
   */
  end(
    selector: EndSelector,
    noticeIssuedAtSeconds?: number,
    onLate?: (sessions: readonly StoredSession[]) => void,
  ): MaybePromise<readonly StoredSession[]>;

  /**
   * For a shared store, before `end`: ends in this turn what this replica holds of it, and returns that, whatever becomes
   * of the store.
   */
  endHeld?(selector: EndSelector, noticeIssuedAtSeconds?: number): readonly StoredSession[];

  /** When the latest end by this sid arrived, store time; undefined where none is remembered. */
  lastEndOf(issuer: string, sid: string): MaybePromise<number | undefined>;

  /**
   * Sessions for operators, newest last, by cursor; never more than `limit`. What lives through the whole listing is in
   * it exactly once, whatever comes and goes meanwhile.
   * @throws GatewayError `cursor_invalid` (400)
   */
  list(
    filter: SessionFilter,
    limit: number,
    cursor: string | undefined,
  ): MaybePromise<{ sessions: readonly StoredSession[]; nextCursor: string | undefined }>;

  /** How many sessions are stored, for the metric. */
  size(): number;

  /** Why the store cannot be used now, for readyz; undefined when it can. */
  trouble(): string | undefined;
}

/**
 * Whether nobody has claimed `name` in the last `forMs`, milliseconds: true for exactly one of all callers, on all replicas.
 * @throws GatewayError `store_unavailable`
 */
export type ClaimOnce = (name: string, forMs: number) => Promise<boolean>;

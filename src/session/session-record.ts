// What the gate remembers of one session. Records are immutable: every change is a new record, so that a cache
// keyed by the record (identity headers) can never be stale, and "if unchanged" is a comparison of `version`.

import type { SessionHandle, SessionId } from '../base/ids.ts';
import type { Claims, LivenessProbe, TokenSet } from '../base/tokens.ts';

export interface SessionRecord {
  readonly id: SessionId;
  /** The operators' name; stays when a new sign-in of the same SSO session gives a new id. Owner of its connections. */
  readonly handle: SessionHandle;
  readonly issuer: string;
  readonly clientId: string;
  readonly sub: string;
  readonly sid: string | undefined;
  /** For people: preferred_username, else email, else sub. */
  readonly user: string;
  readonly claims: Claims;
  readonly tokens: TokenSet;
  readonly probe: LivenessProbe;
  /** The ID token's `iat`, epoch seconds by the provider's clock. */
  readonly idTokenIssuedAtSeconds: number;
  /** Store time at which the code exchange began: what a tombstone's arrival is compared with. */
  readonly beganAt: number;
  readonly createdAt: number;
  /** Store time of the last answer by which the provider showed that the session lives. */
  readonly provenAt: number;
  readonly version: number;
  readonly address: string;
  readonly userAgent: string;
}

/** A session as a replica holds it: the current record, and the two facts that change without a new record. */
export interface StoredSession {
  record: SessionRecord;
  /** The user's last activity, store time. */
  lastSeenAt: number;
  /** Set once, by the mark. Whoever holds this object sees the end without asking. */
  ended: boolean;
}

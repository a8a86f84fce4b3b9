// What the gate remembers of one session. Records are immutable: every change is a new record, so that a cache
// keyed by the record (identity headers) can never be stale, and "if unchanged" is a comparison of `version`.

import type { SessionHandle, SessionId } from '../base/ids.ts';
import type { Claims, LivenessProbe, TokenSet } from '../base/tokens.ts';

export interface SessionRecord {
  readonly id: SessionId;
  /** What its holder shows: the cookie of a sign-in, or a bearer token, which is its own session until its end. */
  readonly kind: 'sign_in' | 'bearer';
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
  /** The `iat` of the ID token of the sign-in, epoch seconds by the provider's clock. A refresh does not move it: Keycloak
   *  refreshes a session that it is just ending, so a later ID token says nothing about a notice. Of a bearer token: its own. */
  readonly idTokenIssuedAtSeconds: number;
  /** Store time at which the code exchange began, or before which a bearer token cannot have been issued: what a tombstone's
   *  arrival is compared with. */
  readonly beganAt: number;
  /** Store time of the sign-in, or of a bearer token's issue: what the absolute timeout counts from. */
  readonly createdAt: number;
  /** Store time of the last answer by which the provider showed that the session lives; 0: it has not since the session
   *  was read back from a file, and nobody is let through by it. */
  readonly provenAt: number;
  /** Grows by one with every change. */
  readonly version: number;
  /** Host name whose cookie its holder shows, ports apart as with cookies; undefined: any (a cookie of a whole domain, a bearer token). */
  readonly cookieHost: string | undefined;
  /** Classes of sign-in (`acr`) that the provider was asked for and did not give; undefined: it gave what it was asked for. */
  readonly refusedAcr: readonly string[] | undefined;
  readonly address: string;
  readonly userAgent: string;
}

/**
 * A session as this replica holds it: one object per session from its creation to its end, so that whoever keeps it sees
 * the current record and the end without asking. Only the store changes it.
 */
export interface StoredSession {
  readonly record: SessionRecord;
  /** The user's last activity, store time. */
  readonly lastSeenAt: number;
  /** True from the mark on, for ever. */
  readonly ended: boolean;
}

/** Whether `hostname` is where the browser has this session's cookie from: copied to another public host it is worth nothing. */
export function isShownAtHome({ cookieHost }: SessionRecord, hostname: string): boolean {
  return cookieHost === undefined || cookieHost === hostname;
}

/** Whether the provider has shown to this process, or to one that shares its store, that the session lives. */
export function isProven({ provenAt }: SessionRecord): boolean {
  return provenAt > 0;
}

/** A record as it was read from text, which has no place for what is undefined: with every member, as all others have them. */
export function withEveryMember<R extends Omit<SessionRecord, 'id'>>(record: R): R {
  const { sid, cookieHost, refusedAcr } = record;
  return { ...record, sid, cookieHost, refusedAcr };
}

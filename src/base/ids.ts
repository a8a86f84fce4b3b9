// Identifiers. All are random; none can be turned into another.

import { randomBytes } from 'node:crypto';

declare const sessionIdBrand: unique symbol;

/** The value of the session cookie: 32 random bytes, base64url. Knowing it is being signed in; it is never logged. */
export type SessionId = string & { readonly [sessionIdBrand]: true };

/** The name operators know a session by. Not the cookie, and cannot be turned into it. */
export type SessionHandle = string;

const SESSION_ID = /^[A-Za-z0-9_-]{43}$/;

/** A new id from 256 random bits. */
export function newSessionId(): SessionId {
  return randomBytes(32).toString('base64url') as SessionId;
}

/** A cookie value as a session id, or undefined where it cannot be one: junk never reaches a store. */
export function parseSessionId(value: string): SessionId | undefined {
  return SESSION_ID.test(value) ? (value as SessionId) : undefined;
}

/** A new name for operators. */
export function newSessionHandle(): SessionHandle {
  return `s_${randomBytes(12).toString('base64url')}`;
}

/** Names one request towards users and operators: on pages, in errors and in the log. */
export function newRequestId(): string {
  return randomBytes(9).toString('base64url');
}

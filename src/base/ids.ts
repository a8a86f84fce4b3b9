// Identifiers. All are random, or hashes of what nobody can guess; none can be turned into another.

import { hash, randomBytes } from 'node:crypto';

declare const sessionIdBrand: unique symbol;

/**
 * The value of the session cookie: 32 random bytes, base64url. Knowing it is being signed in; it is never logged. A bearer
 * token's session has an id that is no cookie value and opens nothing.
 */
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

/**
 * The id of the session that a bearer token is, or undefined where `token` has not the three parts of a signed JWT. Made
 * from what is signed and not from the signature: one of ECDSA has a second form that is as good, and a token that an
 * operator has ended must not come back in it. So the id says nothing of the signature.
 */
export function bearerSessionId(token: string): SessionId | undefined {
  const end = token.lastIndexOf('.');
  const dot = token.indexOf('.');
  if (dot < 1 || end <= dot + 1 || token.indexOf('.', dot + 1) !== end) return undefined;
  // The dot keeps these ids out of everything that `parseSessionId` lets through.
  return `bearer.${hash('sha256', token.slice(0, end), 'base64url')}` as SessionId;
}

/** The operators' name for it, always the same: an end by this handle refuses the token for good. */
export function bearerSessionHandle(id: SessionId): SessionHandle {
  return `b_${hash('sha256', id, 'base64url').slice(0, 22)}`;
}

/** Names a form that waits for its user. */
export function newFormId(): string {
  return randomBytes(16).toString('base64url');
}

/** Names one request towards users and operators: on pages, in errors and in the log. */
export function newRequestId(): string {
  return randomBytes(9).toString('base64url');
}

// What an end is remembered by, and every name by which an end would reach a session.

import type { SessionRecord } from './session-record.ts';
import type { EndSelector, NotBeforeSelector } from './session-store.ts';

/** One string per named thing; JSON keeps apart what a separator inside a claim could confuse. */
export function nameOfSelector(selector: EndSelector): string {
  switch (selector.by) {
    case 'handle':
    case 'expired':
      return nameOf(selector.by, selector.handle);
    case 'sid':
      return nameOf('sid', selector.issuer, selector.sid);
    case 'sub':
      return nameOf('sub', selector.issuer, selector.sub);
    case 'user':
      return nameOf('user', selector.user);
    case 'client':
    case 'client_tokens':
      return nameOf(selector.by, selector.issuer, selector.clientId);
    case 'sub_tokens':
      return nameOf('sub_tokens', selector.issuer, selector.sub);
    case 'all':
      return nameOf('all');
  }
}

const BY: readonly EndSelector['by'][] = [
  ...(['handle', 'expired', 'sid', 'sub', 'user', 'client', 'client_tokens', 'sub_tokens', 'all'] as const),
];

/** Whether this version of the gate knows what a selector names. */
export function isKnown(selector: EndSelector | undefined): selector is EndSelector {
  return selector !== undefined && BY.includes(selector.by);
}

/** Whether a selector is a not-before: it names sessions by the age of their tokens. */
export function isNotBefore(selector: EndSelector): selector is NotBeforeSelector {
  return 'issuedBeforeSeconds' in selector;
}

/** What the provider issued before this an end refuses: what the notice said, or the not-before itself. */
export function issuedBeforeOf(selector: EndSelector, noticeIssuedAtSeconds: number): number {
  return isNotBefore(selector) ? selector.issuedBeforeSeconds : noticeIssuedAtSeconds;
}

/** What one end left behind. `arrivedAt` is store time; `issuedBeforeSeconds` the provider's, 0 where no notice said it. */
export interface Tombstone {
  readonly arrivedAt: number;
  /** What the provider issued before this is refused. */
  readonly issuedBeforeSeconds: number;
}

/**
 * Whether an end refuses `record`: it existed or was under way (`beganAt`) when the end arrived, or its ID token is
 * older than the notice, or its current tokens are older than a not-before. Nothing else: providers reuse a sid, and a new
 * sign-in in the same second is a new session. A bearer token is refused from the notice's own second on: it may be of
 * either side, and the client can get another.
 */
export function isRefused(
  record: Omit<SessionRecord, 'id'>,
  tombstoneOf: (name: string) => Tombstone | undefined,
): boolean {
  const refuses = record.kind === 'bearer' ? refusesToken : refusesSignIn;
  const isEnded = (selector: EndSelector): boolean => {
    const tombstone = tombstoneOf(nameOfSelector(selector));
    return tombstone !== undefined && refuses(tombstone, record, selector.by);
  };
  const isOutdated = (name: string): boolean =>
    record.tokens.issuedAtSeconds < (tombstoneOf(name)?.issuedBeforeSeconds ?? 0);
  return selectorsOf(record).some(isEnded) || tokenNames(record).some(isOutdated);
}

function refusesSignIn(tombstone: Tombstone, record: Omit<SessionRecord, 'id'>): boolean {
  return record.beganAt <= tombstone.arrivedAt || record.idTokenIssuedAtSeconds < tombstone.issuedBeforeSeconds;
}

/**
 * Where the provider has said when it ended what it names, tokens are compared by its clock; else by ours, with the
 * tolerance in `beganAt`. A sid has both: Keycloak issues tokens for a session that it is still telling its clients of.
 */
function refusesToken(tombstone: Tombstone, record: Omit<SessionRecord, 'id'>, by: EndSelector['by']): boolean {
  if (record.idTokenIssuedAtSeconds <= tombstone.issuedBeforeSeconds) return true;
  const isTold = tombstone.issuedBeforeSeconds > 0 && by !== 'sid';
  return (isTold ? record.createdAt : record.beganAt) <= tombstone.arrivedAt;
}

/** The names under which an end refuses this record. */
export function namesOfRecord(record: Omit<SessionRecord, 'id'>): string[] {
  return [...selectorsOf(record).map(nameOfSelector), ...tokenNames(record)];
}

/** The names under which a not-before voids its tokens. */
function tokenNames({ issuer, clientId, sub }: Omit<SessionRecord, 'id'>): string[] {
  return [nameOf('client_tokens', issuer, clientId), nameOf('sub_tokens', issuer, sub)];
}

/** Every end that names this record, whenever it comes. */
function selectorsOf({ issuer, clientId, sub, sid, user, handle }: Omit<SessionRecord, 'id'>): EndSelector[] {
  const selectors: EndSelector[] = [
    { by: 'all' },
    { by: 'client', issuer, clientId },
    { by: 'sub', issuer, sub },
    { by: 'user', user },
    { by: 'handle', handle },
  ];
  if (sid !== undefined) selectors.push({ by: 'sid', issuer, sid });
  return selectors;
}

function nameOf(...parts: string[]): string {
  return JSON.stringify(parts);
}

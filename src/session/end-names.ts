// What an end is remembered by, and every name by which an end would reach a session.

import type { SessionRecord } from './session-record.ts';
import type { EndSelector } from './session-store.ts';

/** One string per named thing; JSON keeps apart what a separator inside a claim could confuse. */
export function nameOfSelector(selector: EndSelector): string {
  switch (selector.by) {
    case 'handle':
      return nameOf('handle', selector.handle);
    case 'sid':
      return nameOf('sid', selector.issuer, selector.sid);
    case 'sub':
      return nameOf('sub', selector.issuer, selector.sub);
    case 'user':
      return nameOf('user', selector.user);
    case 'all':
      return nameOf('all');
  }
}

/** What one end left behind. `arrivedAt` is store time; `issuedBeforeSeconds` the provider's, 0 where no notice said it. */
export interface Tombstone {
  readonly arrivedAt: number;
  /** What the provider issued before this is refused. */
  readonly issuedBeforeSeconds: number;
}

/**
 * Whether an end refuses `record`: it existed or was under way (`beganAt`) when the end arrived, or its ID token is
 * older than the notice. Nothing else: providers reuse a sid, and a new sign-in in the same second is a new session.
 */
export function isRefused(
  record: Omit<SessionRecord, 'id'>,
  tombstoneOf: (name: string) => Tombstone | undefined,
): boolean {
  return namesOfRecord(record).some((name) => {
    const tombstone = tombstoneOf(name);
    return (
      tombstone !== undefined &&
      (record.beganAt <= tombstone.arrivedAt || record.idTokenIssuedAtSeconds < tombstone.issuedBeforeSeconds)
    );
  });
}

/** The names under which an end refuses this record. */
export function namesOfRecord(record: Omit<SessionRecord, 'id'>): string[] {
  const names = [
    nameOf('all'),
    nameOf('sub', record.issuer, record.sub),
    nameOf('user', record.user),
    nameOf('handle', record.handle),
  ];
  if (record.sid !== undefined) names.push(nameOf('sid', record.issuer, record.sid));
  return names;
}

function nameOf(...parts: string[]): string {
  return JSON.stringify(parts);
}

// What a logout notice comes to, whatever its kind: who ends, and why (design: triggers).

import type { EndReason } from '../base/events.ts';
import type { EndSelector } from '../session/session-store.ts';

export interface NoticedEnd {
  readonly selector: EndSelector;
  readonly reason: EndReason;
  /** Logins with an older ID token are refused as well. */
  readonly issuedAtSeconds?: number;
}

/** A notice that was found genuine. */
export interface Notice {
  readonly issuer: string;
  /** Everything it says: a second notice of this name is the same one again. */
  readonly name: string;
  /** For the audit trail, where it names one. */
  readonly sub: string | undefined;
  readonly sid: string | undefined;
  /** Empty for a notice that ends nobody. */
  readonly ends: readonly NoticedEnd[];
  /** Whether it named single sessions, so that others of the same users may be over too without a word of it. */
  readonly names: 'sessions' | 'everybody';
}

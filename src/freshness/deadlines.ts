// When a session is over by the clock alone (design: hard expiry; security catalogue SESS-07). Pure: instants in, instants out.

import type { Clock } from '../base/clock.ts';
import type { EndReason } from '../base/events.ts';
import type { TokenSet } from '../base/tokens.ts';
import type { StoredSession } from '../session/session-record.ts';

export interface SessionLimits {
  readonly idleTimeoutMs: number;
  readonly absoluteTimeoutMs: number;
  /** Where browsers ask for sessions that nobody else can ask for: when they have to. */
  readonly recheck?: { readonly afterMs: number } | undefined;
}

/** Lifetimes of one set of tokens, measured once when it is first seen and from then on in store time: a wall clock that
 *  is set back or forward in between moves none of them. */
export interface TokenLives {
  readonly accessLifetimeMs: number;
  readonly accessEndsAt: number;
  readonly refreshLifetimeMs: number;
  /** Infinite where the provider does not say. */
  readonly refreshEndsAt: number;
}

/** The lives of `tokens`, whose instants are the wall clock's, in store time. */
export function measureTokens(tokens: TokenSet, clock: Clock, storeNow: number): TokenLives {
  const wallNow = clock.now();
  const accessLifetimeMs = Math.max(0, tokens.accessExpiresAt - wallNow);
  const accessEndsAt = storeNow + accessLifetimeMs;
  if (tokens.refreshToken === undefined) {
    // Nothing of ours can prove this session alive again: it lasts as long as the provider vouched for it, and no longer.
    return { accessLifetimeMs, accessEndsAt, refreshLifetimeMs: accessLifetimeMs, refreshEndsAt: accessEndsAt };
  }
  const refreshLifetimeMs = Math.max(0, (tokens.refreshExpiresAt ?? Number.POSITIVE_INFINITY) - wallNow);
  return { accessLifetimeMs, accessEndsAt, refreshLifetimeMs, refreshEndsAt: storeNow + refreshLifetimeMs };
}

export interface Deadline {
  readonly at: number;
  readonly reason: EndReason;
}

/** The earliest instant at which the session ends if nothing more happens. A bearer token is never idle: it just expires. */
export function nextDeadline(session: StoredSession, lives: TokenLives, limits: SessionLimits): Deadline {
  const { kind, beganAt, createdAt } = session.record;
  if (kind === 'bearer') {
    // From the earliest instant of its issue, because no end that it might be older than is remembered for longer.
    return { at: Math.min(beganAt + limits.absoluteTimeoutMs, lives.accessEndsAt), reason: 'absolute_timeout' };
  }
  const isRechecked = limits.recheck !== undefined && session.record.tokens.refreshToken === undefined;
  const deadlines: Deadline[] = [
    { at: createdAt + limits.absoluteTimeoutMs, reason: 'absolute_timeout' },
    { at: isRechecked ? Number.POSITIVE_INFINITY : lives.refreshEndsAt, reason: 'refresh_refused' },
    { at: session.lastSeenAt + limits.idleTimeoutMs, reason: 'idle_timeout' },
  ];
  return deadlines.reduce((first, deadline) => (deadline.at < first.at ? deadline : first));
}

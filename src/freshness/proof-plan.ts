// When a session has to be proven alive again, and how (design: asking Keycloak whether a session lives). Pure.

import { isProven, type StoredSession } from '../session/session-record.ts';
import type { TokenLives } from './deadlines.ts';

/** An access token is renewed this long before its end, or in its last third where it is shorter. */
const RENEWED_BEFORE_END_MS = 30_000;

/** Sessions in use are asked for at 70 to 95 % of the bound, so that those of one moment do not come back together. */
const EARLIEST_SHARE = 0.7;
const LATEST_SHARE = 0.95;

/** However short a token's life, a proof is good for a second: a provider is not asked for every request of a session. */
const SHORTEST_BOUND_MS = 1_000;

export interface ProofPlan {
  /** From here on the proof is too old for a request to go ahead without a new one. */
  readonly staleAt: number;
  /** From here on a session in use is proven again, ahead of need. */
  readonly dueAt: number;
  /** From here on a request sees to it that the session is proven again, or its access token renewed, for the next one. */
  readonly calmUntil: number;
  /** From here on a user's activity is used for a refresh: the tokens would not last until the proof after this one. */
  readonly refreshFrom: number;
}

/** Nothing of ours can prove a session without a refresh token again: it lasts until its deadline, and nobody looks before. */
const NEVER = Number.POSITIVE_INFINITY;
const NO_PROOF: ProofPlan = { staleAt: NEVER, dueAt: NEVER, calmUntil: NEVER, refreshFrom: NEVER };

export interface PlanOptions {
  readonly revalidateMs: number;
  /** Of sessions whose browsers are sent to the provider; undefined: none are. */
  readonly recheckAfterMs: number | undefined;
  /** In [0, 1). */
  readonly random: number;
}

/** What the age of the proof and of the tokens asks for. */
export function planProof(
  session: StoredSession,
  lives: TokenLives,
  { revalidateMs, recheckAfterMs, random }: PlanOptions,
): ProofPlan {
  if (session.record.tokens.refreshToken === undefined) {
    if (recheckAfterMs === undefined || session.record.kind === 'bearer') return NO_PROOF;
    // Twice as long, so that nobody who goes on opening pages loses what runs beside them.
    const overdueAt = session.record.provenAt + 2 * recheckAfterMs;
    return { ...NO_PROOF, dueAt: overdueAt, calmUntil: overdueAt };
  }
  const boundMs = Math.max(SHORTEST_BOUND_MS, Math.min(revalidateMs, lives.accessLifetimeMs));
  const { provenAt } = session.record;
  const renewAt = lives.accessEndsAt - Math.min(RENEWED_BEFORE_END_MS, lives.accessLifetimeMs / 3);
  const dueAt = provenAt + boundMs * (EARLIEST_SHARE + random * (LATEST_SHARE - EARLIEST_SHARE));
  return {
    staleAt: provenAt + boundMs,
    dueAt,
    calmUntil: Math.max(Math.min(dueAt, renewAt), provenAt + SHORTEST_BOUND_MS),
    // Half of the refresh token's life at latest: Keycloak gives it the idle time of the SSO session, and an access token
    // that outlives that would otherwise let an active user's SSO session run out.
    refreshFrom: Math.min(renewAt, lives.accessEndsAt - boundMs * LATEST_SHARE, halfLifeOfRefreshToken(lives)),
  };
}

/** Infinite where the provider does not say how long its refresh tokens live. */
function halfLifeOfRefreshToken({ refreshEndsAt, refreshLifetimeMs }: TokenLives): number {
  return refreshEndsAt === Number.POSITIVE_INFINITY ? refreshEndsAt : refreshEndsAt - refreshLifetimeMs / 2;
}

/** Who wants the proof: a request, which is a user's activity; the schedule, which is not; or somebody who has doubts. */
export type Asker = 'request' | 'schedule' | 'doubt';

/**
 * How a session is proven: by a refresh where its user is active and the tokens are due, else by a probe, which keeps no
 * SSO session alive that nobody uses. Where no probe proved right at sign-in, always by a refresh.
 */
export function chooseProof(
  session: StoredSession,
  plan: ProofPlan,
  at: { now: number; asker: Asker },
): 'refresh' | 'probe' {
  if (session.record.probe === 'refresh') return 'refresh';
  // A session that was read back may have used up the refresh token that it was saved with.
  if (at.asker === 'doubt' || !isProven(session.record)) return 'probe';
  const isActive = at.asker === 'request' || session.lastSeenAt >= session.record.provenAt;
  return isActive && at.now >= plan.refreshFrom ? 'refresh' : 'probe';
}

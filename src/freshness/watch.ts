// What freshness keeps of one session between two looks at it.

import type { Clock, Timer } from '../base/clock.ts';
import type { TokenSet } from '../base/tokens.ts';
import type { SessionRecord, StoredSession } from '../session/session-record.ts';
import { type Deadline, measureTokens, nextDeadline, type SessionLimits, type TokenLives } from './deadlines.ts';
import { type ProofPlan, planProof } from './proof-plan.ts';

export interface TimeLimits extends SessionLimits {
  /** Upper bound of the age of a proof; the access token's lifetime where that is shorter. */
  readonly revalidateMs: number;
}

/** The limits in force, the same object for every session: a reload changes its values. */
export interface WatchLimits {
  limits: TimeLimits;
  readonly random: () => number;
}

/** A proof that is being asked for. */
export interface Flight {
  readonly landed: Promise<void>;
  /** When the first request began to wait for it. */
  waitedSince: number | undefined;
}

/** One session's instants, all in store time, and the one proof and the one timer that it may have under way. */
export class Watch {
  readonly session: StoredSession;
  /** The record that everything below was worked out from. */
  record: SessionRecord;
  lives: TokenLives;
  plan: ProofPlan;
  /** Until then a request needs nothing but a look at the clock. */
  calmUntil = 0;
  flight: Flight | undefined;
  /** When a request last asked for a proof: use of the session, like activity. */
  askedAt = 0;
  /** Only a proof asked for after this counts: somebody has reason to doubt the session. */
  suspectSince = 0;
  /** After a failure the provider is not asked for this session before then. */
  retryAt = 0;
  /** Tokens that were sent for a refresh to which no answer came. */
  unansweredTokens: TokenSet | undefined;
  timer: Timer | undefined;
  timerAt = Number.POSITIVE_INFINITY;
  readonly #limits: WatchLimits;

  constructor(session: StoredSession, limits: WatchLimits, now: { clock: Clock; storeNow: number }) {
    this.session = session;
    this.#limits = limits;
    this.record = session.record;
    this.lives = measureTokens(session.record.tokens, now.clock, now.storeNow);
    this.plan = this.#plan();
    this.#calm();
  }

  /** Takes over what has changed: new tokens are measured, the next proof is planned from a new one. */
  follow(clock: Clock, storeNow: number): void {
    const { record } = this.session;
    if (this.record.tokens !== record.tokens) {
      this.lives = measureTokens(record.tokens, clock, storeNow);
      this.unansweredTokens = undefined;
    }
    if (this.record !== record) {
      this.record = record;
      this.plan = this.#plan();
    }
    this.#calm();
  }

  /** The limits have changed. */
  replan(): void {
    this.plan = this.#plan();
    this.#calm();
  }

  deadline(): Deadline {
    return nextDeadline(this.session, this.lives, this.#limits.limits);
  }

  #plan(): ProofPlan {
    const { limits, random } = this.#limits;
    const { revalidateMs, recheck } = limits;
    return planProof(this.session, this.lives, { revalidateMs, recheckAfterMs: recheck?.afterMs, random: random() });
  }

  #calm(): void {
    this.calmUntil = Math.min(this.plan.calmUntil, this.deadline().at);
  }
}

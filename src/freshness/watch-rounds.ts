// What happens to a session without anybody asking (design: idle and absolute timeouts end live connections too;
// revalidation of sessions in use). One timer per session, moved only when it would come too late.

import type { Timers } from '../base/clock.ts';
import type { Emit, EndReason } from '../base/events.ts';
import { errorCode } from '../base/gateway-error.ts';
import type { SessionHandle } from '../base/ids.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { EndSessions } from '../logout/end-sessions.ts';
import { isProven, type StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { ProofFlights } from './proof-flights.ts';
import { ProofSchedule } from './proof-schedule.ts';
import type { Flight, Watch } from './watch.ts';

/** A session that could not be ended, because the store failed, is looked at again after this. */
const LOOK_AGAIN_MS = 5_000;

/** While the provider is down connections are let through that must be looked at again when it is back. */
const OVERDUE_AGAIN_MS = 15_000;

export interface WatchRoundsOptions {
  readonly store: SessionStore;
  readonly endSessions: EndSessions;
  readonly timers: Timers;
  readonly emit: Emit;
  readonly isLive: (handle: SessionHandle) => boolean;
  readonly idleTimeoutMs: () => number;
  readonly flights: ProofFlights;
  /** Told, again and again, of a session in use that its browser should have been at the provider for, and was not. */
  readonly onOverdue?: ((session: StoredSession) => void) | undefined;
  /** Called when a look finds that the session has ended. */
  readonly onEnded: (session: StoredSession) => void;
}

/** Looks at each session when it has to be: at its next deadline, or when a session in use is due for a proof. */
export class WatchRounds {
  readonly #options: WatchRoundsOptions;
  readonly #schedule: ProofSchedule;

  constructor(options: WatchRoundsOptions) {
    this.#options = options;
    this.#schedule = new ProofSchedule({
      isDue: (watch) => this.#isDue(watch),
      start: (watch) => this.#startScheduled(watch),
    });
  }

  /** Sees to it that the next look does not come too late; call it after every change. */
  arm(watch: Watch): void {
    if (watch.session.ended) this.#options.onEnded(watch.session);
    else this.#armAt(watch, this.#nextLookAt(watch));
  }

  /** Has the session proven anew by the schedule, in use or not. */
  demandProof(watch: Watch): void {
    watch.suspectSince = this.#now();
    this.#proveIfDue(watch);
  }

  drop(watch: Watch): void {
    watch.timer?.cancel();
    watch.timer = undefined;
    this.#schedule.delete(watch);
  }

  /** Ends the session if a deadline has passed; before it ends as idle, the store is asked what others have seen. */
  endIfOver(watch: Watch): MaybePromise<boolean> {
    const { at, reason } = watch.deadline();
    if (this.#now() < at) return false;
    if (reason !== 'idle_timeout') return this.#end(watch.session, reason);
    const seen = this.#options.store.lastSeenAt(watch.session);
    const decide = (lastSeenAt: number): MaybePromise<boolean> =>
      this.#now() >= lastSeenAt + this.#options.idleTimeoutMs() && this.#end(watch.session, reason);
    return seen instanceof Promise ? seen.then(decide) : decide(seen);
  }

  #end(session: StoredSession, reason: EndReason): MaybePromise<true> {
    const { kind, handle } = session.record;
    const ended = this.#options.endSessions({ by: kind === 'bearer' ? 'expired' : 'handle', handle }, { reason });
    return ended instanceof Promise ? ended.then(() => true as const) : true;
  }

  #armAt(watch: Watch, at: number): void {
    if (watch.timer !== undefined && watch.timerAt <= at) return;
    watch.timer?.cancel();
    watch.timerAt = at;
    watch.timer = this.#options.timers.after(at - this.#now(), () => this.#look(watch));
  }

  #nextLookAt(watch: Watch): number {
    const now = this.#now();
    const deadlineAt = watch.deadline().at;
    const isWaiting = watch.flight === undefined && !this.#schedule.has(watch) && this.#isDue(watch);
    if (isWaiting) return Math.min(deadlineAt, Math.max(now, watch.retryAt));
    if (this.#isOverdue(watch))
      return this.#isInUse(watch, now) ? Math.min(deadlineAt, now + OVERDUE_AGAIN_MS) : deadlineAt;
    // A session that nobody uses waits for its deadline, or for the request that makes it one in use again.
    return now < watch.plan.dueAt ? Math.min(deadlineAt, watch.plan.dueAt) : deadlineAt;
  }

  #look(watch: Watch): void {
    watch.timer = undefined;
    if (watch.session.ended) {
      this.#options.onEnded(watch.session);
      return;
    }
    const failed = (error: unknown): void => this.#lookAgain(watch, error);
    try {
      const over = this.endIfOver(watch);
      if (over instanceof Promise) over.then((ended) => ended || this.#proveIfDue(watch)).catch(failed);
      else if (!over) this.#proveIfDue(watch);
    } catch (error) {
      failed(error);
    }
  }

  #isOverdue({ session, plan }: Watch): boolean {
    return session.record.tokens.refreshToken === undefined && this.#now() >= plan.dueAt;
  }

  /** It has connections, or is just getting one. */
  #isInUse({ session, askedAt }: Watch, now: number): boolean {
    return this.#options.isLive(session.record.handle) || now - askedAt < OVERDUE_AGAIN_MS;
  }

  #proveIfDue(watch: Watch): void {
    if (this.#isOverdue(watch)) this.#options.onOverdue?.(watch.session);
    if (this.#isDue(watch)) this.#schedule.add(watch);
    this.arm(watch);
  }

  #startScheduled(watch: Watch): Flight | undefined {
    const asker = watch.session.record.provenAt < watch.suspectSince ? 'doubt' : 'schedule';
    const flight = this.#options.flights.start(watch, asker);
    if (flight === undefined) this.arm(watch);
    return flight;
  }

  /** Due are sessions in use, by live connections or activity since the last proof, and those under suspicion. */
  #isDue(watch: Watch): boolean {
    const { session, plan } = watch;
    if (session.ended || session.record.tokens.refreshToken === undefined) return false;
    const { provenAt, handle } = session.record;
    if (provenAt < watch.suspectSince) return true;
    if (this.#now() < plan.dueAt) return false;
    // One that was read back waits for its user: nobody asks for all of them at once.
    if (!isProven(session.record)) return watch.askedAt > 0;
    return Math.max(session.lastSeenAt, watch.askedAt) >= provenAt || this.#options.isLive(handle);
  }

  #lookAgain(watch: Watch, error: unknown): void {
    this.#options.emit({ event: 'store.failed', operation: 'end', why: errorCode(error) });
    this.#armAt(watch, this.#now() + LOOK_AGAIN_MS);
  }

  #now(): number {
    return this.#options.store.estimateNow();
  }
}

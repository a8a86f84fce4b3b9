// Keeps sessions true (design: never only a hint; asking Keycloak whether a session lives). For each request: is the last
// proof young enough? For each session in use: a new proof in time. For every session: its deadlines, by our own clock.

import { GatewayError } from '../base/gateway-error.ts';
import type { SessionHandle } from '../base/ids.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { isProven, type StoredSession } from '../session/session-record.ts';
import { ProofFlights } from './proof-flights.ts';
import { createProveSession, type ProveSessionOptions } from './prove-session.ts';
import { ProviderTurns } from './provider-turns.ts';
import { Suspicions } from './suspicions.ts';
import { type Flight, type TimeLimits, Watch, type WatchLimits } from './watch.ts';
import { WatchRounds } from './watch-rounds.ts';

/** A request waits so long for a proof; then it goes ahead as with a provider that is down. Users notice more. */
const LONGEST_WAIT_MS = 3_000;

export interface Freshness {
  /**
   * Whether a request of this session may go ahead: a plain 'fresh' nearly always. A promise where the last proof is older
   * than the bound or the access token has expired: all requests of the session wait for the same one answer, at most 3 s.
   * A provider that does not answer ends nobody before the hard expiry.
   * @throws GatewayError `session_unproven` (503), also as a rejection, where the session was read back from a file and the
   *   provider has not been heard on it since: fails closed.
   */
  ensure(session: StoredSession): MaybePromise<'fresh' | 'ended'>;
  /** The user's activity: a request, a data frame from the client, a running transfer that is not an event stream. */
  active(session: StoredSession): void;
  /** Begins the deadlines and the proofs of a session; once is enough, again does no harm. */
  watch(session: StoredSession): void;
  /** Has every session of this user proven 5 and 30 s from now: a notice named one, and may have stood for others too. */
  suspectSiblings(issuer: string, sub: string): void;
  /** Has this session proven 5, 30 and 120 s from now: it was signed in on a sid that had ended a moment before. */
  suspect(session: StoredSession): void;
  /** Other limits from now on, for the sessions that are there too. */
  relimit(limits: TimeLimits): void;
  /** Drops what is kept of a session that has ended. */
  forget(session: StoredSession): void;
  /** Resolves when the proofs that are under way now are in. */
  landed(): Promise<void>;
  /** Whether a proof is under way, of whatever session; also after `stop`. */
  isAsking(): boolean;
  stop(): void;
}

export interface FreshnessOptions extends ProveSessionOptions, TimeLimits {
  /** Whether the session has live connections. */
  readonly isLive: (handle: SessionHandle) => boolean;
  /** Told, again and again, of a session in use that its browser should have been at the provider for, and was not. */
  readonly onOverdue?: ((session: StoredSession) => void) | undefined;
  /** In [0, 1), for the spread of the schedule. */
  readonly random?: () => number;
}

/** Builds the room's one object; it asks nobody anything before the first session. */
export function createFreshness(options: FreshnessOptions): Freshness {
  return new FreshSessions(options);
}

class FreshSessions implements Freshness {
  readonly #options: FreshnessOptions;
  readonly #limits: WatchLimits;
  readonly #flights: ProofFlights;
  readonly #rounds: WatchRounds;
  readonly #suspicions: Suspicions;
  readonly #watches = new Map<SessionHandle, Watch>();
  #stopped = false;

  constructor(options: FreshnessOptions) {
    const random = options.random ?? Math.random;
    this.#options = options;
    this.#limits = { limits: options, random };
    this.#flights = new ProofFlights({
      prove: createProveSession(options),
      turns: new ProviderTurns(options.clock),
      clock: options.clock,
      now: () => options.store.estimateNow(),
      random,
      emit: options.emit,
      onLanded: (watch) => this.#arm(watch),
    });
    this.#rounds = new WatchRounds({
      ...options,
      idleTimeoutMs: () => this.#limits.limits.idleTimeoutMs,
      flights: this.#flights,
      onEnded: (session) => this.forget(session),
    });
    this.#suspicions = new Suspicions({ ...options, demandProof: (session) => this.#demandProof(session) });
  }

  ensure(session: StoredSession): MaybePromise<'fresh' | 'ended'> {
    if (session.ended) return 'ended';
    const watch = this.#watches.get(session.record.handle);
    if (watch?.record === session.record && this.#options.store.estimateNow() < watch.calmUntil) return 'fresh';
    return this.#consider(this.#watched(session));
  }

  active(session: StoredSession): void {
    this.#options.store.touch(session);
  }

  watch(session: StoredSession): void {
    if (!session.ended) this.#watched(session);
  }

  suspectSiblings(issuer: string, sub: string): void {
    this.#suspicions.ofSiblings(issuer, sub);
  }

  suspect(session: StoredSession): void {
    this.#suspicions.ofReborn(session);
  }

  relimit(limits: TimeLimits): void {
    this.#limits.limits = limits;
    for (const watch of this.#watches.values()) {
      watch.replan();
      this.#arm(watch);
    }
  }

  forget(session: StoredSession): void {
    const { handle } = session.record;
    const watch = this.#watches.get(handle);
    if (watch?.session !== session) return;
    this.#rounds.drop(watch);
    this.#watches.delete(handle);
  }

  async landed(): Promise<void> {
    await Promise.all(Array.from(this.#watches.values(), ({ flight }) => flight?.landed));
  }

  isAsking(): boolean {
    return this.#flights.underWay > 0;
  }

  stop(): void {
    this.#stopped = true;
    this.#suspicions.stop();
    for (const watch of this.#watches.values()) this.forget(watch.session);
  }

  /** The session's watch, in step with its record and with a timer that comes in time. */
  #watched(session: StoredSession): Watch {
    const { handle } = session.record;
    const { clock, store } = this.#options;
    let watch = this.#watches.get(handle);
    if (watch?.session === session) watch.follow(clock, store.estimateNow());
    else {
      watch = new Watch(session, this.#limits, { clock, storeNow: store.estimateNow() });
      this.#watches.set(handle, watch);
    }
    this.#arm(watch);
    return watch;
  }

  #arm(watch: Watch): void {
    if (!this.#stopped) this.#rounds.arm(watch);
  }

  #demandProof(session: StoredSession): void {
    if (!session.ended) this.#rounds.demandProof(this.#watched(session));
  }

  #consider(watch: Watch): MaybePromise<'fresh' | 'ended'> {
    const over = this.#rounds.endIfOver(watch);
    if (over instanceof Promise) return over.then((ended) => (ended ? 'ended' : this.#considerProof(watch)));
    return over ? 'ended' : this.#considerProof(watch);
  }

  #considerProof(watch: Watch): MaybePromise<'fresh' | 'ended'> {
    const now = this.#options.store.estimateNow();
    if (now < watch.calmUntil) return 'fresh';
    watch.askedAt = now;
    const flight = this.#flights.start(watch, 'request');
    if (flight === undefined) this.#arm(watch);
    if (!isProven(watch.session.record)) return this.#firstProof(watch, flight);
    if (flight === undefined) return 'fresh';
    const isNeeded = now >= Math.min(watch.plan.staleAt, watch.lives.accessEndsAt);
    if (!isNeeded) return 'fresh';
    flight.waitedSince ??= now;
    const waitMs = flight.waitedSince + LONGEST_WAIT_MS - now;
    if (waitMs <= 0) return 'fresh';
    return this.#atMost(waitMs, flight.landed).then(() => (watch.session.ended ? 'ended' : 'fresh'));
  }

  /** The file that a session was read back from may be older than its end. */
  async #firstProof({ session }: Watch, flight: Flight | undefined): Promise<'fresh' | 'ended'> {
    if (flight !== undefined) await this.#atMost(LONGEST_WAIT_MS, flight.landed);
    if (session.ended) return 'ended';
    if (isProven(session.record)) return this.ensure(session);
    const message =
      'the session was read back from session.memory.file, and the provider does not say whether it lives';
    throw new GatewayError('session_unproven', { status: 503, message });
  }

  #atMost(waitMs: number, landed: Promise<void>): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.timers.after(waitMs, resolve);
      void landed.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

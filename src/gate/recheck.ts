// Sessions for which the provider gave no refresh token: nobody can ask it for them but their user's browser, by a sign-in
// that shows nothing (OpenID Connect Core section 3.1.2.1, `prompt=none`). When it has to, and what need not wait for that.

import { compileExemptPaths } from '../access/exempt-paths.ts';
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { GateRoute } from './gate-route.ts';

export interface Recheck {
  /** Whether the provider's last word on the session is too old. Never true of sessions that can be asked for otherwise. */
  isDue(session: StoredSession): boolean;
  /** Whether what goes to `target` waits for no answer. */
  isExempt(target: string, route: GateRoute): boolean;
  /**
   * Whether a request has to wait until the browser has been at the provider: a plain value nearly always. False while the
   * provider cannot be reached from here: it ends nobody by being down. What a browser says of that counts for nothing.
   * A user who logs out at the application does so at once: back from the provider it would not be their own wish.
   */
  demands(session: StoredSession, facts: RecheckFacts, route: GateRoute): MaybePromise<boolean>;
}

export interface RecheckFacts {
  readonly target: string;
  readonly websocket: boolean;
  isOwnWish(): boolean;
}

export interface RecheckOptions {
  readonly afterMs: number;
  readonly exemptPaths: readonly string[];
  readonly store: Pick<SessionStore, 'estimateNow'>;
  readonly canAsk: CanAsk;
  /** Whether the target is the logout of the route's application, and nothing else by any way to read it. */
  readonly isLogout: (target: string, route: GateRoute) => boolean;
}

export function createRecheck({ afterMs, exemptPaths, store, canAsk, isLogout }: RecheckOptions): Recheck {
  const isExempt = compileExemptPaths(exemptPaths);
  const isDue = ({ record }: StoredSession): boolean =>
    record.kind === 'sign_in' &&
    record.tokens.refreshToken === undefined &&
    store.estimateNow() - record.provenAt >= afterMs;
  return {
    isDue,
    isExempt,
    demands(session, facts, route) {
      if (!isDue(session) || isExempt(facts.target, route)) return false;
      const isLeaving = !facts.websocket && isLogout(facts.target, route) && facts.isOwnWish();
      return isLeaving ? false : canAsk(session);
    },
  };
}

/** Whether the provider can be reached, for the sake of this session. Never rejects. */
export type CanAsk = (session: StoredSession) => MaybePromise<boolean>;

/** So long an answer is believed; with sessions that can be refreshed it is the time between two tries. */
const BELIEVED_MS = 5_000;

/** Asks at most once in five seconds, whoever wants to know. */
export function createCanAsk(options: {
  readonly clock: Clock;
  readonly emit: Emit;
  /** Never rejects. */
  readonly isReachable: () => Promise<boolean>;
}): CanAsk {
  let answer = true;
  let believedUntilMs = Number.NEGATIVE_INFINITY;
  let asking: Promise<boolean> | undefined;

  async function ask(session: StoredSession): Promise<boolean> {
    answer = await options.isReachable();
    believedUntilMs = options.clock.monotonicMs() + BELIEVED_MS;
    asking = undefined;
    if (!answer) {
      const { handle } = session.record;
      options.emit({ event: 'probe.unavailable', session: handle, code: 'provider_unavailable' });
    }
    return answer;
  }

  return (session) => {
    if (options.clock.monotonicMs() < believedUntilMs) return answer;
    asking ??= ask(session);
    return asking;
  };
}

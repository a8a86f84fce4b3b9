// One proof that a session still lives at the provider, by refresh or by probe, and what follows from the answer (design:
// asking Keycloak whether a session lives; a notice while we wait for Keycloak). Nothing here holds a lock: a mark that is
// made while we wait wins, because the store refuses what a session that has ended would be updated with.

import type { Clock, Timers } from '../base/clock.ts';
import type { Emit, EndReason } from '../base/events.ts';
import { errorCode } from '../base/gateway-error.ts';
import type { Claims, TokenSet } from '../base/tokens.ts';
import type { EndCause } from '../logout/end-cause.ts';
import type { EndSessions } from '../logout/end-sessions.ts';
import { honourNotBefore } from '../logout/honour-not-before.ts';
import type { Refreshable, Refreshed } from '../oidc/refresh-tokens.ts';
import { userName } from '../session/new-session-record.ts';
import { isProven, type SessionRecord, type StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';
import type { Proof } from './proof.ts';
import { followClaim, untilStored } from './shared-refresh.ts';

export interface ProveSessionOptions {
  /** @throws GatewayError `refresh_refused` (terminal); any other error means that the provider did not answer. */
  readonly refreshTokens: (session: Refreshable) => Promise<Refreshed>;
  /** Any error means that the provider did not answer. */
  readonly probeSession: (refreshToken: string) => Promise<'alive' | 'ended'>;
  readonly store: SessionStore;
  readonly endSessions: EndSessions;
  readonly emit: Emit;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Told when a refresh has given the session new claims, which may allow less than the old ones. */
  readonly onRenewed?: (session: StoredSession) => void;
}

/**
 * Asks the provider once, and stores or ends. Rejects only where the store fails. The tokens of a refresh that came too
 * late, for a session that has ended or was signed in anew meanwhile, are forgotten and not revoked: at Keycloak a
 * revocation would take the whole client session, and with it the notices for the new sign-in.
 */
export type ProveSession = (session: StoredSession, how: 'refresh' | 'probe') => Promise<Proof>;

export function createProveSession(options: ProveSessionOptions): ProveSession {
  const { store, emit, clock } = options;

  async function refresh(session: StoredSession): Promise<Proof> {
    if (store.claimRefresh !== undefined) {
      const claim = await store.claimRefresh(session);
      const known = await followClaim(session, claim, { store, clock, probe, end: endUnlessReplaced });
      if (known !== 'ours') return known;
    }
    const { record } = session;
    const askedAt = store.estimateNow();
    let refreshed: Refreshed;
    try {
      refreshed = await options.refreshTokens(record);
    } catch (error) {
      const code = errorCode(error);
      const outcome = code === 'refresh_refused' ? 'refused' : 'unavailable';
      emit({ event: 'refresh.finished', outcome, code, session: record.handle });
      if (outcome === 'unavailable') {
        await store.releaseRefresh?.(session);
        return 'unanswered';
      }
      return endUnlessReplaced(session, record.tokens, foundOut(session, 'refresh_refused'));
    }
    emit({ event: 'refresh.finished', outcome: 'refreshed', code: undefined, session: record.handle });
    const proof = await untilStored(options, () =>
      save(session, record.tokens, (current) => renewed(current, refreshed, askedAt)),
    );
    if (proof === 'proven') {
      if (refreshed.notBeforeSeconds !== undefined) {
        await honourNotBefore(options.endSessions, session, refreshed.notBeforeSeconds);
        if (session.ended) return 'ended';
      }
      const { user, sub, sid, handle } = session.record;
      emit({ event: 'session.refreshed', user, sub, sid, session: handle });
      options.onRenewed?.(session);
    }
    return proof;
  }

  async function probe(session: StoredSession): Promise<Proof> {
    const { tokens, handle } = session.record;
    const askedAt = store.estimateNow();
    let answer: 'alive' | 'ended';
    try {
      answer = await options.probeSession(tokens.refreshToken ?? '');
    } catch (error) {
      emit({ event: 'probe.unavailable', session: handle, code: errorCode(error) });
      return 'unavailable';
    }
    if (answer === 'ended') return endUnlessReplaced(session, tokens, foundOut(session, 'revalidation'));
    return save(session, tokens, (current) => ({ ...current, provenAt: askedAt, version: current.version + 1 }));
  }

  /** Writes what the provider's answer about `asked` means, unless these are no longer the session's tokens. */
  async function save(
    session: StoredSession,
    asked: TokenSet,
    next: (current: SessionRecord) => SessionRecord,
  ): Promise<Proof> {
    for (;;) {
      // A sign-in took the session over while we waited; it brought newer tokens, and is a proof itself.
      if (session.record.tokens !== asked) return 'proven';
      const outcome = await store.update(session, next(session.record));
      if (outcome === 'updated') return 'proven';
      if (outcome === 'ended') return endUnlessReplaced(session, asked, { reason: 'revalidation' });
    }
  }

  async function endUnlessReplaced(session: StoredSession, asked: TokenSet, cause: EndCause): Promise<Proof> {
    if (session.ended) return 'ended';
    if (session.record.tokens !== asked) return 'proven';
    await options.endSessions({ by: 'handle', handle: session.record.handle }, cause);
    return 'ended';
  }

  return (session, how) => (how === 'refresh' ? refresh(session) : probe(session));
}

/** What a notice should have told; while a gate is being restarted it can hear none. */
function foundOut({ record }: StoredSession, reason: EndReason): EndCause {
  return isProven(record) ? { reason, missed: true } : { reason };
}

function renewed(
  current: SessionRecord,
  { tokens, claims }: { tokens: TokenSet; claims: Claims },
  at: number,
): SessionRecord {
  const user = userName(claims, current.sub);
  return { ...current, tokens, claims, user, provenAt: at, version: current.version + 1 };
}

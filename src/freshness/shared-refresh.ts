// A refresh where other processes may refresh the same session (design: decided cases, refresh crash).

import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { errorCode } from '../base/gateway-error.ts';
import type { TokenSet } from '../base/tokens.ts';
import type { EndCause } from '../logout/end-cause.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { RefreshClaim, SessionStore } from '../session/session-store.ts';
import type { Proof } from './proof.ts';

/** Between two tries to write tokens into a store that is down. */
const STORE_AGAIN_MS = 1_000;

export interface ClaimParts {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly probe: (session: StoredSession) => Promise<Proof>;
  /** Ends the session unless these are its tokens no more. */
  readonly end: (session: StoredSession, asked: TokenSet, cause: EndCause) => Promise<Proof>;
}

/** 'ours' where this process is to send the session's refresh token; otherwise what is known without. */
export async function followClaim(
  session: StoredSession,
  claim: RefreshClaim,
  { store, clock, probe, end }: ClaimParts,
): Promise<Proof | 'ours'> {
  const { tokens } = session.record;
  switch (claim) {
    case 'ours':
      return 'ours';
    case 'ended':
      return 'ended';
    case 'changed':
      return 'proven';
    case 'lost':
      // It may be used up, and where tokens rotate, sending it again would void the whole grant. So the session lives
      // to the end of its access token, and its user goes to the provider with the next navigation.
      if (clock.now() < tokens.accessExpiresAt) return 'unavailable';
      return end(session, tokens, { reason: 'refresh_refused' });
    case 'doubtful': {
      const proof = session.record.probe === 'introspect' ? await probe(session) : 'proven';
      if (proof === 'proven') return session.record.tokens === tokens ? 'ours' : 'proven';
      if (proof === 'unavailable') await store.releaseRefresh?.(session);
      return proof;
    }
  }
}

/** Tokens that nobody else has are not given up because the store fails: the next refresh would be one with a used token. */
export async function untilStored(
  { timers, emit }: { timers: Timers; emit: Emit },
  store: () => Promise<Proof>,
): Promise<Proof> {
  for (;;) {
    try {
      return await store();
    } catch (error) {
      const code = errorCode(error);
      if (code !== 'store_unavailable') throw error;
      emit({ event: 'store.failed', operation: 'update', why: code });
      await new Promise<void>((resolve) => timers.after(STORE_AGAIN_MS, resolve));
    }
  }
}

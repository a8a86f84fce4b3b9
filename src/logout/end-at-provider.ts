// The provider's part of an end that began here: the refresh token revoked (RFC 7009), or the SSO session ended.

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { errorCode, GatewayError } from '../base/gateway-error.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { EndCause } from './end-cause.ts';
import type { FollowUp } from './follow-up.ts';
import { inTurns } from './in-turns.ts';
import type { Pauses } from './pauses.ts';

export interface EndAtProviderOptions {
  /** Revokes one refresh token; rejects where that did not work. */
  readonly revokeToken: (refreshToken: string) => Promise<void>;
  /**
   * Ends the session that one refresh token belongs to. `revoked`: the provider does not know how; its token is void.
   * @throws GatewayError `provider_unavailable`, after which it is asked again; every other failure is final.
   */
  readonly endSession: (refreshToken: string) => Promise<'ended' | 'revoked'>;
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly emit: Emit;
}

/** An operator may end a hundred thousand sessions at once; the provider shall not feel it as a flood. */
const IN_FLIGHT = 8;
/** Between attempts to end a session: a provider that restarts is back within them. */
const PAUSES_MS = [2_000, 10_000, 60_000, 180_000];
/** No second attempt later than this: the queue behind a provider that is down must come to an end. */
const LONGEST_MS = 300_000;

/** Builds the follow-up. Each failure is an event and nothing more: the local end holds. */
export function createEndAtProvider(options: EndAtProviderOptions): FollowUp {
  return async (sessions, { atProvider }) => {
    if (atProvider === undefined) return;
    const until = options.clock.monotonicMs() + LONGEST_MS;
    await inTurns(sessions, IN_FLIGHT, (session) => endOne(options, session, { atProvider, until }));
  };
}

async function endOne(
  options: EndAtProviderOptions,
  { record: { handle, tokens, kind } }: StoredSession,
  { atProvider, until }: { atProvider: NonNullable<EndCause['atProvider']>; until: number },
): Promise<void> {
  // A program's token has no session of its own to end at the provider.
  if (kind === 'bearer') return;
  const { refreshToken } = tokens;
  const warn: Warn = (code, message) => options.emit({ event: 'gate.warning', code, message });
  if (atProvider === 'end_session') return endSession(options, { handle, refreshToken, until }, warn);
  if (refreshToken === undefined) return;
  try {
    await options.revokeToken(refreshToken);
  } catch (error) {
    warn('revocation_failed', `The refresh token of session ${handle} was not revoked: ${whyOf(error)}`);
  }
}

type Warn = (code: string, message: string) => void;

interface EndableSession {
  readonly handle: string;
  readonly refreshToken: string | undefined;
  /** Monotonic milliseconds. */
  readonly until: number;
}

/**
 * Asks until the provider answers, in growing pauses; a refusal is an answer. A token that is only to be revoked is not worth that: the provider
 * forgets it by itself. A session that somebody wished to end is.
 */
async function endSession(
  { endSession: ask, clock, pauses }: EndAtProviderOptions,
  { handle, refreshToken, until }: EndableSession,
  warn: Warn,
): Promise<void> {
  if (refreshToken === undefined) {
    return warn(
      'sso_not_ended',
      `Session ${handle} has no refresh token to end it by; the user may still be signed in.`,
    );
  }
  if (pauses.isStopped || clock.monotonicMs() > until) {
    return warn('sso_not_ended', `Session ${handle} was not ended at the provider: its turn came too late.`);
  }
  for (let attempt = 0; ; attempt++) {
    try {
      const outcome = await ask(refreshToken);
      const cannot = `The provider cannot end a session by its refresh token: that of session ${handle} was revoked, and the user may still be signed in there.`;
      if (outcome === 'revoked') warn('sso_not_ended', cannot);
      else if (attempt > 0) warn('sso_ended_late', `Session ${handle} was ended at the provider after all.`);
      return;
    } catch (error) {
      const pauseMs = PAUSES_MS[attempt];
      const mayComeBack = errorCode(error) === 'provider_unavailable';
      const isLast = !mayComeBack || pauseMs === undefined || pauses.isStopped || clock.monotonicMs() + pauseMs > until;
      const next = isLast
        ? 'It is not tried again; the user may still be signed in there.'
        : 'It is tried again for some minutes.';
      if (attempt === 0 || isLast) {
        warn('sso_not_ended', `Session ${handle} was not ended at the provider: ${whyOf(error)}. ${next}`);
      }
      if (isLast) return;
      await pauses.pause(pauseMs);
    }
  }
}

function whyOf(error: unknown): string {
  return error instanceof GatewayError ? error.message : 'internal_error';
}

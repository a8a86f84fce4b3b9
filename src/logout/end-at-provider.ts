// The provider's part of an end that began here: the refresh token revoked (RFC 7009), or the SSO session ended.

import type { Emit } from '../base/events.ts';
import { GatewayError } from '../base/gateway-error.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { EndCause } from './end-cause.ts';
import type { FollowUp } from './follow-up.ts';

export interface EndAtProviderOptions {
  /** Revokes one refresh token; rejects where that did not work. */
  readonly revokeToken: (refreshToken: string) => Promise<void>;
  /** Ends the session that one refresh token belongs to. `revoked`: the provider does not know how; its token is void. */
  readonly endSession: (refreshToken: string) => Promise<'ended' | 'revoked'>;
  readonly emit: Emit;
}

/** An operator may end a hundred thousand sessions at once; the provider shall not feel it as a flood. */
const IN_FLIGHT = 8;

/** Builds the follow-up. Each failure is an event and nothing more: the local end holds. */
export function createEndAtProvider(options: EndAtProviderOptions): FollowUp {
  return async (sessions, { atProvider }) => {
    if (atProvider === undefined) return;
    const waiting = sessions.values();
    async function endInTurn(): Promise<void> {
      for (const session of waiting) await endOne(options, session, atProvider!);
    }
    await Promise.all(Array.from({ length: IN_FLIGHT }, endInTurn));
  };
}

async function endOne(
  { revokeToken, endSession, emit }: EndAtProviderOptions,
  { record: { handle, tokens } }: StoredSession,
  atProvider: NonNullable<EndCause['atProvider']>,
): Promise<void> {
  const { refreshToken } = tokens;
  const warn = (code: string, message: string) => emit({ event: 'gate.warning', code, message });
  try {
    if (atProvider === 'revoke_token') {
      if (refreshToken !== undefined) await revokeToken(refreshToken);
    } else if (refreshToken === undefined) {
      warn('sso_not_ended', `Session ${handle} has no refresh token to end it by; the user may still be signed in.`);
    } else if ((await endSession(refreshToken)) === 'revoked') {
      const message = `The provider cannot end a session by its refresh token: that of session ${handle} was revoked, and the user may still be signed in there.`;
      warn('sso_not_ended', message);
    }
  } catch (error) {
    const why = error instanceof GatewayError ? error.message : 'internal_error';
    if (atProvider === 'revoke_token') {
      warn('revocation_failed', `The refresh token of session ${handle} was not revoked: ${why}`);
    } else warn('sso_not_ended', `Session ${handle} was not ended at the provider: ${why}`);
  }
}

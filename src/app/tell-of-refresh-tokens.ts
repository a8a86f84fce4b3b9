// Whether the provider gives refresh tokens shows at a sign-in only, and decides how long sessions last: it is told once.

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { StoredSession } from '../session/session-record.ts';

export interface RefreshTokenTelling {
  readonly clock: Clock;
  readonly emit: Emit;
  /** `session.recheck` is on. */
  readonly isRechecked: () => boolean;
}

/** For each session that was signed in: warns, once each, where `session.recheck` would help and where it does nothing. */
export function tellOfRefreshTokens({
  clock,
  emit,
  isRechecked,
}: RefreshTokenTelling): (session: StoredSession) => void {
  const told = new Set<string>();
  return ({ record: { tokens } }) => {
    const isMissing = tokens.refreshToken === undefined;
    if (isMissing !== isRechecked()) {
      const code = isMissing ? 'no_refresh_token' : 'recheck_without_use';
      if (told.has(code)) return;
      told.add(code);
      const seconds = Math.max(0, Math.round((tokens.accessExpiresAt - clock.now()) / 1_000));
      const message = isMissing
        ? `The provider gave no refresh token: sessions end with their access token, after ${seconds} seconds. session.recheck lets them go on, by asking it through the browser; or have it give refresh tokens (a setting of the client, or the scope offline_access).`
        : 'The provider gives refresh tokens, and sessions are asked for by them: session.recheck does nothing.';
      emit({ event: 'gate.warning', code, message });
    }
  };
}

// Revocation of the refresh tokens of sessions that ended here first (RFC 7009; design: step 6, in the background).

import type { Emit } from '../base/events.ts';
import { errorCode } from '../base/gateway-error.ts';
import type { StoredSession } from '../session/session-record.ts';

/** Revokes one refresh token at the provider; rejects where that did not work. */
export type Revoke = (refreshToken: string) => Promise<void>;

/** An operator may end a hundred thousand sessions at once; the provider shall not feel it as a flood. */
const IN_FLIGHT = 8;

/** Revokes the refresh tokens of `sessions`; each failure is an event, and nothing more: the local end holds. */
export async function revokeEnded(sessions: readonly StoredSession[], revoke: Revoke, emit: Emit): Promise<void> {
  const waiting = sessions.values();
  async function revokeInTurn(): Promise<void> {
    for (const session of waiting) {
      const { refreshToken } = session.record.tokens;
      if (refreshToken === undefined) continue;
      try {
        await revoke(refreshToken);
      } catch (error) {
        emit({
          event: 'gate.warning',
          code: 'revocation_failed',
          message: `The refresh token of session ${session.record.handle} was not revoked: ${errorCode(error)}`,
        });
      }
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, revokeInTurn));
}

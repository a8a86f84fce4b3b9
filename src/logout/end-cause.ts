// What an end of sessions is about (design: accounted for).

import type { EndReason, NoticeKind } from '../base/events.ts';
import type { SessionHandle } from '../base/ids.ts';

/** Why sessions end, for the audit event, and since when the time to the stop counts. */
export interface EndCause {
  readonly reason: EndReason;
  readonly notice?: NoticeKind;
  /** The `iat` of the notice: logins with an older ID token are refused from now on. */
  readonly noticeIssuedAtSeconds?: number;
  /** When the last byte of the notice, or of the request, came; the call itself where this is absent. */
  readonly receivedAtMonotonicMs?: number;
  /** A check with the provider found this end, and no notice told it. */
  readonly missed?: true;
  /**
   * What the provider is asked for in the background, where the end began at this gate: to revoke the refresh token (the
   * browser is on its way there), or to end its session (no browser is).
   */
  readonly atProvider?: 'revoke_token' | 'end_session';
  /** Where the application of a route has ended this very session's own session already: its relay is not called. */
  readonly endedAt?: { readonly route: string; readonly handle: SessionHandle };
}

// Receiving a logout token (Back-Channel Logout 1.0 sections 2.5 to 2.8; design: receiving a logout token).

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { GatewayError } from '../base/gateway-error.ts';
import type { LogoutToken } from '../oidc/verify-logout-token.ts';
import type { EndSelector } from '../session/session-store.ts';
import type { EndSessions } from './end-sessions.ts';
import { readLogoutToken } from './read-logout-token.ts';
import { RecentNotices } from './recent-notices.ts';

export interface RawNotice {
  readonly kind: 'backchannel';
  readonly contentType: string | undefined;
  readonly body: Buffer;
  /** When its last byte came; the call itself where this is absent. */
  readonly receivedAtMonotonicMs?: number;
}

/** For the door to send as it is, with `Cache-Control: no-store` and as JSON. */
export interface NoticeAnswer {
  readonly status: 200 | 400;
  readonly body: string;
}

/** Never rejects, and waits for nothing but the keys of the provider and, with replicas, their stop. */
export type ReceiveNotice = (notice: RawNotice) => Promise<NoticeAnswer>;

export interface ReceiveNoticeOptions {
  /** @throws GatewayError `notice_refused`, with a message for operators; any other error is a failure. */
  readonly verifyLogoutToken: (jwt: string) => Promise<LogoutToken>;
  readonly endSessions: EndSessions;
  /**
   * Told of a user whose notice named one sid: Keycloak before 26.7 sends one notice per client when it ends several
   * sessions of a user, so the others may be over too.
   */
  readonly suspectSiblings?: (issuer: string, sub: string) => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** The same whether anybody was signed in or not: a notice is no way to ask about sessions. */
const ACCEPTED: NoticeAnswer = { status: 200, body: '{"logged_out":true}' };

/** The same for every refusal and every failure: a forger learns nothing. */
const REFUSED: NoticeAnswer = {
  status: 400,
  body: '{"error":"invalid_request","error_description":"The logout request was not carried out."}',
};

/** Builds the receiver of notices: read, verify, select, end, answer. */
export function createReceiveNotice(options: ReceiveNoticeOptions): ReceiveNotice {
  const { clock, emit } = options;
  const recent = new RecentNotices(clock);

  async function receive(raw: RawNotice, receivedAtMonotonicMs: number): Promise<NoticeAnswer> {
    const form = readLogoutToken(raw.contentType, raw.body);
    if ('refused' in form) return refuse(raw, form.refused);
    const notice = await options.verifyLogoutToken(form.token);
    const { sub, sid } = notice;
    const selector = selectorOf(notice);
    if (selector === undefined) return refuse(raw, 'the token names neither a sid nor a sub');
    let ended = 0;
    if (!recent.has(notice)) {
      const { count } = await options.endSessions(selector, {
        reason: 'backchannel_logout',
        notice: raw.kind,
        noticeIssuedAtSeconds: notice.issuedAtSeconds,
        receivedAtMonotonicMs,
      });
      ended = count;
      // Only now: a notice that failed may come again, and must work then.
      recent.add(notice);
    }
    if (sid !== undefined && sub !== undefined) options.suspectSiblings?.(notice.issuer, sub);
    emit({ event: 'notice.accepted', kind: raw.kind, sub, sid, ended });
    return ACCEPTED;
  }

  function refuse(raw: RawNotice, why: string): NoticeAnswer {
    emit({ event: 'notice.refused', kind: raw.kind, why });
    return REFUSED;
  }

  return async (raw) => {
    try {
      return await receive(raw, raw.receivedAtMonotonicMs ?? clock.monotonicMs());
    } catch (error) {
      return refuse(raw, error instanceof GatewayError ? error.message : 'internal_error');
    }
  };
}

/** `sid` selects where it is there: a differing `sub` then means an old Keycloak's pairwise id, not another user. */
function selectorOf({ issuer, sid, sub }: LogoutToken): EndSelector | undefined {
  if (sid !== undefined) return { by: 'sid', issuer, sid };
  return sub === undefined ? undefined : { by: 'sub', issuer, sub };
}

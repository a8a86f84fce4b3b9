// Receiving a logout notice of any kind: read, verify, select, end, answer (Back-Channel Logout 1.0 sections 2.5 to 2.8;
// Keycloak's Admin URL; design: receiving a logout token).

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { GatewayError } from '../base/gateway-error.ts';
import type { AdminAction, AdminActionName } from '../oidc/verify-admin-action.ts';
import type { LogoutToken } from '../oidc/verify-logout-token.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { EndSessions } from './end-sessions.ts';
import type { Notice, NoticedEnd } from './notice.ts';
import { readAdminAction } from './read-admin-action.ts';
import { readLogoutToken } from './read-logout-token.ts';
import { RecentNotices } from './recent-notices.ts';
import { ADMIN_ACTIONS, type AdminActionKind, understandAdminAction } from './understand-admin-action.ts';
import { understandLogoutToken } from './understand-logout-token.ts';

/** The kinds whose notice is the body of a POST. */
export type PostedNoticeKind = 'backchannel' | AdminActionKind;

export interface RawNotice {
  readonly kind: PostedNoticeKind;
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
  /** The same for what comes to the Admin URL. */
  readonly verifyAdminAction: (jwt: string, expected: AdminActionName) => Promise<AdminAction>;
  readonly endSessions: EndSessions;
  /**
   * Told of a user of whom a notice named single sessions: Keycloak before 26.7 sends one notice per client when it ends
   * several sessions of a user, so the others may be over too.
   */
  readonly suspectSiblings?: (issuer: string, sub: string) => void;
  readonly clock: Clock;
  readonly emit: Emit;
}

/** The same whether anybody was signed in or not: a notice is no way to ask about sessions. */
const ACCEPTED: Readonly<Record<PostedNoticeKind, NoticeAnswer>> = {
  backchannel: { status: 200, body: '{"logged_out":true}' },
  k_logout: { status: 200, body: '{"logged_out":true}' },
  k_push_not_before: { status: 200, body: '{"accepted":true}' },
  k_test_available: { status: 200, body: '{"accepted":true}' },
};

/** The same for every refusal and every failure: a forger learns nothing. */
const REFUSED: NoticeAnswer = {
  status: 400,
  body: '{"error":"invalid_request","error_description":"The logout request was not carried out."}',
};

/** Builds the receiver of notices. */
export function createReceiveNotice(options: ReceiveNoticeOptions): ReceiveNotice {
  const { clock, emit } = options;
  const recent = new RecentNotices(clock);

  async function receive(raw: RawNotice, receivedAtMonotonicMs: number): Promise<NoticeAnswer> {
    const notice = await understand(options, raw);
    let ended: readonly StoredSession[] = [];
    if (!recent.has(notice.name)) {
      ended = await endAll(notice.ends, raw.kind, receivedAtMonotonicMs);
      // Only now: a notice that failed may come again, and must work then.
      recent.add(notice.name);
    }
    if (notice.names === 'sessions') suspectSiblings(notice, ended);
    const { sub, sid } = notice;
    emit({ event: 'notice.accepted', kind: raw.kind, sub, sid, ended: ended.length });
    return ACCEPTED[raw.kind];
  }

  async function endAll(
    ends: readonly NoticedEnd[],
    notice: PostedNoticeKind,
    receivedAtMonotonicMs: number,
  ): Promise<readonly StoredSession[]> {
    const ended = await Promise.all(
      ends.map(({ selector, reason, issuedAtSeconds }) => {
        const issued = issuedAtSeconds === undefined ? {} : { noticeIssuedAtSeconds: issuedAtSeconds };
        return options.endSessions(selector, { reason, notice, receivedAtMonotonicMs, ...issued });
      }),
    );
    return ended.flatMap(({ sessions }) => sessions);
  }

  function suspectSiblings({ issuer, sub }: Notice, ended: readonly StoredSession[]): void {
    const subs = new Set(ended.map(({ record }) => record.sub));
    if (sub !== undefined) subs.add(sub);
    for (const each of subs) options.suspectSiblings?.(issuer, each);
  }

  return async (raw) => {
    try {
      return await receive(raw, raw.receivedAtMonotonicMs ?? clock.monotonicMs());
    } catch (error) {
      const why = error instanceof GatewayError ? error.message : 'internal_error';
      emit({ event: 'notice.refused', kind: raw.kind, why });
      return REFUSED;
    }
  };
}

/** The first three steps, each kind's own. @throws GatewayError `notice_refused`, or what kept it from being verified */
async function understand(options: ReceiveNoticeOptions, { kind, contentType, body }: RawNotice): Promise<Notice> {
  if (kind === 'backchannel') {
    return understandLogoutToken(await options.verifyLogoutToken(readLogoutToken(contentType, body)));
  }
  const action = await options.verifyAdminAction(readAdminAction(contentType, body), ADMIN_ACTIONS[kind]);
  return understandAdminAction(kind, action);
}

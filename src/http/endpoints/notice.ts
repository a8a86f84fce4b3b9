// POST <prefix>/backchannel-logout (OpenID Connect Back-Channel Logout 1.0 section 2.5) and <prefix>/k_* (Keycloak's Admin
// URL), on both listeners. No cookie, no origin, no session is looked at: the notice carries its own proof.

import type { Context } from 'koa';
import type { PostedNoticeKind, ReceiveNotice } from '../../logout/receive-notice.ts';
import { readBody } from '../read-body.ts';

/** Keycloak's tokens are under 1 KiB; nothing genuine comes near this. */
const MOST_BYTES = 64 * 1024;

/** The endpoint as a Koa handler. Answers 200, 400, or 413 and 415 for bodies that cannot be a notice. */
export function noticeEndpoint(kind: PostedNoticeKind, receiveNotice: ReceiveNotice): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    ctx.set('Cache-Control', 'no-store');
    if (ctx.get('Content-Encoding') !== '') {
      ctx.status = 415;
      ctx.body = { error: 'invalid_request' };
      return;
    }
    const body = await readBody(ctx.req, MOST_BYTES);
    if (body === 'too large') {
      ctx.status = 413;
      ctx.set('Connection', 'close');
      ctx.body = { error: 'invalid_request' };
      return;
    }
    if (body === 'gone') {
      ctx.status = 408;
      ctx.body = { error: 'invalid_request' };
      return;
    }
    const answer = await receiveNotice({ kind, contentType: ctx.get('Content-Type'), body });
    ctx.status = answer.status;
    ctx.type = 'application/json';
    ctx.body = answer.body;
  };
}

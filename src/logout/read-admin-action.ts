// The form of an admin action: text/plain, of which the whole body is the token (Keycloak's Admin URL protocol).

import { noticeRefused } from './notice-refused.ts';

/** The door refuses larger bodies too, before it has read them. */
const MAX_BODY_BYTES = 64 * 1024;

const PLAIN_TEXT = /^text\/plain[ \t]*(;|$)/i;

/**
 * The token, unverified. Keycloak says `charset=ISO-8859-1`; tokens are ASCII in any charset.
 * @throws GatewayError `notice_refused`
 */
export function readAdminAction(contentType: string | undefined, body: Buffer): string {
  if (contentType === undefined || !PLAIN_TEXT.test(contentType.trim())) {
    throw noticeRefused('the content type is not text/plain');
  }
  if (body.length > MAX_BODY_BYTES) throw noticeRefused(`the body has more than ${MAX_BODY_BYTES} bytes`);
  return body.toString('latin1');
}

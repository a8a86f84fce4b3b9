// The form of a logout notice (Back-Channel Logout 1.0 section 2.5): a form with exactly one `logout_token`.

import { noticeRefused } from './notice-refused.ts';

/** Tokens of real providers have about 1 KB; the door refuses larger bodies too, before it has read them. */
const MAX_BODY_BYTES = 64 * 1024;

const FORM = /^application\/x-www-form-urlencoded[ \t]*(;|$)/i;

/**
 * The one logout token of the form, unverified. Other parameters are ignored, as the specification wants.
 * @throws GatewayError `notice_refused`
 */
export function readLogoutToken(contentType: string | undefined, body: Buffer): string {
  if (contentType === undefined || !FORM.test(contentType.trim())) {
    throw noticeRefused('the content type is not application/x-www-form-urlencoded');
  }
  if (body.length > MAX_BODY_BYTES) throw noticeRefused(`the body has more than ${MAX_BODY_BYTES} bytes`);
  // The ampersand keeps URLSearchParams from taking a leading question mark for a query's. Tokens are ASCII in any charset.
  const tokens = new URLSearchParams(`&${body.toString('latin1')}`).getAll('logout_token');
  const [token] = tokens;
  if (token === undefined || tokens.length !== 1) {
    throw noticeRefused(`the form has ${tokens.length} logout_token parameters, not one`);
  }
  if (token === '') throw noticeRefused('logout_token is empty');
  return token;
}

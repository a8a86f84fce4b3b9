// The form of a logout notice (Back-Channel Logout 1.0 section 2.5): a form with exactly one `logout_token`.

/** Tokens of real providers have about 1 KB; the door refuses larger bodies too, before it has read them. */
const MAX_BODY_BYTES = 64 * 1024;

const FORM = /^application\/x-www-form-urlencoded[ \t]*(;|$)/i;

export type LogoutTokenForm = { readonly token: string } | { readonly refused: string };

/** The one logout token of the form, or why there is none. Other parameters are ignored, as the specification wants. */
export function readLogoutToken(contentType: string | undefined, body: Buffer): LogoutTokenForm {
  if (contentType === undefined || !FORM.test(contentType.trim())) {
    return { refused: 'the content type is not application/x-www-form-urlencoded' };
  }
  if (body.length > MAX_BODY_BYTES) return { refused: `the body has more than ${MAX_BODY_BYTES} bytes` };
  // The ampersand keeps URLSearchParams from taking a leading question mark for a query's. Tokens are ASCII in any charset.
  const tokens = new URLSearchParams(`&${body.toString('latin1')}`).getAll('logout_token');
  if (tokens.length !== 1) return { refused: `the form has ${tokens.length} logout_token parameters, not one` };
  const [token] = tokens;
  return token === undefined || token === '' ? { refused: 'logout_token is empty' } : { token };
}

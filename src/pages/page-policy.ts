// The Content-Security-Policy of our pages: they run nothing and load nothing (W3C CSP 3).

import { PAGE_STYLE_HASH } from './page-style.ts';

function policy(formAction: string, frameAncestors: string): string {
  return `default-src 'none'; style-src ${PAGE_STYLE_HASH}; form-action ${formAction}; frame-ancestors ${frameAncestors}; base-uri 'none'`;
}

/** For every page but the two below. */
export const PAGE_POLICY = policy("'none'", "'none'");

/** For pages that lead to sign-in: an application that shows itself in frames must be able to show the link out of one. */
export const FRAMED_PAGE_POLICY = policy("'none'", "'self'");

/**
 * For pages with a form. Chromium holds `form-action` against every redirect behind the form's answer: to the provider, to
 * those that it brokers for, and back; or to wherever an application leads. Their origins cannot be known here, so only the
 * scheme is named.
 */
export function formPagePolicy(publicOrigin: string): string {
  return policy(publicOrigin.startsWith('http:') ? "'self' https: http:" : "'self' https:", "'none'");
}

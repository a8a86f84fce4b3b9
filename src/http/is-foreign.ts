// Whose wish is a request to leave? Another site must not be able to sign anybody out, neither at the gate nor through
// an application's logout link (security catalogue LOGOUT-01; Fetch Metadata Request Headers, section 2.3).

import type { IncomingHttpHeaders } from 'node:http';

/** What a browser says of where a request comes from. */
export interface SentRequest {
  readonly method: string;
  readonly request: { readonly headers: IncomingHttpHeaders };
  readonly publicOrigin: string;
}

/**
 * True unless the request demonstrably comes from a page of its own origin or from the address bar; a POST that says nothing
 * of where it comes from is no browser's.
 */
export function isForeign({ method, request: { headers }, publicOrigin }: SentRequest): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const { origin, referer } = headers;
  if (origin !== undefined) return origin !== publicOrigin;
  // Browsers over plain HTTP say only these two; a form of another site always names its origin, a link or image never does.
  if (method !== 'GET' && method !== 'HEAD') return false;
  return referer === undefined || URL.parse(referer)?.origin !== publicOrigin;
}

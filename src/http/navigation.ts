// Is this a person's browser moving to a new page? Only such a request is helped by a redirect to the sign-in form;
// redirecting any other one plants cookies for images, loses forms, and sends scripts HTML they cannot read.
// Fetch Metadata Request Headers (W3C), sections 2.1-2.4.

import type { IncomingHttpHeaders } from 'node:http';

/** The standard's header, those that came before it, and the one that scripts may set (they may not set `Sec-…`). */
const PURPOSES = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz', 'x-sec-purpose'];

/** True for top-level GET and HEAD navigations that are not prefetches. */
export function isNavigation(method: string, headers: IncomingHttpHeaders): boolean {
  return (method === 'GET' || method === 'HEAD') && !isPrefetch(headers) && isPageRequest(headers);
}

/** True where the browser shows the answer as its page, whatever the method: a link that was followed, a form that was sent. */
export function isPageRequest(headers: IncomingHttpHeaders): boolean {
  const mode = headers['sec-fetch-mode'];
  const destination = headers['sec-fetch-dest'];
  if (mode !== undefined || destination !== undefined) {
    return (mode === undefined || mode === 'navigate') && (destination === undefined || destination === 'document');
  }
  // Old browsers, and every browser over plain HTTP, send none of these headers.
  return acceptsHtml(headers) && headers['x-requested-with'] === undefined;
}

/** True where an HTML page is a better answer than JSON. */
export function acceptsHtml(headers: IncomingHttpHeaders): boolean {
  return headers.accept?.toLowerCase().includes('text/html') ?? false;
}

/** True for what a browser, or a script of the page, fetches before anybody has asked for it. */
export function isPrefetch(headers: IncomingHttpHeaders): boolean {
  const purpose = PURPOSES.map((name) => headers[name]).find((value) => value !== undefined);
  return typeof purpose === 'string' && /prefetch|prerender|preview/i.test(purpose);
}

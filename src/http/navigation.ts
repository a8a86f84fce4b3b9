// Is this a person's browser moving to a new page? Only such a request is helped by a redirect to the sign-in form;
// redirecting any other one plants cookies for images, loses forms, and sends scripts HTML they cannot read.
// Fetch Metadata Request Headers (W3C), sections 2.1-2.4.

import type { IncomingHttpHeaders } from 'node:http';

/** True for top-level GET and HEAD navigations that are not prefetches. */
export function isNavigation(method: string, headers: IncomingHttpHeaders): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  if (isPrefetch(headers)) return false;
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

function isPrefetch(headers: IncomingHttpHeaders): boolean {
  const purpose = headers['sec-purpose'] ?? headers['purpose'] ?? headers['x-purpose'] ?? headers['x-moz'];
  return typeof purpose === 'string' && /prefetch|prerender|preview/i.test(purpose);
}

// The client's side of an exchange: the head as Node writes it, and the cut that shows (RFC 9112 sections 6.3 and 8).

import type { IncomingMessage, ServerResponse } from 'node:http';
import { resetSocket } from './reset-socket.ts';
import type { ResponseHead } from './response-headers.ts';

/** Statuses and methods whose responses have no body, whatever their headers say (RFC 9112 section 6.3). */
export function hasNoBody(method: string | undefined, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304;
}

/**
 * Writes an upstream's head for the client.
 * @throws TypeError where a header cannot be written; nothing has been sent then
 */
export function writeResponseHead(
  response: ServerResponse,
  { status, statusText }: { readonly status: number; readonly statusText: string | undefined },
  { headers, contentLength }: ResponseHead,
): void {
  // RFC 9110 section 8.6: a 204 must not have one.
  if (status === 204 && contentLength !== -1) removeContentLength(headers);
  response.writeHead(status, printable(statusText), headers);
}

/**
 * Ends the client's connection so that it knows that the response is incomplete: no last chunk, and a reset where the end
 * of the connection would be the end of the body. Nothing that is queued is sent.
 */
export function cutResponse(request: IncomingMessage, response: ServerResponse, framing: 'by length' | 'other'): void {
  const endTells = response.chunkedEncoding || framing === 'by length';
  if (request.httpVersionMinor > 0 && endTells) request.socket.destroy();
  else resetSocket(request.socket);
}

function removeContentLength(headers: string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]!.length === 14 && headers[i]!.toLowerCase() === 'content-length') headers.splice(i, 2);
  }
}

/** The reason phrase, or none where it holds what Node cannot write back. */
function printable(statusText: string | undefined): string {
  if (statusText === 'OK') return statusText;
  return statusText !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(statusText) ? statusText : '';
}

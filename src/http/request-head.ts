// The first look at a request: what Node's parser lets through and a gate must not (RFC 9112 sections 3 and 6; Node
// accepts chunked in HTTP/1.0, coding lists, two Hosts, absolute targets and fragments). One pass over the raw headers.

import type { IncomingMessage } from 'node:http';

/**
 * Login transactions travel to the callback in cookies of their own, and a browser with forty tabs has forty of them, of 4 KiB
 * at most. The callback alone takes so much, or nobody with many tabs could sign in.
 */
export const CALLBACK_HEADER_BYTES = (40 * 4 + 16) * 1024;

export interface HeadLimits {
  /** Where login transactions come back. */
  readonly callbackPath: string;
  readonly headers: number;
  readonly headerBytes: number;
  readonly urlBytes: number;
}

/** The headers that the doors decide by. Undefined where absent; a repeat of a header that may not repeat is refused. */
export interface RequestHead {
  readonly host: string;
  readonly cookie: string | undefined;
}

export interface HeadRefusal {
  readonly status: 400 | 405 | 414 | 417 | 431 | 501;
  readonly why: string;
}

/** Reads the head of a request, or says why it is refused; the connection must be closed then. */
export function readRequestHead(request: IncomingMessage, limits: HeadLimits): RequestHead | HeadRefusal {
  const { rawHeaders } = request;
  if (rawHeaders.length / 2 > limits.headers) return { status: 431, why: 'too many header lines' };
  let host: string | undefined;
  let cookie: string | undefined;
  let transferEncoding: string | undefined;
  let contentLength: string | undefined;
  let bytes = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    const value = rawHeaders[i + 1]!;
    bytes += name.length + value.length + 4;
    switch (name.length) {
      case 4:
        if (name.toLowerCase() === 'host') {
          if (host !== undefined) return { status: 400, why: 'two Host headers' };
          host = value;
        }
        break;
      case 6: {
        const lower = name.toLowerCase();
        // Browsers send one; HTTP/2 terminators may split it, and its parts are joined (RFC 9113 section 8.2.3).
        if (lower === 'cookie') cookie = cookie === undefined ? value : `${cookie}; ${value}`;
        else if (lower === 'expect' && value.toLowerCase() !== '100-continue') {
          return { status: 417, why: 'an unknown expectation' };
        }
        break;
      }
      case 14:
        if (name.toLowerCase() === 'content-length') {
          if (contentLength !== undefined) return { status: 400, why: 'two Content-Length headers' };
          contentLength = value;
        }
        break;
      case 17:
        if (name.toLowerCase() === 'transfer-encoding') {
          if (transferEncoding !== undefined) return { status: 400, why: 'two Transfer-Encoding headers' };
          transferEncoding = value;
        }
        break;
    }
  }
  if (bytes > limits.headerBytes && !isRoomyCallback(request.url!, bytes, limits))
    return { status: 431, why: 'the header is too large' };
  if (request.httpVersion !== '1.1' && request.httpVersion !== '1.0')
    return { status: 400, why: 'unknown HTTP version' };
  if (transferEncoding !== undefined) {
    if (request.httpVersion === '1.0') return { status: 400, why: 'Transfer-Encoding in HTTP/1.0' };
    if (transferEncoding.toLowerCase() !== 'chunked') return { status: 501, why: 'unknown transfer coding' };
    if (contentLength !== undefined) return { status: 400, why: 'Content-Length beside Transfer-Encoding' };
  }
  if (host === undefined) return { status: 400, why: 'no Host header' };
  const refusal = refusedTarget(request.method!, request.url!, limits);
  if (refusal) return refusal;
  return { host, cookie };
}

function isRoomyCallback(target: string, bytes: number, { callbackPath }: HeadLimits): boolean {
  return bytes <= CALLBACK_HEADER_BYTES && target.startsWith(`${callbackPath}?`);
}

function refusedTarget(method: string, target: string, limits: HeadLimits): HeadRefusal | undefined {
  if (method === 'CONNECT' || method === 'TRACE') return { status: 405, why: `${method} is not served` };
  if (target.length > limits.urlBytes) return { status: 414, why: 'the request target is too long' };
  if (target.includes('#')) return { status: 400, why: 'a fragment in the request target' };
  return undefined;
}

/** Tells the two results of `readRequestHead` apart. */
export function isRefusal(head: RequestHead | HeadRefusal): head is HeadRefusal {
  return 'status' in head;
}

/**
 * The origin-form target. An absolute-form one (RFC 9112 section 3.2.2) is accepted where it names exactly the origin
 * that the Host header names too; anything else is undefined (400).
 */
export function originForm(target: string, origin: { readonly origin: string }): string | undefined {
  if (target.charCodeAt(0) === 0x2f) return target;
  if (!target.startsWith(origin.origin)) return undefined;
  const rest = target.slice(origin.origin.length);
  if (rest === '') return '/';
  return rest.charCodeAt(0) === 0x2f ? rest : undefined;
}

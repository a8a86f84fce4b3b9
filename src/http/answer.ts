// The shape of every answer that the gate itself gives outside Koa: a page for browsers, JSON for programs.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorJson } from '../pages/error-body.ts';
import { PAGE_POLICY } from '../pages/page-policy.ts';
import { acceptsHtml } from './navigation.ts';

/** How long a client may wait before it asks again when the gate cannot answer now. */
export const RETRY_AFTER_SECONDS = '5';

export interface Answer {
  readonly status: number;
  /** Stable, for programs. */
  readonly code: string;
  readonly message: string;
  readonly requestId: string;
  /** Members of the JSON body that only this answer has. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** The page, for whoever accepts HTML. */
  readonly page: string;
  readonly policy?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** Answers and, where the request's body has not been read, ends the connection: nobody wants the rest of it. */
export function sendAnswer(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const asHtml = acceptsHtml(request.headers);
  const body = asHtml ? answer.page : errorJson(answer);
  response.statusCode = answer.status;
  response.setHeader('Content-Type', asHtml ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8');
  response.setHeader('Content-Length', Buffer.byteLength(body));
  response.setHeader('Cache-Control', 'no-store');
  response.setHeader('Vary', 'Accept, Cookie');
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Referrer-Policy', 'no-referrer');
  if (asHtml) response.setHeader('Content-Security-Policy', answer.policy ?? PAGE_POLICY);
  for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
  if (hasUnreadBody(request)) response.setHeader('Connection', 'close');
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** A body was announced and has not come in whole. */
export function hasUnreadBody({ headers, complete }: IncomingMessage): boolean {
  if (complete) return false;
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}

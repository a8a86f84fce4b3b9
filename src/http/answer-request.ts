// What the doors answer instead of forwarding: one translation per outcome of the decision, the same for requests and
// WebSocket handshakes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { newRequestId } from '../base/ids.ts';
import type { Decision } from '../gate/decide.ts';
import { errorPage } from '../pages/error-page.ts';
import { forbiddenPage } from '../pages/forbidden-page.ts';
import type { ForwardFailure } from '../proxy/forward-failure.ts';
import type { StoredSession } from '../session/session-record.ts';
import { RETRY_AFTER_SECONDS, sendAnswer } from './answer.ts';
import { answerStepUp, answerStepUpFailed, answerTokenRefused, answerUnauthenticated } from './answer-challenge.ts';
import { answerPlainly, type PlainAnswer } from './answer-plainly.ts';
import { expiredCopies, isTossed } from './cookies.ts';
import type { DoorParts } from './door-parts.ts';
import { otherAccountPath } from './own-path.ts';
import type { PublicRequest } from './public-request.ts';
import type { HeadRefusal } from './request-head.ts';
import type { Snapshot } from './snapshot.ts';

type Refusal = Exclude<Decision, { kind: 'allow' }>;
type Forbidden = Extract<Decision, { kind: 'forbidden' | 'stepUp' | 'stepUpFailed' }>;

/** Answers a decision that lets nobody through; says what operators should know. */
export function answerDecision(
  parts: DoorParts,
  entry: PublicRequest<Snapshot>,
  response: ServerResponse,
  decision: Refusal,
): void {
  response.once('close', () => parts.countRequest('gate', entry.method, response.statusCode, secondsSince(entry)));
  switch (decision.kind) {
    case 'login':
      if (isTossed(entry.cookie, entry.snapshot.cookies.sessionName)) answerTossed(parts, entry, response);
      else entry.snapshot.publicApp(entry, response, { acr: decision.acr, unproven: decision.unproven });
      break;
    case 'unauthenticated':
      answerUnauthenticated(entry, response, decision.needs, decision.unproven ? 'unproven' : 'nobody');
      break;
    case 'tokenRefused':
      parts.emit({ event: 'request.failed', code: 'invalid_token', why: decision.why, request_id: entry.requestId });
      answerTokenRefused(entry, response);
      break;
    case 'forbidden':
      emitDenied(parts, entry, decision);
      answerForbidden(entry, response, decision.session);
      break;
    case 'stepUp':
      emitDenied(parts, entry, decision);
      answerStepUp(entry, response, decision);
      break;
    case 'stepUpFailed':
      emitDenied(parts, entry, decision);
      answerStepUpFailed(entry, response, decision.session);
      break;
    case 'notFound':
      answerPlainly(entry, response, { status: 404, code: 'not_found', message: 'There is nothing here.' });
      break;
    case 'badRequest':
      parts.emit({ event: 'request.failed', code: 'bad_request', why: decision.why, request_id: entry.requestId });
      answerPlainly(entry, response, {
        status: 400,
        code: 'bad_request',
        message: 'The address or the headers can be understood in more than one way, or in none.',
      });
      break;
    case 'unavailable':
      parts.emit({ event: 'request.failed', code: 'unavailable', why: decision.why, request_id: entry.requestId });
      answerUnavailable(entry, response);
      break;
  }
}

/** Since the request entered. */
export function secondsSince(entry: PublicRequest): number {
  return (performance.now() - entry.startedAtMs) / 1000;
}

function emitDenied(parts: DoorParts, entry: PublicRequest, { session, route, why }: Forbidden): void {
  parts.emit({
    event: 'access.denied',
    user: session?.record.user ?? '',
    sub: session?.record.sub ?? '',
    session: session?.record.handle ?? '',
    route: route.name,
    method: entry.method,
    request_id: entry.requestId,
    why,
  });
}

/** 403: signed in, and not allowed. */
export function answerForbidden(
  entry: PublicRequest,
  response: ServerResponse,
  session: StoredSession | undefined,
): void {
  const { requestId, snapshot, method, target } = entry;
  // The way back asks the provider as the page's own route does: the account that may have it can be elsewhere.
  const logoutUrl = otherAccountPath(snapshot.prefix, method === 'GET' ? target : '/');
  sendAnswer(entry.request, response, {
    status: 403,
    code: 'forbidden',
    message: 'You may not have this.',
    requestId,
    page: forbiddenPage({ user: session?.record.user, logoutUrl, requestId }),
  });
}

/** 503: nobody can be let through now. */
export function answerUnavailable(entry: PublicRequest, response: ServerResponse): void {
  answerPlainly(entry, response, {
    status: 503,
    code: 'unavailable',
    message: 'Whether you may have this cannot be decided now.',
    headers: { 'Retry-After': RETRY_AFTER_SECONDS },
  });
}

/** Signing in again would add a cookie to the two that nobody can tell apart, and go round for ever. */
function answerTossed(parts: DoorParts, entry: PublicRequest<Snapshot>, response: ServerResponse): void {
  const why = 'the session cookie came more than once';
  parts.emit({ event: 'request.failed', code: 'ambiguous_cookie', why, request_id: entry.requestId });
  answerPlainly(entry, response, {
    status: 400,
    code: 'ambiguous_cookie',
    message: 'Your browser sent two sessions. Both were removed; try again.',
    headers: { 'Set-Cookie': expiredCopies(entry.snapshot.cookies, entry) },
  });
}

const UPSTREAM_STATUS: Readonly<Record<ForwardFailure['code'], 502 | 503 | 504>> = {
  upstream_unreachable: 502,
  upstream_timeout: 504,
  upstream_invalid: 502,
  upstream_ntlm: 502,
  cookies_not_kept: 503,
};

/** 502, 503 or 504 for an upstream that gave no answer that can be passed on; nothing of the cause is told. */
export function answerUpstreamFailure(
  entry: PublicRequest,
  response: ServerResponse,
  failure: ForwardFailure,
  code: string = failure.code,
): void {
  answerPlainly(entry, response, {
    status: UPSTREAM_STATUS[failure.code],
    code,
    message: 'The application did not answer.',
  });
}

/** A head that is no request of ours: answered without looking at anything else, and the connection is over. */
export function answerHeadRefusal(
  parts: DoorParts,
  request: IncomingMessage,
  response: ServerResponse,
  { status, why }: HeadRefusal,
): void {
  refuse(parts, request, response, { status, code: 'bad_request', message: 'This request is not served.' }, why);
}

/** 421: no public URL names this host. */
export function answerMisdirected(parts: DoorParts, request: IncomingMessage, response: ServerResponse): void {
  const answer = { status: 421, code: 'misdirected_request', message: 'This host is not served here.' };
  const served = parts.snapshot().origins.all.map(({ origin }) => origin);
  // The host itself is the client's word, and anything may be in it.
  refuse(
    parts,
    request,
    response,
    answer,
    `the request is for another host than those of public_url: ${served.join(', ')}`,
  );
}

function refuse(
  parts: DoorParts,
  request: IncomingMessage,
  response: ServerResponse,
  answer: PlainAnswer,
  why: string,
): void {
  const requestId = newRequestId();
  parts.emit({ event: 'request.failed', code: answer.code, why, request_id: requestId });
  sendAnswer(request, response, {
    ...answer,
    requestId,
    page: errorPage({ ...answer, requestId }),
    headers: { Connection: 'close' },
  });
  parts.countRequest('gate', request.method ?? '', answer.status, 0);
}

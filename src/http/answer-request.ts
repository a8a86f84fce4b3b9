// What the doors answer instead of forwarding: one translation per outcome of the decision, the same for requests and
// WebSocket handshakes.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Needs } from '../access/route-match.ts';
import { newRequestId } from '../base/ids.ts';
import type { Decision } from '../gate/decide.ts';
import { errorPage } from '../pages/error-page.ts';
import { forbiddenPage } from '../pages/forbidden-page.ts';
import { FRAMED_PAGE_POLICY } from '../pages/page-policy.ts';
import { signInNeededPage } from '../pages/sign-in-needed-page.ts';
import { stepUpFailedPage } from '../pages/step-up-failed-page.ts';
import { stepUpNeededPage } from '../pages/step-up-needed-page.ts';
import type { ForwardFailure } from '../proxy/forward-failure.ts';
import type { StoredSession } from '../session/session-record.ts';
import { RETRY_AFTER_SECONDS, sendAnswer } from './answer.ts';
import { answerFormNotKept } from './answer-form.ts';
import { expiredCopies, isTossed } from './cookies.ts';
import type { DoorParts } from './door-parts.ts';
import { isForm } from './form-requests.ts';
import { otherAccountPath, signInPath } from './own-path.ts';
import type { PublicRequest } from './public-request.ts';
import type { HeadRefusal } from './request-head.ts';
import type { Snapshot } from './snapshot.ts';

type Refusal = Exclude<Decision, { kind: 'allow' }>;
type Forbidden = Extract<Decision, { kind: 'forbidden' | 'stepUp' | 'stepUpFailed' }>;
type StepUp = Extract<Decision, { kind: 'stepUp' }>;

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
      else entry.snapshot.publicApp(entry, response, { acr: decision.acr, unproven: decision.recheck });
      break;
    case 'unauthenticated':
      answerUnauthenticated(entry, response, decision.needs, decision.recheck ? 'unproven' : 'nobody');
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

/** 401 for everything that a redirect does not help. No cookie is set and none is removed: it may be a late answer. */
export function answerUnauthenticated(
  entry: PublicRequest,
  response: ServerResponse,
  needs: Needs,
  why: 'nobody' | 'cut' | 'unproven' = 'nobody',
): void {
  if (needs === 'bearer') {
    return answerPlainly(entry, response, {
      status: 401,
      code: 'token_needed',
      message: 'Send an access token: Authorization: Bearer …',
      headers: { 'WWW-Authenticate': BEARER_CHALLENGE },
    });
  }
  const isUnproven = why === 'unproven';
  const challenge = isUnproven ? `${SIGN_IN_CHALLENGE}, error="${RECHECK_NEEDED}"` : SIGN_IN_CHALLENGE;
  const headers = { 'WWW-Authenticate': needs === 'session' ? challenge : [challenge, BEARER_CHALLENGE] };
  if (isForm(entry))
    return answerFormNotKept(entry, response, { why: isUnproven ? 'nobody' : why, missing: 'any', headers });
  const { requestId, snapshot, target } = entry;
  const signInUrl = signInPath(snapshot.prefix, entry.method === 'GET' ? target : '/');
  sendAnswer(entry.request, response, {
    status: 401,
    code: isUnproven ? RECHECK_NEEDED : 'unauthenticated',
    message: isUnproven ? 'The provider has to confirm the session first: open a page.' : 'Sign in first.',
    requestId,
    page: signInNeededPage({ signInUrl }),
    policy: FRAMED_PAGE_POLICY,
    headers,
  });
}

/** For scripts: the session is there, and a page that is opened has the provider confirm it. */
const RECHECK_NEEDED = 'recheck_needed';
const SIGN_IN_CHALLENGE = 'Portcullis realm="sign-in"';
/** Without an error where no token was shown (RFC 6750 section 3.1). */
const BEARER_CHALLENGE = 'Bearer realm="portcullis"';

/** 401: the token is worth nothing here, or no longer. Why is for the log: a forger learns nothing. */
export function answerTokenRefused(entry: PublicRequest, response: ServerResponse): void {
  answerPlainly(entry, response, {
    status: 401,
    code: 'invalid_token',
    message: 'The access token is not accepted, or no longer.',
    headers: { 'WWW-Authenticate': `${BEARER_CHALLENGE}, error="invalid_token"` },
  });
}

/** 401 that names what is missing, in the words of RFC 9470 section 3, for cookies as for tokens. */
function answerStepUp(entry: PublicRequest, response: ServerResponse, { acr, session }: StepUp): void {
  const { requestId } = entry;
  const acrValues = acr.join(' ');
  const scheme = session.record.kind === 'bearer' ? BEARER_CHALLENGE : SIGN_IN_CHALLENGE;
  const headers = {
    'WWW-Authenticate': `${scheme}, error="insufficient_user_authentication", acr_values="${acrValues}"`,
  };
  if (isForm(entry)) return answerFormNotKept(entry, response, { why: 'nobody', missing: 'stronger', headers });
  sendAnswer(entry.request, response, {
    status: 401,
    code: 'insufficient_user_authentication',
    message: 'A stronger sign-in is needed.',
    more: { acr_values: acrValues },
    requestId,
    page: stepUpNeededPage({ pageUrl: entry.target, requestId }),
    policy: FRAMED_PAGE_POLICY,
    headers,
  });
}

/** 403: at this sign-in the provider gave less than it was asked for. To send the user there again is the user's to say. */
function answerStepUpFailed(entry: PublicRequest, response: ServerResponse, { record }: StoredSession): void {
  const { requestId, snapshot, target } = entry;
  const retryUrl = signInPath(snapshot.prefix, target);
  const logoutUrl = otherAccountPath(snapshot.prefix, target);
  sendAnswer(entry.request, response, {
    status: 403,
    code: 'insufficient_user_authentication',
    message: 'A stronger sign-in is needed, and the sign-in service did not give it.',
    requestId,
    page: stepUpFailedPage({ user: record.user, retryUrl, logoutUrl, requestId }),
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

interface PlainAnswer {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

function answerPlainly(entry: PublicRequest, response: ServerResponse, answer: PlainAnswer): void {
  const { requestId } = entry;
  sendAnswer(entry.request, response, { ...answer, requestId, page: errorPage({ ...answer, requestId }) });
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

// What the doors answer to whoever has to sign in, or more strongly, or has shown a token that is worth nothing: the challenges of
// HTTP (RFC 9110 section 11.6.1, RFC 6750 section 3, RFC 9470 section 3), and their pages.

import type { ServerResponse } from 'node:http';
import type { Needs } from '../access/route-match.ts';
import type { Decision } from '../gate/decide.ts';
import { FRAMED_PAGE_POLICY } from '../pages/page-policy.ts';
import { signInNeededPage } from '../pages/sign-in-needed-page.ts';
import { stepUpFailedPage } from '../pages/step-up-failed-page.ts';
import { stepUpNeededPage } from '../pages/step-up-needed-page.ts';
import type { StoredSession } from '../session/session-record.ts';
import { sendAnswer } from './answer.ts';
import { answerFormNotKept } from './answer-form.ts';
import { answerPlainly } from './answer-plainly.ts';
import { isForm } from './form-requests.ts';
import { otherAccountPath, signInPath } from './own-path.ts';
import type { PublicRequest } from './public-request.ts';

type StepUp = Extract<Decision, { kind: 'stepUp' }>;

/** For scripts: the session is there, and a page that is opened has the provider confirm it. */
const RECHECK_NEEDED = 'recheck_needed';
const SIGN_IN_CHALLENGE = 'Portcullis realm="sign-in"';
/** Without an error where no token was shown (RFC 6750 section 3.1). */
const BEARER_CHALLENGE = 'Bearer realm="portcullis"';

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
export function answerStepUp(entry: PublicRequest, response: ServerResponse, { acr, session }: StepUp): void {
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
export function answerStepUpFailed(entry: PublicRequest, response: ServerResponse, { record }: StoredSession): void {
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

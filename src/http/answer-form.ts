// What the public door says about a form that met no session, or not a strong enough one, and to whoever wants a kept one sent.

import type { ServerResponse } from 'node:http';
import { type FormNotKept, formNotKeptPage, type MissingSignIn } from '../pages/form-not-kept-page.ts';
import { type FormGone, goneFormPage, goneFormStatus, unsentFormPage } from '../pages/kept-form-page.ts';
import { FRAMED_PAGE_POLICY } from '../pages/page-policy.ts';
import { lingerAfterResponse } from '../proxy/lingering-close.ts';
import { hasUnreadBody, sendAnswer } from './answer.ts';
import { formPath } from './form-requests.ts';
import { signedInPath } from './own-pages.ts';
import { signInPath } from './own-path.ts';
import type { PublicRequest } from './public-request.ts';

/** Why it was not kept, for programs. */
const NOT_KEPT: Readonly<Record<FormNotKept, { status: number; code: string }>> = {
  nobody: { status: 401, code: 'unauthenticated' },
  'too large': { status: 413, code: 'form_too_large' },
  'too many': { status: 429, code: 'too_many_forms' },
  incomplete: { status: 408, code: 'form_incomplete' },
  unavailable: { status: 503, code: 'unavailable' },
  cut: { status: 401, code: 'unauthenticated' },
};

export interface FormNotKeptAnswer {
  readonly why: FormNotKept;
  readonly missing: MissingSignIn;
  readonly maxBytes?: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** At the form's own address, so that the browser sends it again when the page is loaded again. */
export function answerFormNotKept(entry: PublicRequest, response: ServerResponse, answer: FormNotKeptAnswer): void {
  const { requestId, snapshot, request } = entry;
  const { why, missing, maxBytes, headers } = answer;
  const { status, code } = NOT_KEPT[why];
  const beside = signedInPath(snapshot.prefix, entry.target.split('?')[0]!);
  const signInUrl = signInPath(snapshot.prefix, beside);
  // A browser that is still sending reads no answer where the connection is reset under it.
  if (hasUnreadBody(request)) lingerAfterResponse(request);
  sendAnswer(request, response, {
    status,
    code,
    message: `${missing === 'any' ? 'Sign in first' : 'A stronger sign-in is needed'}. The form has not been kept.`,
    requestId,
    page: formNotKeptPage({ why, missing, signInUrl, status, maxBytes, requestId }),
    policy: FRAMED_PAGE_POLICY,
    ...(headers && { headers }),
  });
}

/** 303 to the page of a kept form: one that can be loaded again, and is the same before and after sign-in. */
export function redirectToForm(entry: PublicRequest, response: ServerResponse, id: string): void {
  if (response.destroyed) return;
  if (hasUnreadBody(entry.request)) {
    lingerAfterResponse(entry.request);
    response.setHeader('Connection', 'close');
  }
  const headers = { Location: formPath(entry.snapshot.prefix, id), 'Content-Length': 0, 'Cache-Control': 'no-store' };
  response.writeHead(303, headers).end();
}

/** 410 with the page that says why. */
export function answerFormGone(
  entry: PublicRequest,
  response: ServerResponse,
  why: FormGone,
  continueUrl: string,
): void {
  sendAnswer(entry.request, response, {
    status: goneFormStatus(why),
    code: 'form_gone',
    message: 'The form is not here any more.',
    requestId: entry.requestId,
    page: goneFormPage({ why, continueUrl }),
  });
}

/** The application could not be reached, and the form is back in its place. */
export function answerFormUnsent(entry: PublicRequest, response: ServerResponse, id: string): void {
  const { requestId, snapshot } = entry;
  sendAnswer(entry.request, response, {
    status: 502,
    code: 'upstream_unreachable',
    message: 'The application could not be reached. The form is still kept.',
    requestId,
    page: unsentFormPage({ formUrl: formPath(snapshot.prefix, id), requestId }),
  });
}

// Everything else that can stop a request, in words for the person in front of it, by status and, where it says more,
// by code.

import { type Html, html } from './html.ts';
import { mainAction, otherAction, pageLayout } from './page-layout.ts';

export interface ErrorPageOptions {
  readonly status: number;
  /** The failure's stable code, where one of ERROR_TEXTS is more exact than the status. */
  readonly code?: string;
  readonly requestId: string;
}

interface ErrorText {
  readonly title: string;
  readonly body: Html;
  readonly next: 'retry' | 'start page' | 'nothing';
}

const ERROR_TEXTS: Readonly<Record<string, ErrorText>> = {
  400: {
    title: 'This request cannot be passed on',
    body: html`<p>Its address or headers are malformed, or could mean two different things. It was stopped here and has not reached the application.</p>`,
    next: 'start page',
  },
  ambiguous_cookie: {
    title: 'Your browser sent two sessions',
    body: html`<p>Two session cookies came for this site, and the gate cannot tell which one is yours. Both were removed. Try again; if this page comes back, clear the cookies of this site and of its sister sites.</p>`,
    next: 'retry',
  },
  token_needed: {
    title: 'This address is for programs',
    body: html`<p>It is opened with an access token, and a browser has none to show.</p>`,
    next: 'nothing',
  },
  invalid_token: {
    title: 'This access token opens nothing here',
    body: html`<p>It has expired, its session has ended, or it is meant for something else. A new one may help.</p>`,
    next: 'nothing',
  },
  404: {
    title: 'There is nothing here',
    body: html`<p>No application is served at this address. Check it for a typing mistake, or begin at the start page.</p>`,
    next: 'start page',
  },
  405: {
    title: 'This cannot be done here',
    body: html`<p>The address exists, but not for this kind of request.</p>`,
    next: 'start page',
  },
  408: {
    title: 'The request took too long to arrive',
    body: html`<p>The connection may be slow or broken. Nothing has reached the application.</p>`,
    next: 'retry',
  },
  413: {
    title: 'That is too large',
    body: html`<p>More was sent than is accepted here. Nothing has been saved.</p>`,
    next: 'nothing',
  },
  414: {
    title: 'The address is too long',
    body: html`<p>It is longer than any address that is served here, and has not been passed on.</p>`,
    next: 'start page',
  },
  421: {
    title: 'This address is not served here',
    body: html`<p>Your browser reached a gate that does not know the name in the address bar. Check the address; if a link led you here, tell whoever runs the site that it came from.</p>`,
    next: 'nothing',
  },
  429: {
    title: 'Too much at once',
    body: html`<p>Wait a moment, then try again.</p>`,
    next: 'retry',
  },
  431: {
    title: 'The request is too large',
    body: html`<p>Your browser sent more headers than are accepted. If this happens on every page, clear the cookies of this site.</p>`,
    next: 'start page',
  },
  500: {
    title: 'Something went wrong here',
    body: html`<p>It is not your fault. The request was stopped at the gate; trying again may help.</p>`,
    next: 'retry',
  },
  502: {
    title: 'The application does not answer',
    body: html`<p>You are where you should be, but the application behind this gate cannot be reached, or its answer made no sense. It may be restarting.</p>`,
    next: 'retry',
  },
  503: {
    title: 'The gate is closed for the moment',
    body: html`<p>It cannot be checked right now who you are, so nobody is let through. You are not signed out; it opens again by itself.</p>`,
    next: 'retry',
  },
  504: {
    title: 'The application takes too long',
    body: html`<p>The application behind this gate was asked and has not answered in time. What you asked for may still happen: look before you send it again.</p>`,
    next: 'retry',
  },
  upstream_ntlm: {
    title: 'This application cannot be used through the gate',
    body: html`<p>It asks for a Windows sign-in (NTLM or Negotiate), which belongs to a network connection and not to a person. Connections to applications are shared behind this gate, so another user could be taken for you.</p>
<p>Whoever runs the application can turn that sign-in off: you have signed in here already.</p>`,
    next: 'nothing',
  },
  form_unanswered: {
    title: 'The application has not answered',
    body: html`<p>Your form was handed to it, and no answer came back. It may well have arrived: look there before you type it in again.</p>`,
    next: 'start page',
  },
  provider_unavailable: {
    title: 'Sign-in is not possible at the moment',
    body: html`<p>The sign-in service cannot be reached. Who is signed in already can go on working; try again in a moment.</p>`,
    next: 'retry',
  },
};

/** A page for any status: the exact text where there is one, else that of 500 or 400. */
export function errorPage(options: ErrorPageOptions): string {
  const { status, code, requestId } = options;
  const text =
    (code !== undefined && Object.hasOwn(ERROR_TEXTS, code) ? ERROR_TEXTS[code] : undefined) ??
    ERROR_TEXTS[status] ??
    ERROR_TEXTS[status >= 500 ? 500 : 400]!;
  return pageLayout({
    title: text.title,
    gate: 'lowered',
    body: text.body,
    actions: actionsOf(text.next),
    status,
    requestId,
  });
}

function actionsOf(next: ErrorText['next']): readonly Html[] {
  if (next === 'nothing') return [];
  // An empty address is the page's own: a GET of it, also after a form.
  return next === 'retry' ? [mainAction('', 'Try again')] : [otherAction('/', 'Start page')];
}

// A form that arrived when its user's session was over, or its sign-in too weak for it: kept, ready to be sent, or not here
// any more. The page runs no script; the form is sent by a button.

import { html } from './html.ts';
import { mainAction, mainActionOnTop, mainButton, otherAction, otherButton, pageLayout } from './page-layout.ts';

/** Nobody is signed in, so nothing is told of the form. `signInUrl` leads back here. */
export function keptFormPage(options: { readonly signInUrl: string; readonly minutesLeft: number }): string {
  return pageLayout({
    title: 'Your form is kept',
    gate: 'lowered',
    body: html`<p>Your session had ended when you sent it, so it has not reached the application. Nothing that you typed is lost.</p>
<p>Sign in again as the same user, and you can send it with one click. It is kept here, encrypted, for ${minutes(options.minutesLeft)}.</p>`,
    actions: [mainActionOnTop(options.signInUrl, 'Sign in')],
  });
}

/** For the user whose form it is, who is signed in, and not as strongly as where it goes asks for. `signInUrl` leads back here. */
export function weakFormPage(options: {
  readonly user: string;
  readonly path: string;
  readonly signInUrl: string;
  readonly minutesLeft: number;
}): string {
  return pageLayout({
    title: 'Your form is kept',
    gate: 'lowered',
    body: html`<p>You are signed in as <strong>${options.user}</strong>, but <strong>${options.path}</strong>, where you sent it, asks for a stronger sign-in, for example with a second factor. So it has not reached the application. Nothing that you typed is lost.</p>
<p>Sign in once more, and you can send it with one click. It is kept here, encrypted, for ${minutes(options.minutesLeft)}.</p>`,
    actions: [mainActionOnTop(options.signInUrl, 'Sign in')],
  });
}

export interface ReadyFormOptions {
  readonly user: string;
  /** The path that it was sent to. */
  readonly path: string;
  readonly bytes: number;
  readonly minutesLeft: number;
  readonly sendAction: string;
  readonly discardAction: string;
}

/** For the user whose form it is. Served with formPagePolicy. */
export function readyFormPage(options: ReadyFormOptions): string {
  const { user, path, bytes, minutesLeft, sendAction, discardAction } = options;
  return pageLayout({
    title: 'Send your form now?',
    gate: 'raised',
    body: html`<p>You are signed in as <strong>${user}</strong>, and your form is still here as you sent it: ${sizeText(bytes)} for <strong>${path}</strong>.</p>
<p>The application has not received it. It is sent once, when you say so, and kept for ${minutes(minutesLeft)}.</p>`,
    actions: [mainButton(sendAction, 'Send it now'), otherButton(discardAction, 'Discard it')],
    referrer: 'same-origin',
  });
}

/** The application could not be reached, so nothing of the form was sent. `formUrl` leads back to it. */
export function unsentFormPage(options: { readonly formUrl: string; readonly requestId: string }): string {
  return pageLayout({
    title: 'The application does not answer',
    gate: 'lowered',
    body: html`<p>It could not be reached, so your form has not been sent. It is still kept here; try again in a moment.</p>`,
    actions: [mainAction(options.formUrl, 'Back to the form')],
    status: 502,
    requestId: options.requestId,
  });
}

/** Why a form is not here any more. */
export type FormGone = 'sent' | 'unknown' | 'other user' | 'discarded';

const GONE_TEXTS: Readonly<Record<FormGone, { title: string; text: string; status: number }>> = {
  sent: {
    title: 'This form has been sent',
    text: 'The application got it when you first said so. It is not sent a second time; look there for what has become of it.',
    status: 410,
  },
  unknown: {
    title: 'This form is not here any more',
    text: 'Forms are kept for half an hour at most, and not beyond a restart of this gate. The application has not received it from here. If its page is still open somewhere, send it again from there.',
    status: 410,
  },
  'other user': {
    title: 'This form was somebody else’s',
    text: 'Another user had filled it in, and only that user could have had it sent. It has been removed, and the application has not received it.',
    status: 410,
  },
  discarded: {
    title: 'The form has been discarded',
    text: 'It has been removed, and the application has not received it.',
    status: 200,
  },
};

/** The status that the page is served with. */
export function goneFormStatus(why: FormGone): number {
  return GONE_TEXTS[why].status;
}

/** `continueUrl`: the page of the application that the form was for, where that may be told. */
export function goneFormPage(options: { readonly why: FormGone; readonly continueUrl: string }): string {
  const { title, text } = GONE_TEXTS[options.why];
  return pageLayout({
    title,
    gate: options.why === 'other user' ? 'lowered' : 'raised',
    body: html`<p>${text}</p>`,
    actions: [otherAction(options.continueUrl, 'To the application')],
  });
}

function minutes(left: number): string {
  return left === 1 ? 'another minute' : `another ${left} minutes`;
}

/** For people: exact enough to know the form again. */
export function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

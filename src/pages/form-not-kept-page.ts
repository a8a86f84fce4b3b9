// A form that met no session, or not a strong enough one, and is not kept. It is the answer at the form's own address, so that
// the browser still has what was typed, and sends it again when this page is loaded again.

import { type Html, html } from './html.ts';
import { sizeText } from './kept-form-page.ts';
import { mainActionBeside, pageLayout } from './page-layout.ts';

export type FormNotKept =
  /** Nobody knows whose it is. */
  | 'nobody'
  | 'too large'
  | 'too many'
  | 'incomplete'
  /** The store failed. */
  | 'unavailable'
  /** The session ended with the form under way. */
  | 'cut';

/** `any`: nobody is signed in; `stronger`: somebody is, and not strongly enough for where the form was sent to. */
export type MissingSignIn = 'any' | 'stronger';

export interface FormNotKeptOptions {
  readonly why: FormNotKept;
  readonly missing: MissingSignIn;
  /** Opened in another window; leads to a page that says so. */
  readonly signInUrl: string;
  readonly status: number;
  /** The largest form that is kept. */
  readonly maxBytes?: number | undefined;
  readonly requestId: string;
}

export function formNotKeptPage(options: FormNotKeptOptions): string {
  const { why, signInUrl, status, requestId } = options;
  return pageLayout({
    title: why === 'cut' ? 'Your session has ended' : 'Your form has not been sent',
    gate: 'lowered',
    body: html`<p>${reason(options)}</p>
<p class="note">Leave this page open: your browser still has what you typed. Sign in in another window, come back here and load this page again; your browser asks whether to send the form once more.</p>`,
    actions: [mainActionBeside(signInUrl, 'Sign in in another window')],
    status,
    requestId,
  });
}

function reason({ why, missing, maxBytes }: FormNotKeptOptions): Html {
  const lack =
    missing === 'any'
      ? 'You are not signed in any more'
      : 'What you have sent this form to asks for a stronger sign-in, for example with a second factor';
  switch (why) {
    case 'too large':
      return html`${lack}, and the form is larger than the ${sizeText(maxBytes ?? 0)} that are kept here until you are. It has not reached the application.`;
    case 'too many':
      return html`${lack}, and too many forms are waiting here already to keep this one until you are. It has not reached the application.`;
    case 'incomplete':
      return html`${lack}, and the form did not arrive here whole. Nothing of it has reached the application.`;
    case 'unavailable':
      return html`${lack}, and the form cannot be kept here at the moment. It has not reached the application.`;
    case 'cut':
      return html`It ended while your form was on its way. The application may have received it, so look there before you send it again.`;
    default:
      return html`${missing === 'any' ? 'You are not signed in, or your session has ended' : lack}. The form has not reached the application.`;
  }
}

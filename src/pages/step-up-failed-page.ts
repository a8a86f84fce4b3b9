// 403: the provider was asked for a stronger sign-in, and what came back is not strong enough. It is asked again only when the
// user says so.

import { html } from './html.ts';
import { mainAction, otherAction, pageLayout } from './page-layout.ts';

export interface StepUpFailedOptions {
  /** Who is signed in. */
  readonly user: string;
  /** Asks the provider once more, and leads to the page that was wanted. */
  readonly retryUrl: string;
  /** The way leads to a form that is kept. */
  readonly forForm?: boolean;
  /** Signs out, and leads to the page by the sign-in of another account. */
  readonly logoutUrl: string;
  readonly requestId: string;
}

export function stepUpFailedPage(options: StepUpFailedOptions): string {
  const { user, retryUrl, forForm = false, logoutUrl, requestId } = options;
  return pageLayout({
    title: 'This page asks for a stronger sign-in',
    gate: 'lowered',
    body: html`<p>You are signed in as <strong>${user}</strong>. The page that you wanted asks for more, for example a second factor, and the sign-in service has not asked you for it, or cannot.</p>
<p>If you have no second factor yet, set one up in your account there. If you have, pass on the reference below to whoever runs this site: the sign-in service may not know what is asked of it.</p>${
      forForm ? html`\n<p>Your form is still kept here. “Try again” leads back to it.</p>` : undefined
    }`,
    actions: [
      mainAction(retryUrl, 'Try again'),
      otherAction(logoutUrl, 'Use another account'),
      otherAction('/', 'Start page'),
    ],
    status: 403,
    requestId,
  });
}

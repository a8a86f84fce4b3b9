// 403: the provider was asked for a stronger sign-in, and what came back is not strong enough. It never asks again by itself.

import { html } from './html.ts';
import { mainAction, otherAction, pageLayout } from './page-layout.ts';

export interface StepUpFailedOptions {
  /** Who is signed in. */
  readonly user: string;
  /** The page that was wanted: to open it asks the provider once more. */
  readonly retryUrl: string;
  /** Signs out, so that another account can be used. */
  readonly logoutUrl: string;
  readonly requestId: string;
}

export function stepUpFailedPage({ user, retryUrl, logoutUrl, requestId }: StepUpFailedOptions): string {
  return pageLayout({
    title: 'This page asks for a stronger sign-in',
    gate: 'lowered',
    body: html`<p>You are signed in as <strong>${user}</strong>. The page that you wanted asks for more, for example a second factor, and the sign-in service has not asked you for it, or cannot.</p>
<p>If you have no second factor yet, set one up in your account there. If you have, pass on the reference below to whoever runs this site: the sign-in service may not know what is asked of it.</p>`,
    actions: [
      mainAction(retryUrl, 'Try again'),
      otherAction(logoutUrl, 'Use another account'),
      otherAction('/', 'Start page'),
    ],
    status: 403,
    requestId,
  });
}

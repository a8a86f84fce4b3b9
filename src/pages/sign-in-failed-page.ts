// A sign-in that did not complete; it offers to start again and never does so by itself (no loops).

import { html } from './html.ts';
import { mainActionOnTop, pageLayout } from './page-layout.ts';

export interface SignInFailedOptions {
  readonly status: number;
  /** What may be said in public. */
  readonly message: string;
  /** Starts a new attempt. */
  readonly signInUrl: string;
  readonly requestId: string;
}

export function signInFailedPage(options: SignInFailedOptions): string {
  return pageLayout({
    title: 'Sign-in did not complete',
    gate: 'lowered',
    body: html`<p>${options.message}</p>
<p>Nothing has been changed. Starting again usually helps; if it does not, pass on the reference below to whoever runs this site.</p>`,
    actions: [mainActionOnTop(options.signInUrl, 'Start again')],
    status: options.status,
    requestId: options.requestId,
  });
}

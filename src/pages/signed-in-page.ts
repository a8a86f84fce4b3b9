// The step between sign-in and the page that was wanted, where the session cookie is SameSite=Strict.

import { html } from './html.ts';
import { mainAction, pageLayout } from './page-layout.ts';

export function signedInPage(options: { readonly continueUrl: string }): string {
  return pageLayout({
    title: 'You are signed in',
    gate: 'raised',
    body: html`<p>Your page opens in a moment.</p>`,
    actions: [mainAction(options.continueUrl, 'Continue')],
  });
}

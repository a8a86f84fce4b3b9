// One more click ends the session at the provider: what has to be posted there does not fit into an address, and our pages
// run no scripts. The only page with a token in it: the user's own ID token, for the provider that issued it
// (OpenID Connect RP-Initiated Logout 1.0 section 2: POST). Served with formPagePolicy.

import { html, linkAddress } from './html.ts';
import { pageLayout } from './page-layout.ts';

export interface FinishLogoutOptions {
  /** The provider's address, and what to post there. */
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

export function finishLogoutPage({ action, fields }: FinishLogoutOptions): string {
  const inputs = Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  );
  return pageLayout({
    title: 'One more step',
    gate: 'raised',
    body: html`<p>Your session here has ended, and everything that was still running in it was stopped.</p>
<p class="note">You are still signed in at your sign-in service. Go on, and you are signed out there and in other applications too.</p>`,
    actions: [
      html`<form method="post" action="${linkAddress(action)}">${inputs}<button class="button" type="submit">Sign out everywhere</button></form>`,
    ],
  });
}

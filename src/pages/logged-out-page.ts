// The page after logout. It checks nothing and breaks on nothing.

import { html } from './html.ts';
import { mainActionOnTop, pageLayout } from './page-layout.ts';

export interface LoggedOutOptions {
  readonly signInUrl: string;
  /** The local session is over, but the provider could not be asked to end its own. */
  readonly providerUnreachable?: boolean;
}

export function loggedOutPage(options: LoggedOutOptions): string {
  return pageLayout({
    title: 'You are signed out',
    gate: 'raised',
    body: html`<p>Your session here has ended, and everything that was still running in it was stopped.</p>
${
  options.providerUnreachable
    ? html`<p class="note">Your sign-in service could not be reached, so you may still be signed in there and in other applications. On a shared computer, close all windows of this browser.</p>`
    : undefined
}`,
    actions: [mainActionOnTop(options.signInUrl, 'Sign in again')],
  });
}

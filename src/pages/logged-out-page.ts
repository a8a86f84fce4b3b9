// The page after logout. It checks nothing and breaks on nothing.

import { type Html, html } from './html.ts';
import { mainActionOnTop, otherAction, pageLayout } from './page-layout.ts';

export interface LoggedOutOptions {
  readonly signInUrl: string;
  /** Asks the provider once more, where it could not be asked. */
  readonly tryAgainUrl: string;
  /** Where the user wanted to go, if anywhere. */
  readonly continueUrl?: string | undefined;
  /** What the provider heard; undefined where nobody knows. */
  readonly outcome?: 'sent' | 'no session' | 'unreachable' | 'not offered' | undefined;
}

const ENDED = html`<p>Your session here has ended, and everything that was still running in it was stopped.</p>`;

const WORDS: Readonly<Record<NonNullable<LoggedOutOptions['outcome']>, Html>> = {
  sent: ENDED,
  'no session': html`<p>You had no session here any more. Your sign-in service was asked to sign you out as well.</p>`,
  unreachable: html`<p>You are signed out here, and nothing of your session is still running.</p>
<p class="note">Your sign-in service could not be reached, so you may still be signed in there and in other applications. Try again in a moment; on a shared computer, close all windows of this browser.</p>`,
  'not offered': html`<p>You are signed out here, and nothing of your session is still running.</p>
<p class="note">Your sign-in service does not offer to be signed out from here, so you may still be signed in there and in other applications. On a shared computer, sign out there too, or close all windows of this browser.</p>`,
};

const UNKNOWN = html`<p>If you have just signed out, your session here is over.</p>`;

export function loggedOutPage({ signInUrl, tryAgainUrl, continueUrl, outcome }: LoggedOutOptions): string {
  const [address, label] = continueUrl === undefined ? [signInUrl, 'Sign in again'] : [continueUrl, 'Continue'];
  return pageLayout({
    title: 'You are signed out',
    gate: 'raised',
    body: outcome === undefined ? UNKNOWN : WORDS[outcome],
    actions:
      outcome === 'unreachable'
        ? [mainActionOnTop(tryAgainUrl, 'Sign out there too'), otherAction(address, label)]
        : [mainActionOnTop(address, label)],
  });
}

// Asks before signing out when another site led here: a link must not be able to sign anybody out
// (security catalogue LOGOUT-01). Served with formPagePolicy.

import { html } from './html.ts';
import { mainButton, otherAction, pageLayout } from './page-layout.ts';

/** `action` is where the button posts to: our own logout. */
export function logoutConfirmPage(options: { readonly action: string }): string {
  return pageLayout({
    title: 'Sign out?',
    gate: 'raised',
    body: html`<p>Another page led you here. If you go on, your session ends on this site and with your sign-in service.</p>`,
    actions: [mainButton(options.action, 'Sign out'), otherAction('/', 'Stay signed in')],
    referrer: 'same-origin',
  });
}

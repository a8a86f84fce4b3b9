// 401: nobody is signed in, or the session has ended.

import { html } from './html.ts';
import { mainActionOnTop, pageLayout } from './page-layout.ts';

/** Shown with 401. `signInUrl` leads to sign-in and back; it opens outside any frame. */
export function signInNeededPage(options: { readonly signInUrl: string }): string {
  return pageLayout({
    title: 'Please sign in',
    gate: 'lowered',
    body: html`<p>You are not signed in, or your session has ended. Sign in to go on where you were.</p>`,
    actions: [mainActionOnTop(options.signInUrl, 'Sign in')],
    status: 401,
  });
}

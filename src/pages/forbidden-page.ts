// 403: signed in, and this account may not have this page.

import { html } from './html.ts';
import { mainAction, otherAction, pageLayout } from './page-layout.ts';

export interface ForbiddenOptions {
  /** Who is signed in; undefined where nobody is. */
  readonly user: string | undefined;
  /** Signs out, and leads to the page by the sign-in of another account. */
  readonly logoutUrl: string;
  readonly requestId: string;
}

export function forbiddenPage(options: ForbiddenOptions): string {
  const { user, logoutUrl, requestId } = options;
  return pageLayout({
    title: 'This page is not open to you',
    gate: 'lowered',
    body: html`${
      user === undefined
        ? html`<p>You may not have what you asked for.</p>`
        : html`<p>You are signed in as <strong>${user}</strong>, and this account may not open this page.</p>`
    }
<p>If it should, ask whoever runs this site and pass on the reference below. Signing in again with the same account changes nothing.</p>`,
    actions: user === undefined ? [] : [mainAction(logoutUrl, 'Use another account'), otherAction('/', 'Start page')],
    status: 403,
    requestId,
  });
}

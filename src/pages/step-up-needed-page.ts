// 401: signed in, and this page asks for a stronger sign-in.

import { html } from './html.ts';
import { mainActionOnTop, pageLayout } from './page-layout.ts';

export interface StepUpNeededOptions {
  /** Leads to the stronger sign-in and back: the page itself does. Opens outside any frame. */
  readonly pageUrl: string;
  readonly requestId: string;
}

export function stepUpNeededPage({ pageUrl, requestId }: StepUpNeededOptions): string {
  return pageLayout({
    title: 'Please sign in once more',
    gate: 'lowered',
    body: html`<p>You are signed in, but this page asks for a stronger sign-in, for example with a second factor. Nothing that you sent has reached the application.</p>`,
    actions: [mainActionOnTop(pageUrl, 'Sign in')],
    status: 401,
    requestId,
  });
}

// Where a sign-in ends that was begun in another window, by a page that waits for it.

import { html } from './html.ts';
import { otherAction, pageLayout } from './page-layout.ts';

export function signedInBesidePage(): string {
  return pageLayout({
    title: 'You are signed in',
    gate: 'raised',
    body: html`<p>Close this window and go on in the one that you came from.</p>`,
    actions: [otherAction('/', 'Start page')],
  });
}

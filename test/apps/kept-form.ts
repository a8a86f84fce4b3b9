// The way of a form that came when the session was over, as its user goes it: the gate's page, sign-in, and one click.

import assert from 'node:assert/strict';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import type { AppScene } from './app-scene.ts';

/** From the page that says that the form is kept to the application's answer. */
export async function sendKept(scene: AppScene, browser: BrowserClient, kept: Page, user: string): Promise<Page> {
  assert.match(kept.text, /Your form is kept/);
  const [, href] = /href="([^"]*)"[^>]*>Sign in/.exec(kept.text)!;
  const provider = await browser.navigate(new URL(href!.replaceAll('&amp;', '&'), kept.url), { site: 'same-origin' });
  return browser.submit(await scene.provider.signIn(browser, provider, user), {}, 'Send it now');
}

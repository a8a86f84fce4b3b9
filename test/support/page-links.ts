// Where the links and the buttons of a page of the gate's lead.

import assert from 'node:assert/strict';
import type { Page } from './browser-client.ts';

export function linkOf(page: Page, label: string): string {
  const [, href] =
    new RegExp(`href="([^"]+)"[^>]*>${label}<`).exec(page.text) ?? assert.fail(`no ${label} in ${page.text}`);
  return new URL(href!.replaceAll('&amp;', '&'), page.url).href;
}

export function actionOf(page: Page, label: string): string {
  const [, action] =
    new RegExp(`action="([^"]+)"><button[^>]*>${label}<`).exec(page.text) ?? assert.fail(`no ${label} in ${page.text}`);
  return new URL(action!.replaceAll('&amp;', '&'), page.url).href;
}

// A sign-in up to the moment in which the browser would come back with its answer.

import type { BrowserClient } from './browser-client.ts';

/** Goes where redirects lead from `address`, and returns the callback to which the next one does: nobody has asked for it yet. */
export async function callbackOf(browser: BrowserClient, address: string | URL): Promise<URL> {
  let next = new URL(address);
  do {
    const { headers } = await browser.request(next, { mode: 'navigate' });
    next = new URL(headers.location!, next);
  } while (!next.pathname.endsWith('/callback'));
  return next;
}

// Whether a session is over for whoever still holds its cookie: what comes next must be refused, in each of the ways that a
// request can come.

import type { Browser } from '../browser/browser.ts';
import { handshakeStatus } from '../browser/open-web-socket.ts';

export interface Refusals {
  /** Milliseconds after the end was answered. */
  readonly afterMs: number;
  /** Status of a script's request, of a navigation, and of a WebSocket's handshake where the drill has one. */
  readonly script: number;
  readonly page: number;
  readonly webSocket: number | undefined;
  /** Each as an anonymous visitor gets it. */
  readonly areComplete: boolean;
}

export interface Probed {
  readonly pageUrl: string;
  readonly webSocketUrl: string | undefined;
  readonly answeredAtMs: number;
}

export async function refusals(browser: Browser, { pageUrl, webSocketUrl, answeredAtMs }: Probed): Promise<Refusals> {
  const afterMs = performance.now() - answeredAtMs;
  const script = await browser.ask(pageUrl, { as: 'script' });
  const page = await browser.ask(pageUrl, { as: 'page' });
  const webSocket = webSocketUrl === undefined ? undefined : await handshakeStatus(browser, webSocketUrl);
  const leadsAway = page.location !== undefined && new URL(page.location).origin !== new URL(pageUrl).origin;
  return {
    afterMs,
    script: script.status,
    page: page.status,
    webSocket,
    areComplete: script.status === 401 && (leadsAway || page.status === 401) && [undefined, 401].includes(webSocket),
  };
}

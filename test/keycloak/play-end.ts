// One end of the table, played with live connections on every side: what had to stop has stopped when the notice was
// answered, what is refused is refused in the right way, and nobody else notices anything.

import assert from 'node:assert/strict';
import type { BrowserClient } from '../support/browser-client.ts';
import type { EndAtKeycloak } from './ends-at-keycloak.ts';
import type { RelayedExchange } from './http-relay.ts';
import { LiveSet } from './live-set.ts';
import type { Stage } from './stage.ts';

/** Keycloak gives a receiver five seconds; here a hundred connections are live on two cores, Keycloak's own. */
const NOTICE_LIMIT_MS = 1_000;

export interface Played {
  /** Has nothing but the cookie of the session that ended. */
  readonly old: BrowserClient;
  /** Whose session ended, and who has signed in again since. */
  readonly browser: BrowserClient;
  readonly others: readonly { browser: BrowserClient; live: LiveSet }[];
}

/** What a session that is over gets: sign-in for a navigation, a plain 401 for everything else. */
export async function assertRefused(stage: Stage, browser: BrowserClient): Promise<void> {
  const navigation = await browser.request(`${stage.url}/echo`, { mode: 'navigate', site: 'none' });
  assert.equal(navigation.status, 302, 'a navigation');
  assert.ok(navigation.headers.location?.startsWith(`${stage.issuer}/`), navigation.headers.location);
  assert.equal((await browser.request(`${stage.url}/echo`)).status, 401, 'a fetch');
  await assert.rejects(browser.openWebSocket(`${stage.url}/ws`).opened, { status: 401 }, 'a WebSocket');
}

/** A browser that has nothing but the session cookie of `browser`. */
export function holderOfCookie(stage: Stage, browser: BrowserClient): BrowserClient {
  const holder = stage.browser();
  holder.cookies.put('portcullis', browser.cookies.value('portcullis', stage.url)!, stage.url);
  return holder;
}

/**
 * Signs the row's user in twice and another user once, with every kind of connection live; ends the first of them (the
 * second too, where the row does); looks at all; and signs the user in again.
 */
export async function playEnd(stage: Stage, row: EndAtKeycloak): Promise<Played> {
  const { user } = row;
  const [browser, otherBrowser, otherUser] = [stage.browser(), stage.browser(), stage.browser()];
  await stage.signIn(browser, user);
  const sid = await stage.onlySid(user);
  await stage.signIn(otherBrowser, user);
  const otherSid = await stage.otherSid(user, sid);
  await stage.signIn(otherUser, 'bob');
  const end = await row.prepare({ stage, browser, sid, otherBrowser });
  const old = holderOfCookie(stage, browser);
  const live = await LiveSet.open(stage, browser, `${user}-1`);
  const otherLive = await LiveSet.open(stage, otherBrowser, `${user}-2`);
  const stranger = await LiveSet.open(stage, otherUser, `${user}-bob`);

  const ending = end();
  const notice = await answeredInTime(stage, sid);
  await live.assertCut(notice.answeredAt);
  await assertRefused(stage, old);
  const others = [{ browser: otherUser, live: stranger }];
  if (row.otherBrowser === 'lives') others.push({ browser: otherBrowser, live: otherLive });
  else await otherLive.assertCut((await answeredInTime(stage, otherSid)).answeredAt);
  await ending;
  for (const other of others) await other.live.assertLive(notice.answeredAt);
  assert.equal((await stage.signIn(browser, user)).status, 200, 'signing in again');
  return { old, browser, others };
}

/** The notice about the session `sid`, accepted in time. */
export async function answeredInTime(stage: Stage, sid: string, limitMs = NOTICE_LIMIT_MS): Promise<RelayedExchange> {
  const notice = await stage.notice((claims) => claims.sid === sid);
  assert.equal(notice.status, 200);
  const tookMs = notice.answeredAt - notice.receivedAt;
  assert.ok(tookMs < limitMs, `the notice was answered after ${tookMs} ms`);
  return notice;
}

// The promise against the real Keycloak: whatever ends the session there has stopped everything here when its notice is
// answered, closes it a moment later, and touches nobody else (design: what ends a session, and what "instantly" means).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserClient } from '../support/browser-client.ts';
import type { LogLine } from '../support/gate-process.ts';
import { instant } from '../support/instant.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { Stage } from './stage.ts';

// The access token's life: what was ended must still be ended after it, and what lives on must have been refreshed.
const TOKEN_SECONDS = 60;

/** How a session is ended away from the gate; each with a user of its own, since the tests run side by side. */
interface Elsewhere {
  readonly title: string;
  readonly user: string;
  /** What comes before the end; returns the end itself. */
  prepare(stage: Stage, browser: BrowserClient, sid: string): Promise<() => Promise<unknown>>;
}

const ELSEWHERE: readonly Elsewhere[] = [
  {
    title: 'logout at a second application',
    user: 'alice',
    prepare: async ({ issuer, secondApp }, browser) => {
      const idToken = await secondApp.signIn(browser, issuer);
      return () => secondApp.signOut(browser, { issuer, idToken });
    },
  },
  {
    title: '"sign out" of the session in the admin console',
    user: 'carol',
    prepare: async ({ keycloak, realm }, _, sid) => {
      return () => keycloak.admin.deleteSession(realm, sid);
    },
  },
];

/** What a session that is over gets: sign-in for a navigation, a plain 401 for everything else. */
async function assertRefused(stage: Stage, browser: BrowserClient): Promise<void> {
  const navigation = await browser.request(`${stage.url}/echo`, { mode: 'navigate', site: 'none' });
  assert.equal(navigation.status, 302, 'a navigation');
  assert.ok(navigation.headers.location?.startsWith(`${stage.issuer}/`), navigation.headers.location);
  assert.equal((await browser.request(`${stage.url}/echo`)).status, 401, 'a fetch');
  await assert.rejects(browser.openWebSocket(`${stage.url}/ws`).opened, { status: 401 }, 'a WebSocket');
}

/** A browser that has nothing but the session cookie of `browser`. */
function holderOfCookie(stage: Stage, browser: BrowserClient): BrowserClient {
  const holder = stage.browser();
  holder.cookies.put('portcullis', browser.cookies.value('portcullis', stage.url)!, stage.url);
  return holder;
}

describe('a session that ends', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { accessTokenSeconds: TOKEN_SECONDS });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  for (const { title, user, prepare } of ELSEWHERE) {
    test(`${title} cuts what is live, refuses what comes, and touches no other session`, async () => {
      const [browser, sameUser, otherUser] = [stage.browser(), stage.browser(), stage.browser()];
      await stage.signIn(browser, user);
      const sid = await stage.onlySid(user);
      const end = await prepare(stage, browser, sid);
      await stage.signIn(sameUser, user);
      await stage.signIn(otherUser, 'bob');
      const old = holderOfCookie(stage, browser);
      const live = await LiveSet.open(stage, browser, `${user}-1`);
      const others = [
        await LiveSet.open(stage, sameUser, `${user}-2`),
        await LiveSet.open(stage, otherUser, `${user}-bob`),
      ];

      const ending = end();
      const notice = await stage.notice(({ sid: named }) => named === sid);
      assert.equal(notice.status, 200);
      await live.assertCut(notice.answeredAt);
      await assertRefused(stage, old);
      await ending;
      for (const other of others) await other.assertLive(notice.answeredAt);

      assert.equal((await stage.signIn(browser, user)).status, 200, 'signing in again');

      await delay(TOKEN_SECONDS * 1_000);
      await assertRefused(stage, old);
      for (const other of others) await other.assertLive(instant());
      for (const other of [sameUser, otherUser, browser]) {
        assert.equal((await other.request(`${stage.url}/echo`)).status, 200, 'another session');
      }
    });
  }

  test('logout at the gate ends the SSO session too, without a page that asks', async () => {
    const [browser, otherUser] = [stage.browser(), stage.browser()];
    await stage.signIn(browser, 'dave');
    await stage.signIn(otherUser, 'bob');
    const old = holderOfCookie(stage, browser);
    const live = await LiveSet.open(stage, browser, 'dave');
    const other = await LiveSet.open(stage, otherUser, 'dave-bob');

    const answer = await browser.request(`${stage.url}/_gate/logout`, {
      method: 'POST',
      mode: 'navigate',
      headers: { Origin: stage.url },
    });
    const answeredAt = instant();
    assert.equal(answer.status, 303);
    await live.assertCut(answeredAt);
    await assertRefused(stage, old);

    const page = await browser.navigate(answer.headers.location!);
    assert.equal(new URL(page.url).pathname, '/_gate/logged-out');
    assert.equal(page.status, 200);
    assert.deepEqual(await keycloak.admin.sessions(stage.realm, 'dave'), []);
    const form = await browser.navigate(`${stage.url}/echo`);
    assert.match(form.text, /id="kc-form-login"/, 'the next sign-in asks for the password');
    await other.assertLive(answeredAt);
    assert.equal((await stage.signIn(browser, 'dave')).status, 200, 'signing in again');
  });

  test(`a session in use lives on past its access token of ${TOKEN_SECONDS} s, by a refresh that Keycloak saw`, async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'frank');
    const [before] = await keycloak.admin.sessions(stage.realm, 'frank');
    const signedInAt = instant();
    const isFranks = (line: LogLine) => line['user'] === 'frank';
    while (instant() - signedInAt < (TOKEN_SECONDS + 2) * 1_000) {
      assert.equal((await browser.request(`${stage.url}/echo`)).status, 200);
      await delay(1_000);
    }
    assert.ok(stage.gate.log.some((line) => line.event === 'session.refreshed' && isFranks(line)));
    const [now] = await keycloak.admin.sessions(stage.realm, 'frank');
    assert.equal(now!.id, before!.id);
    assert.ok(now!.lastAccess > before!.lastAccess, 'Keycloak saw no refresh');
  });
});

// A withdrawn consent: Keycloak tells the one client, and its SSO session lives on. What was signed in is over; a new
// sign-in on the same SSO session is a new session (design: tombstones).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { answeredInTime, assertRefused, holderOfCookie } from './play-end.ts';
import { Stage } from './stage.ts';

describe('a client that needs the consent of its users', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { client: () => ({ consentRequired: true }) });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  async function consenting(browser: BrowserClient, user: string): Promise<Page> {
    return browser.submit(await stage.signIn(browser, user), { accept: 'Yes' }, 'consent');
  }

  test('a consent that is withdrawn cuts what is live, and giving it again signs in at once, on the same SSO session', async () => {
    const [browser, stranger] = [stage.browser(), stage.browser()];
    assert.equal((await consenting(browser, 'alice')).url, `${stage.url}/echo`);
    await consenting(stranger, 'bob');
    const sid = await stage.onlySid('alice');
    const live = await LiveSet.open(stage, browser, 'alice');
    const other = await LiveSet.open(stage, stranger, 'bob');
    const old = holderOfCookie(stage, browser);

    await keycloak.admin.revokeConsent(stage.realm, 'alice', 'gate');
    const notice = await answeredInTime(stage, sid);
    await live.assertCut(notice.answeredAt);
    await assertRefused(stage, old);
    await other.assertLive(notice.answeredAt);

    assert.equal(await stage.onlySid('alice'), sid, 'the SSO session lives');
    const question = await browser.navigate(`${stage.url}/echo`);
    assert.equal((await browser.submit(question, { accept: 'Yes' }, 'consent')).url, `${stage.url}/echo`);
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 200);
    await assertRefused(stage, old);
  });
});

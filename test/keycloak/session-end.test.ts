// The promise against the real Keycloak: whatever ends the session there has stopped everything here when its notice is
// answered, closes it a moment later, and touches nobody else (design: what ends a session, and what "instantly" means).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { LogLine } from '../support/gate-process.ts';
import { instant } from '../support/instant.ts';
import { ENDING_USERS, ENDS_AT_KEYCLOAK } from './ends-at-keycloak.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { assertRefused, holderOfCookie, playEnd } from './play-end.ts';
import { Stage } from './stage.ts';

// The access token's life: what was ended must still be ended after it, and what lives on must have been refreshed.
const TOKEN_SECONDS = 60;

describe('a session that ends', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { accessTokenSeconds: TOKEN_SECONDS, users: ENDING_USERS });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  for (const row of ENDS_AT_KEYCLOAK) {
    test(`${row.title} cuts what is live, refuses what comes, and touches no other session`, async () => {
      const { old, browser, others } = await playEnd(stage, row);
      await delay(TOKEN_SECONDS * 1_000);
      await assertRefused(stage, old);
      for (const { live } of others) await live.assertLive(instant());
      for (const lasting of [browser, ...others.map((other) => other.browser)]) {
        assert.equal((await lasting.request(`${stage.url}/echo`)).status, 200, 'another session');
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

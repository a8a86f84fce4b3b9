// Logout at Keycloak 18.0.2, which was given the option that makes it understand `redirect_uri` as its predecessors did:
// the gate speaks that to it with `provider.legacy_logout_redirect_uri`, and the standard's words without.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Answer, BrowserClient } from '../../support/browser-client.ts';
import { KeycloakServer } from '../keycloak-server.ts';
import { Stage } from '../stage.ts';

describe('logout at Keycloak 18.0.2', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let legacy: Stage;
  let standard: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use('18.0.2');
    const logout_token = { require_exp: false };
    legacy = await Stage.set(keycloak, { provider: { logout_token, legacy_logout_redirect_uri: true } });
    standard = await Stage.set(keycloak, { provider: { logout_token } });
  });

  after(async () => {
    await legacy.close();
    await standard.close();
    await keycloak.stop();
  });

  function logOut(stage: Stage, browser: BrowserClient): Promise<Answer> {
    return browser.request(`${stage.url}/_gate/logout`, { method: 'POST', mode: 'navigate' });
  }

  test('in the old words ends the session at once and comes back', async () => {
    const browser = legacy.browser();
    await legacy.signIn(browser, 'alice');
    const answer = await logOut(legacy, browser);
    const told = [...new URL(answer.headers.location!).searchParams.keys()];
    assert.deepEqual(told.sort(), ['id_token_hint', 'redirect_uri', 'state']);
    const page = await browser.navigate(answer.headers.location!);
    assert.equal(page.status, 200);
    assert.ok(page.url.startsWith(`${legacy.url}/_gate/logged-out`), page.url);
    assert.match(page.text, /You are signed out/);
    assert.deepEqual(await keycloak.admin.sessions(legacy.realm, 'alice'), []);
  });

  test('in the old words and without a session here is asked about, and comes back after the click', async () => {
    const browser = legacy.browser();
    await legacy.signIn(browser, 'bob');
    browser.cookies.remove('portcullis');
    const answer = await logOut(legacy, browser);
    const question = await browser.navigate(answer.headers.location!);
    const page = await browser.submit(question, { confirmLogout: 'yes' }, 'logout-confirm');
    assert.ok(page.url.startsWith(`${legacy.url}/_gate/logged-out`), page.url);
    assert.deepEqual(await keycloak.admin.sessions(legacy.realm, 'bob'), []);
  });

  test('in the words of the standard ends the session at once and comes back with its state', async () => {
    const browser = standard.browser();
    await standard.signIn(browser, 'alice');
    const answer = await logOut(standard, browser);
    const page = await browser.navigate(answer.headers.location!);
    assert.ok(page.url.startsWith(`${standard.url}/_gate/logged-out?state=`), page.url);
    assert.match(page.text, /Your session here has ended/);
    assert.deepEqual(await keycloak.admin.sessions(standard.realm, 'alice'), []);
  });
});

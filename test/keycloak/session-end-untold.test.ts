// Ends of which Keycloak tells nobody, or names only the user: the gate learns of them all the same.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { Stage } from './stage.ts';

describe('a session that Keycloak ends without a notice', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { session: { revalidate: '3s' } });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  for (const { title, end } of [
    { title: 'a disabled user', end: () => keycloak.admin.setEnabled(stage.realm, 'alice', 'disabled') },
    { title: '"sign out all active sessions" of the realm', end: () => keycloak.admin.logoutAll(stage.realm) },
  ]) {
    test(`${title} is cut off by the revalidation of sessions in use`, async () => {
      const browser = stage.browser();
      await keycloak.admin.setEnabled(stage.realm, 'alice', 'enabled');
      await stage.signIn(browser, 'alice');
      const webSocket = browser.openWebSocket(`${stage.url}/ws`);
      await webSocket.opened;
      const [signedIn] = stage.gate.log
        .filter(({ event, user }) => event === 'login.succeeded' && user === 'alice')
        .slice(-1);
      const noticesBefore = stage.relay.exchanges.length;
      await end();
      const { code, reason } = await webSocket.closed;
      assert.deepEqual([code, reason], [1008, 'session ended']);
      assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
      assert.equal(stage.relay.exchanges.length, noticesBefore, 'Keycloak did send a notice');
      const ended = await stage.gate.event('session.ended', (line) => line['session'] === signedIn!['session']);
      assert.equal(ended?.['reason'], 'revalidation');
    });
  }

  test('revalidation alone ends nobody: an idle WebSocket stays open through several rounds', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'bob');
    const live = await LiveSet.open(stage, browser, 'bob');
    await live.assertLiveFor(10_000);
  });
});

describe('a notice that names only the user', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { noticeNames: 'user' });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  test("ends all of the user's sessions and nobody else's, and a new sign-in works at once", async () => {
    const browsers = [stage.browser(), stage.browser()];
    const otherUser = stage.browser();
    for (const browser of browsers) await stage.signIn(browser, 'alice');
    await stage.signIn(otherUser, 'bob');
    const live = [
      await LiveSet.open(stage, browsers[0]!, 'alice-1'),
      await LiveSet.open(stage, browsers[1]!, 'alice-2'),
    ];
    const other = await LiveSet.open(stage, otherUser, 'bob');

    const ending = keycloak.admin.logoutUser(stage.realm, 'alice');
    const notice = await stage.notice(({ sid }) => sid === undefined);
    assert.equal(notice.status, 200);
    for (const set of live) await set.assertCut(notice.answeredAt);
    await ending;
    for (const browser of browsers) assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
    await other.assertLive(notice.answeredAt);
    assert.equal((await stage.signIn(browsers[0]!, 'alice')).status, 200);
  });
});

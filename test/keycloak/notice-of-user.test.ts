// A logout token without a sid: everything of the user ends, whatever the browser.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { Stage } from './stage.ts';

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

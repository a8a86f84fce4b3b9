// A notice that arrives while the gate waits for Keycloak: neither is held up by the other, and what was under way does not
// bring the session back. A relay between the gate and Keycloak's token endpoint holds the answers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { HttpRelay } from './http-relay.ts';
import { PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { LiveSet } from './live-set.ts';
import { answeredInTime } from './play-end.ts';
import { setWithRelay } from './set-with-relay.ts';
import type { Stage } from './stage.ts';

// An answer that waited for Keycloak's own would never come.
const NOTICE_LIMIT_MS = 100;
// Short enough that the refresh comes soon: the gate refreshes before the access token expires.
const TOKEN_SECONDS = 60;

/** Requests of the token endpoint with this grant; the relay sees probes too. */
function isFor(grant: string): (exchange: { body: string }) => boolean {
  return ({ body }) => body.includes(`grant_type=${grant}`);
}

describe('a notice while the gate waits for Keycloak', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;
  let tokenRelay: HttpRelay;

  before(async () => {
    keycloak = await KeycloakServer.use();
    const set = await setWithRelay(keycloak, { accessTokenSeconds: TOKEN_SECONDS });
    stage = set.stage;
    tokenRelay = set.relay;
  });

  after(async () => {
    await stage.close();
    await tokenRelay.close();
    await keycloak.stop();
  });

  async function endHere(user: string): Promise<void> {
    const sid = await stage.onlySid(user);
    await keycloak.admin.deleteSession(stage.realm, sid);
    await answeredInTime(stage, sid, NOTICE_LIMIT_MS);
  }

  test('during the code exchange: the session that was about to begin never does', async () => {
    const browser = stage.browser();
    const form = await browser.navigate(`${stage.url}/echo`);
    const held = tokenRelay.hold(isFor('authorization_code'));
    const arriving = browser.submit(form, { username: 'alice', password: PASSWORD }, 'login-actions');
    assert.equal((await held.first).status, 200);
    await endHere('alice');
    held.release();
    const page = await arriving;
    assert.notEqual(page.url, `${stage.url}/echo`);
    assert.equal(browser.cookies.value('portcullis', stage.url), undefined);
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
    assert.equal((await stage.signIn(browser, 'alice')).status, 200, 'the next sign-in');
  });

  test('during a refresh: the tokens that come back revive nothing', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'carol');
    const webSocket = browser.openWebSocket(`${stage.url}/ws`);
    await webSocket.opened;
    const held = tokenRelay.hold(isFor('refresh_token'));
    const asking = setInterval(() => void browser.request(`${stage.url}/echo`).catch(() => {}), 500);
    const refresh = await held.first.finally(() => clearInterval(asking));
    assert.equal(refresh.status, 200);
    await endHere('carol');
    assert.deepEqual((await webSocket.closed).code, 1008);
    held.release();
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
    await stage.gate.event('session.ended', ({ user }) => user === 'carol');
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
  });

  test('because of a refresh: Keycloak finds that the session has run out, tells the gate, and only then refuses', async (context) => {
    const { stage: short, relay } = await setWithRelay(keycloak, { accessTokenSeconds: 10 });
    context.after(async () => {
      await short.close();
      await relay.close();
    });
    const browser = short.browser();
    await short.signIn(browser, 'alice');
    const sid = await short.onlySid('alice');
    const live = await LiveSet.open(short, browser, 'alice');
    // The session is over by a maximum that was longer when its tokens were made.
    await keycloak.admin.changeRealm(short.realm, { ssoSessionMaxLifespan: 1 });
    const notice = await answeredInTime(short, sid, NOTICE_LIMIT_MS);
    await live.assertCut(notice.answeredAt);
    const refresh = await relay.answered(isFor('refresh_token'));
    assert.ok(refresh.receivedAt < notice.receivedAt && notice.answeredAt < refresh.answeredAt, 'it came in between');
    assert.equal(refresh.status, 400);
    assert.equal((await browser.request(`${short.url}/echo`)).status, 401);
    const ends = short.gate.log.filter((line) => line.event === 'session.ended');
    assert.deepEqual(
      ends.map((line) => line['reason']),
      ['backchannel_logout'],
    );
  });
});

// A notice that arrives while the gate waits for Keycloak: neither is held up by the other, and what was under way does not
// bring the session back. A relay between the gate and Keycloak's token endpoint holds the answers.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { HttpRelay } from './http-relay.ts';
import { PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { Stage } from './stage.ts';

// Keycloak gives a receiver five seconds; an answer that waits for Keycloak's own would never come.
const NOTICE_LIMIT_MS = 1_000;
// Short enough that the refresh comes soon: the gate refreshes before the access token expires.
const TOKEN_SECONDS = 60;

describe('a notice while the gate waits for Keycloak', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;
  let tokenRelay: HttpRelay;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, {
      accessTokenSeconds: TOKEN_SECONDS,
      provider: async (issuer) => {
        tokenRelay = await new HttpRelay(`${issuer}/protocol/openid-connect/token`).listen();
        return { endpoints: { token_endpoint: tokenRelay.url } };
      },
    });
  });

  after(async () => {
    await stage.close();
    await tokenRelay.close();
    await keycloak.stop();
  });

  async function endHere(user: string): Promise<void> {
    const sid = await stage.onlySid(user);
    await keycloak.admin.deleteSession(stage.realm, sid);
    const notice = await stage.notice((claims) => claims.sid === sid);
    assert.equal(notice.status, 200);
    const tookMs = notice.answeredAt - notice.receivedAt;
    assert.ok(tookMs < NOTICE_LIMIT_MS, `answered after ${tookMs} ms`);
  }

  test('during the code exchange: the session that was about to begin never does', async () => {
    const browser = stage.browser();
    const form = await browser.navigate(`${stage.url}/echo`);
    const held = tokenRelay.hold();
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
    const held = tokenRelay.hold();
    const asking = setInterval(() => void browser.request(`${stage.url}/echo`).catch(() => {}), 500);
    const refresh = await held.first.finally(() => clearInterval(asking));
    assert.equal(refresh.status, 200);
    assert.match(refresh.body, /grant_type=refresh_token/);
    await endHere('carol');
    assert.deepEqual((await webSocket.closed).code, 1008);
    held.release();
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
    await stage.gate.event('session.ended', ({ user }) => user === 'carol');
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
  });
});

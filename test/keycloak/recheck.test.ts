// A client of Keycloak that gets no refresh tokens: the browser asks for its session, unseen (`session.recheck`).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import { PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { Stage } from './stage.ts';

// The least that can be configured.
const AFTER_MS = 10_000;

describe('a client without refresh tokens', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, {
      session: { recheck: { after: `${AFTER_MS}ms`, exempt_paths: ['/download'] } },
      client: (noticeBase) => ({
        attributes: {
          'use.refresh.tokens': 'false',
          // Nobody tells the gate.
          'backchannel.logout.url': `${noticeBase}/nobody`,
        },
      }),
    });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  /** Where a navigation went on its way: paths of Keycloak and of the gate. */
  const way = (page: Page) => page.hops.map(({ url }) => new URL(url).pathname.replace(/^\/realms\/[^/]+/, ''));

  async function stale(user: string): Promise<{ browser: BrowserClient; handle: string }> {
    const browser = stage.browser();
    await stage.signIn(browser, user);
    const { text } = await stage.operate('GET', `/api/sessions?user=${user}`);
    const [{ handle }] = (JSON.parse(text) as { sessions: [{ handle: string }] }).sessions;
    await delay(AFTER_MS + 500);
    return { browser, handle };
  }

  test('is signed in on as long as its user is at Keycloak, who sees nothing of it, and no longer', async () => {
    const { browser, handle } = await stale('alice');
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 401);
    const page = await browser.navigate(`${stage.url}/echo?a=1`);
    assert.deepEqual([page.status, page.url], [200, `${stage.url}/echo?a=1`]);
    assert.deepEqual(way(page), ['/echo', '/protocol/openid-connect/auth', '/_gate/callback']);
    await stage.gate.event('session.refreshed', ({ session }) => session === handle);
    const download = browser.download(`${stage.url}/download`);
    assert.equal((await download.head).status, 200);
    await delay(AFTER_MS + 500);

    await keycloak.admin.logoutUser(stage.realm, 'alice');
    await download.moreBytes();
    const form = await browser.navigate(`${stage.url}/echo`);
    assert.deepEqual(way(form).slice(0, 4), [
      '/echo',
      '/protocol/openid-connect/auth',
      '/_gate/callback',
      '/protocol/openid-connect/auth',
    ]);
    assert.ok(form.url.startsWith(stage.issuer), 'Keycloak asks who it is');
    const ended = await stage.gate.event('session.ended', ({ session }) => session === handle);
    assert.deepEqual([ended?.['reason'], ended?.['notice_missed']], ['revalidation', false]);
    assert.equal(await download.ended, 'cut');
    const back = await browser.submit(form, { username: 'alice', password: PASSWORD }, 'login-actions');
    assert.deepEqual([back.status, back.url], [200, `${stage.url}/echo`]);
  });
});

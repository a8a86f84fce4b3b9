// Django's admin behind the gate, known to it by RemoteUserMiddleware, and a second Django site that signs its users in by
// itself with mozilla-django-oidc, in the same realm of a real Keycloak: one click signs out at both.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { acmeRealm, CLIENT_SECRET, PASSWORD } from '../keycloak/keycloak-realm.ts';
import { KeycloakServer } from '../keycloak/keycloak-server.ts';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import { freePort } from '../support/free-port.ts';
import type { GateAddresses } from '../support/gate-process.ts';
import { AppScene, type ScenesProvider } from './app-scene.ts';
import { type DjangoSite, startDjango } from './django-sites.ts';
import { sendKept } from './kept-form.ts';

describe('Django', () => {
  let keycloak: KeycloakServer;
  let sites: DjangoSite[];
  let scene: AppScene;
  /** The origin of the second site. */
  let second: string;

  before(async () => {
    keycloak = await KeycloakServer.use();
    const [port, secondPort] = [await freePort(), await freePort()];
    second = `http://127.0.0.1:${secondPort}`;
    scene = await AppScene.set({
      heading: 'Django',
      upstream: `http://127.0.0.1:${port}`,
      clientId: 'django-gate',
      provider: (addresses) => realm(keycloak, addresses, second),
    });
    sites = await Promise.all([
      startDjango('gated', { port }),
      startDjango('oidc', {
        port: secondPort,
        env: { OIDC_ISSUER: scene.provider.issuer, OIDC_RP_CLIENT_SECRET: CLIENT_SECRET },
      }),
    ]);
  });
  after(async () => {
    await scene.close();
    await Promise.all(sites.map((site) => site.stop()));
    await keycloak.stop();
  });

  const ADMIN = '/admin/';
  const userOf = (page: Page) => /Welcome,\s*<strong>(.*?)<\/strong>/s.exec(page.text)?.[1];
  const isKnownToSecond = (page: Page) => page.text.includes('This site knows alice@acme.example');
  const isAsked = (page: Page) => page.url.startsWith(scene.provider.issuer) && page.text.includes('login-actions');

  /** Signed in at both, by one sign-in. */
  async function atBoth(): Promise<{ browser: BrowserClient; page: Page }> {
    const browser = scene.browser();
    const page = await scene.signIn(browser, 'alice', ADMIN);
    assert.equal(userOf(page), 'alice');
    assert.ok(isKnownToSecond(await browser.navigate(second)));
    return { browser, page };
  }

  test('knows its users without a sign-in of its own, and its cookies stay at the gate', async () => {
    const browser = scene.browser();
    assert.equal(userOf(await scene.signIn(browser, 'alice', ADMIN)), 'alice');
    assert.equal(browser.cookies.names().includes('sessionid'), false);
    const other = await scene.signIn(scene.browser(), 'bob', ADMIN);
    assert.match(other.text, /You are authenticated as bob, but are not authorized/);
    const forged = { headers: { 'X-Remote-User': 'alice', X_Remote_User: 'alice' }, mode: 'navigate' } as const;
    assert.equal((await scene.browser().request(scene.url + ADMIN, forged)).status, 302);
  });

  test('takes a form of its admin, with its protection against other sites', async () => {
    const browser = scene.browser();
    const form = await scene.signIn(browser, 'alice', '/admin/auth/group/add/');
    const saved = await browser.submit(form, { name: 'Größere Gruppe' }, 'id_name');
    assert.equal(saved.url, `${scene.url}/admin/auth/group/`);
    assert.match(saved.text, /was added successfully/);
    assert.match((await scene.click(browser, '/admin/auth/group/')).text, /Größere Gruppe/);
  });

  test('a form that comes when the session is over is kept, and Django refuses its token, which was the last session’s', async () => {
    const browser = scene.browser();
    const form = await scene.signIn(browser, 'alice', '/admin/auth/group/add/');
    await scene.endAtProvider('alice');
    const kept = await browser.submit(form, { name: 'Too late' }, 'id_name');
    const refused = await sendKept(scene, browser, kept, 'alice');
    assert.deepEqual([refused.status, /CSRF verification failed/.test(refused.text)], [403, true]);
  });

  test('its own logout signs out at Keycloak, and with it at the second site', async () => {
    const { browser, page } = await atBoth();
    await browser.submit(page, {}, '/admin/logout/');
    await scene.ended('app_logout');
    // Its silent check comes with the first request after a second.
    while (!isAsked(await browser.navigate(second))) await delay(200);
    assert.ok(isAsked(await browser.navigate(scene.url + ADMIN)));
  });

  test('the second site’s logout ends the session of the first, and the next user is not taken for the last', async () => {
    const { browser } = await atBoth();
    const left = await browser.submit(await browser.navigate(second), {}, '/oidc/logout/');
    assert.equal(left.text, 'Bye.');
    await scene.ended('backchannel_logout');
    assert.equal((await browser.request(scene.url + ADMIN)).status, 401);
    const next = await scene.signIn(browser, 'carol', ADMIN);
    assert.match(next.text, /You are authenticated as carol, but are not authorized/);
  });
});

async function realm(keycloak: KeycloakServer, addresses: GateAddresses, second: string): Promise<ScenesProvider> {
  const name = `apps-${randomBytes(4).toString('hex')}`;
  await keycloak.admin.createRealm(
    acmeRealm({
      name,
      gateUrl: addresses.publicUrl,
      noticeUrl: `${addresses.adminUrl}/backchannel-logout`,
      client: { clientId: 'django-gate' },
      clients: [
        {
          clientId: 'django-oidc',
          protocol: 'openid-connect',
          publicClient: false,
          secret: CLIENT_SECRET,
          frontchannelLogout: false,
          redirectUris: [`${second}/oidc/callback/`],
          attributes: { 'post.logout.redirect.uris': `${second}/bye/` },
        },
      ],
    }),
  );
  return {
    issuer: `${keycloak.origin}/realms/${name}`,
    clientSecret: CLIENT_SECRET,
    signIn: (browser, page, username) => browser.submit(page, { username, password: PASSWORD }, 'login-actions'),
    endSessions: (user) => keycloak.admin.logoutUser(name, user),
    close: () => keycloak.admin.deleteRealm(name),
  };
}

// A page that asks for a stronger sign-in (`acr`), before a Keycloak that has levels of authentication and before one that has
// none: what it gives, what it asks its user, and what becomes of a level later.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { seenHeaders } from '../integration/identity/seen-headers.ts';
import type { BrowserClient, Page } from '../support/browser-client.ts';
import { linkOf } from '../support/page-links.ts';
import { PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { until } from './live-set.ts';
import { Stage, type StageOptions } from './stage.ts';

const LEVEL_HOLDS_SECONDS = 2;

const OPTIONS: StageOptions = {
  // The session is refreshed some seconds after the level has stopped to hold at Keycloak.
  accessTokenSeconds: 5,
  // What is asked of Keycloak stands in the browser's address then.
  provider: { par: 'never' },
  route: {
    access: [
      { path: '/vault', acr: ['2'] },
      { path: '/safe', acr: ['gold'] },
    ],
    headers: { preset: 'none', set: { 'X-Acr': '{acr}' } },
  },
};

let keycloak: KeycloakServer;
before(async () => {
  keycloak = await KeycloakServer.use();
});
after(() => keycloak.stop());

/** What Keycloak was asked for, each time that the browser was sent there. */
function asked({ hops }: Page): (string | null)[] {
  const addresses = hops.flatMap(({ headers }) => headers.location ?? []);
  return addresses
    .filter((each) => each.includes('/auth?'))
    .map((each) => new URL(each).searchParams.get('acr_values'));
}

/** What Keycloak's page asks its user for. */
function fieldsOf({ text }: Page): string[] {
  return ['username', 'password'].filter((name) => new RegExp(`<input[^>]* name="${name}"[^>]*>`).test(text));
}

function givePassword(browser: BrowserClient, page: Page): Promise<Page> {
  return browser.submit(page, { password: PASSWORD }, 'login-actions');
}

describe('a Keycloak with levels of authentication', () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.set(keycloak, {
      ...OPTIONS,
      client: () => ({ attributes: { 'acr.loa.map': JSON.stringify({ 1: 1, 2: 2 }) } }),
    });
    await keycloak.admin.signInAtLevels(stage.realm, LEVEL_HOLDS_SECONDS);
  });
  after(() => stage.close());

  async function acrOf(browser: BrowserClient): Promise<string> {
    return seenHeaders(await browser.request(`${stage.url}/echo`), 'x-acr').join();
  }

  async function steppedUp(user: string): Promise<BrowserClient> {
    const browser = stage.browser();
    await stage.signIn(browser, user);
    assert.equal(await acrOf(browser), '1');
    const form = await browser.navigate(`${stage.url}/vault/echo?a=1`);
    assert.deepEqual([asked(form), fieldsOf(form)], [['2'], ['password']]);
    const page = await givePassword(browser, form);
    assert.deepEqual([page.status, page.url], [200, `${stage.url}/vault/echo?a=1`]);
    return browser;
  }

  /** One refresh of the user's session that begins after now. */
  async function refreshed(browser: BrowserClient): Promise<void> {
    const count = () => stage.gate.log.filter(({ event }) => event === 'session.refreshed').length;
    const before = count();
    // Only who is there is refreshed.
    await until(async () => (await acrOf(browser)) === '' || count() > before || undefined);
  }

  test('who is signed in at the first is asked for the second, once', async () => {
    const browser = await steppedUp('alice');
    assert.equal(await acrOf(browser), '2');
    const page = await browser.navigate(`${stage.url}/vault/echo`);
    assert.deepEqual([page.status, page.hops.length], [200, 0]);
  });

  test('who is not signed in is asked for both on the way', async () => {
    const browser = stage.browser();
    const second = await stage.signIn(browser, 'bob', '/vault/echo');
    assert.deepEqual(fieldsOf(second), ['password']);
    const page = await givePassword(browser, second);
    assert.deepEqual([page.status, page.url, await acrOf(browser)], [200, `${stage.url}/vault/echo`, '2']);
  });

  test('a refresh says what the sign-in was, however long ago; the next sign-in says what holds, and cuts what needed more', async () => {
    const browser = await steppedUp('carol');
    const socket = browser.openWebSocket(`${stage.url}/vault/ws`);
    await socket.opened;
    await setTimeout(LEVEL_HOLDS_SECONDS * 1000);
    await refreshed(browser);
    assert.equal(await acrOf(browser), '2');
    assert.equal((await browser.navigate(`${stage.url}/vault/echo`)).hops.length, 0);
    assert.equal(socket.isClosed, false);
    const again = await browser.navigate(`${stage.url}/_gate/login?return_to=/echo`);
    assert.deepEqual([again.url, await acrOf(browser)], [`${stage.url}/echo`, '1']);
    assert.equal((await socket.closed).code, 1008);
    const form = await browser.navigate(`${stage.url}/vault/echo`);
    assert.deepEqual([asked(form), fieldsOf(form)], [['2'], ['password']]);
    assert.equal((await givePassword(browser, form)).status, 200);
  });

  test('a form that needs the second waits for it, and is sent once', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'dave');
    const headers = { 'Content-Type': 'text/plain', Origin: stage.url };
    const weak = await browser.navigate(`${stage.url}/vault/save`, { method: 'POST', body: 'a=1', headers });
    const form = await browser.navigate(linkOf(weak, 'Sign in'), { site: 'same-origin' });
    assert.deepEqual([asked(form), fieldsOf(form)], [['2'], ['password']]);
    const ready = await givePassword(browser, form);
    assert.equal(stage.app.seen('/vault/save').length, 0);
    assert.equal((await browser.submit(ready, {}, 'Send it now')).status, 200);
    assert.equal(stage.app.seen('/vault/save').length, 1);
  });
});

describe('a Keycloak without them', () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.set(keycloak, OPTIONS);
  });
  after(() => stage.close());

  test('asks for the password and gives what it gave before; the page says so, and the next visits ask nothing', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'alice');
    const form = await browser.navigate(`${stage.url}/vault/echo`);
    assert.deepEqual([asked(form), fieldsOf(form)], [['2'], ['password']]);
    const failed = await givePassword(browser, form);
    assert.equal(failed.status, 403);
    assert.match(failed.text, /asks for a stronger sign-in/);
    for (let i = 0; i < 3; i++) {
      const later = await browser.navigate(`${stage.url}/vault/echo`);
      assert.deepEqual([later.status, later.hops.length], [403, 0]);
    }
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 200);
    // The same for a name that the client's mapping does not have.
    const unknown = await browser.navigate(`${stage.url}/safe/echo`);
    assert.deepEqual([asked(unknown), fieldsOf(unknown)], [['gold'], ['password']]);
    assert.equal((await givePassword(browser, unknown)).status, 403);
    for (const path of ['/safe/echo', '/vault/echo']) {
      const later = await browser.navigate(stage.url + path);
      assert.deepEqual([later.status, later.hops.length], [403, 0], path);
    }
    const retry = await browser.navigate(linkOf(failed, 'Try again'), { site: 'same-origin' });
    assert.deepEqual([asked(retry), fieldsOf(retry)], [['2'], ['password']]);
  });
});

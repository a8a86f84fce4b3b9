// Logout at the gate against the real Keycloak: what it asks, what it does not ask, and where it sends the browser back to
// (OpenID Connect RP-Initiated Logout 1.0; LOGOUT-02 to LOGOUT-05).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Answer, BrowserClient } from '../support/browser-client.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { Stage, type StageOptions } from './stage.ts';

const TOKEN_SECONDS = 3;
const GERMAN = { internationalizationEnabled: true, supportedLocales: ['en', 'de'], defaultLocale: 'en' };

/** A client whose ID tokens carry a claim of so many characters. */
function withLongClaim(length: number): NonNullable<StageOptions['client']> {
  const config = {
    'claim.name': 'padding',
    'claim.value': 'x'.repeat(length),
    'jsonType.label': 'String',
    'id.token.claim': 'true',
  };
  const mapper = { name: 'padding', protocol: 'openid-connect', protocolMapper: 'oidc-hardcoded-claim-mapper', config };
  return () => ({ protocolMappers: [mapper] });
}

describe('logout at the gate, with Keycloak', { concurrency: true }, () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { realm: GERMAN, accessTokenSeconds: TOKEN_SECONDS });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  function logOut(browser: BrowserClient, { at = stage, query = '' } = {}): Promise<Answer> {
    return browser.request(`${at.url}/_gate/logout${query}`, { method: 'POST', mode: 'navigate' });
  }

  async function assertSignedOut(page: Answer, says: RegExp, at = stage): Promise<void> {
    assert.equal(page.status, 200);
    assert.ok(page.url.startsWith(`${at.url}/_gate/logged-out?state=`), page.url);
    assert.match(page.text, says);
  }

  test('with an ID token is done at once and leads on to where the user wanted to go', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'alice');
    const answer = await logOut(browser);
    const away = await logOut(stage.browser(), { query: `?return_to=${encodeURIComponent('/echo?a=1')}` });
    assert.equal(away.status, 303);
    const page = await browser.navigate(answer.headers.location!);
    await assertSignedOut(page, /Your session here has ended/);
    assert.deepEqual(await keycloak.admin.sessions(stage.realm, 'alice'), []);
    const onward = await stage.browser().request((await back(away)).url, { mode: 'navigate' });
    assert.equal(onward.headers.location, `${stage.url}/echo?a=1`);
  });

  /** Where Keycloak sends a browser without a session at once; that address, not followed. */
  async function back(answer: Answer): Promise<{ url: string }> {
    const sent = await stage.browser().request(answer.headers.location!, { mode: 'navigate', site: 'cross-site' });
    assert.equal(sent.status, 302);
    return { url: sent.headers.location! };
  }

  test('with an ID token that has expired asks nothing either', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'bob');
    // One refresh may follow the sign-in's own activity, and bring an ID token that lives as long again.
    await delay((2 * TOKEN_SECONDS + 1) * 1_000);
    const answer = await logOut(browser);
    const [, claims] = new URL(answer.headers.location!).searchParams.get('id_token_hint')!.split('.');
    assert.ok(JSON.parse(Buffer.from(claims!, 'base64url').toString()).exp * 1_000 < Date.now());
    await assertSignedOut(await browser.navigate(answer.headers.location!), /Your session here has ended/);
    assert.deepEqual(await keycloak.admin.sessions(stage.realm, 'bob'), []);
  });

  test('without a session here is asked about by Keycloak, whose own session lives, in the language that was asked for', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'carol');
    browser.cookies.remove('portcullis');
    const answer = await logOut(browser, { query: '?ui_locales=de' });
    assert.equal(new URL(answer.headers.location!).searchParams.get('id_token_hint'), null);
    const question = await browser.navigate(answer.headers.location!);
    assert.equal(question.status, 200);
    assert.match(question.text, /<html[^>]* lang="de"/);
    const page = await browser.submit(question, { confirmLogout: 'yes' }, 'logout-confirm');
    await assertSignedOut(page, /You had no session here any more/);
    assert.deepEqual(await keycloak.admin.sessions(stage.realm, 'carol'), []);
  });

  test('without a session anywhere comes straight back', async () => {
    const browser = stage.browser();
    const answer = await logOut(browser);
    const page = await browser.navigate(answer.headers.location!);
    await assertSignedOut(page, /You had no session here any more/);
    assert.equal(page.hops.length, 1);
  });

  test('after an administrator has ended the session comes straight back too', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'dave');
    const sid = await stage.onlySid('dave');
    await keycloak.admin.deleteSession(stage.realm, sid);
    await stage.gate.event('session.ended', (line) => line['sid'] === sid);
    const answer = await logOut(browser);
    await assertSignedOut(await browser.navigate(answer.headers.location!), /You had no session here any more/);
  });

  test('with an ID token that just fits into an address goes by that', async (context) => {
    const padded = await Stage.set(keycloak, { client: withLongClaim(1_450) });
    context.after(() => padded.close());
    const browser = padded.browser();
    await padded.signIn(browser, 'alice');
    const answer = await logOut(browser, { at: padded });
    const { length } = answer.headers.location!;
    assert.ok(length > 3_300 && length <= 3_500, `${length}`);
    await assertSignedOut(await browser.navigate(answer.headers.location!), /has ended/, padded);
    assert.deepEqual(await keycloak.admin.sessions(padded.realm, 'alice'), []);
  });

  test('with an ID token that does not is finished by a button, which Keycloak asks nothing about', async (context) => {
    const padded = await Stage.set(keycloak, { client: withLongClaim(10_000) });
    context.after(() => padded.close());
    const browser = padded.browser();
    await padded.signIn(browser, 'alice');
    const button = await logOut(browser, { at: padded });
    assert.match(button.text, /Sign out everywhere/);
    await assertSignedOut(await browser.submit(button, {}, '/logout'), /has ended/, padded);
    assert.deepEqual(await keycloak.admin.sessions(padded.realm, 'alice'), []);
  });
});

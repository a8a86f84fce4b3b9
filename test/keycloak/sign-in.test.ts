// Signing in through the real Keycloak: its own form, its own tokens, each way of client authentication.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CLIENT_SECRET, PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';
import { Stage } from './stage.ts';

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** The headers that the application saw, by lower-case name. */
function seenHeaders(echo: string): Record<string, string> {
  const { rawHeaders } = JSON.parse(echo) as { rawHeaders: string[] };
  const pairs = rawHeaders.flatMap((name, at) => (at % 2 === 0 ? [[name.toLowerCase(), rawHeaders[at + 1]!]] : []));
  return Object.fromEntries(pairs) as Record<string, string>;
}

describe('signing in through Keycloak', () => {
  let keycloak: KeycloakServer;
  let stage: Stage;

  before(async () => {
    keycloak = await KeycloakServer.use();
    stage = await Stage.set(keycloak, { publicKeyPem: publicKey });
  });

  after(async () => {
    await stage.close();
    await keycloak.stop();
  });

  test('a navigation goes to the sign-in form and comes back to the address that was wanted', async () => {
    const browser = stage.browser();
    const form = await browser.navigate(`${stage.url}/echo?page=1&x=%2F`);
    assert.ok(form.url.startsWith(`${stage.issuer}/`), form.url);
    const page = await browser.submit(form, { username: 'alice', password: PASSWORD }, 'login-actions');
    assert.equal(page.status, 200);
    assert.equal(page.url, `${stage.url}/echo?page=1&x=%2F`);
    assert.equal(JSON.parse(page.text).target, '/echo?page=1&x=%2F');
  });

  test('the application learns who it is: identity from the ID token, roles from the access token', async () => {
    const page = await stage.signIn(stage.browser(), 'alice');
    const headers = seenHeaders(page.text);
    assert.equal(headers['x-forwarded-preferred-username'], 'alice');
    assert.equal(headers['x-forwarded-email'], 'alice@acme.example');
    assert.match(headers['x-roles'] ?? '', /\bwiki-admin\b/);
    assert.equal(headers['x-staff'], '/staff');
  });

  test('a rule that asks for a realm role lets in who has it and nobody else', async () => {
    assert.equal((await stage.signIn(stage.browser(), 'alice', '/admins-only')).status, 200);
    assert.equal((await stage.signIn(stage.browser(), 'bob', '/admins-only')).status, 403);
  });

  test('a wrong password stays with Keycloak and the right one still works after it', async () => {
    const browser = stage.browser();
    const form = await browser.navigate(`${stage.url}/echo`);
    const again = await browser.submit(form, { username: 'alice', password: 'wrong' }, 'login-actions');
    assert.ok(again.url.startsWith(keycloak.origin), again.url);
    const page = await browser.submit(again, { username: 'alice', password: PASSWORD }, 'login-actions');
    assert.equal(page.url, `${stage.url}/echo`);
  });

  test('anything but a navigation gets 401, no cookie and no redirect', async () => {
    const browser = stage.browser();
    for (const mode of ['fetch', 'image', 'iframe', 'none'] as const) {
      const answer = await browser.request(`${stage.url}/echo`, { mode });
      assert.equal(answer.status, 401, mode);
      assert.equal(answer.headers['set-cookie'], undefined, mode);
    }
    await assert.rejects(browser.openWebSocket(`${stage.url}/ws`).opened, { status: 401 });
  });

  test('ten tabs that were opened at once all arrive, each at its own address', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'carol');
    // The browser has its SSO session still, so that no tab waits for a person.
    browser.cookies.remove('portcullis');
    const tabs = Array.from({ length: 10 }, (_, at) => `/echo?tab=${at}`);
    const pages = await Promise.all(tabs.map((path) => browser.navigate(stage.url + path)));
    assert.deepEqual(
      pages.map(({ url }) => url),
      tabs.map((path) => stage.url + path),
    );
    assert.ok(pages.every(({ text }) => seenHeaders(text)['x-forwarded-preferred-username'] === 'carol'));
  });

  test('another user who signs in with the same browser is the one whom the application sees', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'dave');
    // Keycloak forgets the first user in this browser only; the gate's session is still there.
    const other = stage.browser();
    other.cookies.put('portcullis', browser.cookies.value('portcullis', stage.url)!, stage.url);
    const form = await other.navigate(`${stage.url}/_gate/login?return_to=/echo`);
    const arrived = await other.submit(form, { username: 'erin', password: PASSWORD }, 'login-actions');
    assert.equal(seenHeaders(arrived.text)['x-forwarded-preferred-username'], 'erin');
    assert.equal((await browser.request(`${stage.url}/echo`)).status, 401, 'the first session has ended');
  });

  test('a second sign-in in the same browser gets a new session id', async () => {
    const browser = stage.browser();
    await stage.signIn(browser, 'dave');
    const before = browser.cookies.value('portcullis', stage.url);
    const page = await browser.navigate(`${stage.url}/_gate/login?return_to=/echo`);
    assert.equal(page.url, `${stage.url}/echo`);
    assert.notEqual(browser.cookies.value('portcullis', stage.url), before);
  });

  test('the probe of the session is armed: Keycloak answers it rightly', () => {
    assert.deepEqual(
      stage.gate.log.filter(({ event }) => event === 'probe.not_armed'),
      [],
    );
  });

  test('the gate can authenticate by client_secret_post', async (context) => {
    const other = await Stage.set(keycloak, { provider: { client_auth: 'client_secret_post' } });
    context.after(() => other.close());
    const page = await other.signIn(other.browser(), 'alice');
    assert.equal(seenHeaders(page.text)['x-forwarded-preferred-username'], 'alice');
  });

  test('the gate can authenticate by private_key_jwt', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'portcullis-key-'));
    const keyFile = join(folder, 'key.pem');
    await writeFile(keyFile, privateKey, { mode: 0o600 });
    const byKey = { client_auth: 'private_key_jwt', client_id: 'gate-key', private_key_file: keyFile };
    const other = await Stage.set(keycloak, {
      publicKeyPem: publicKey,
      provider: { ...byKey, client_secret: undefined },
    });
    context.after(async () => {
      await other.close();
      await rm(folder, { recursive: true });
    });
    const page = await other.signIn(other.browser(), 'alice');
    assert.equal(seenHeaders(page.text)['x-forwarded-preferred-username'], 'alice');
  });

  test('nothing secret is in what the gate wrote: no cookie, token, code, password or client secret', async () => {
    const browser = stage.browser();
    const page = await stage.signIn(browser, 'erin');
    const codes = page.hops.map(({ url }) => new URL(url).searchParams.get('code')).filter((code) => code !== null);
    assert.equal(codes.length, 1);
    const secrets = [browser.cookies.value('portcullis', stage.url)!, PASSWORD, CLIENT_SECRET, ...codes];
    for (const secret of secrets) assert.ok(!stage.gate.written().includes(secret), 'a secret is in the log');
    assert.doesNotMatch(stage.gate.written(), /eyJ[\w-]{10,}\.eyJ/, 'a token is in the log');
    assert.match(stage.gate.written(), /"event":"login.succeeded"/);
  });
});

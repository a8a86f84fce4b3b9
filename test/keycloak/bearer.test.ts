// Access tokens of the real Keycloak as credentials: who comes in, and that the end of their session at Keycloak is their end
// here (design: triggers, a bearer access token whose sid was ended, Keycloak's revocation push).

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { BrowserClient } from '../support/browser-client.ts';
import { GateProcess, reserveAddresses } from '../support/gate-process.ts';
import { LegacyApp } from '../support/legacy-app.ts';
import { acmeRealm, CLIENT_SECRET, PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';

interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token: string;
}

interface Client {
  readonly clientId: string;
  readonly protocolMappers?: readonly object[];
}

/** Puts the gate's client into the audience of another client's tokens. */
const AUDIENCE_MAPPER = {
  name: 'gate as audience',
  protocol: 'openid-connect',
  protocolMapper: 'oidc-audience-mapper',
  config: { 'included.client.audience': 'gate', 'access.token.claim': 'true', 'id.token.claim': 'false' },
};

describe('access tokens of Keycloak', () => {
  const name = `acme-${randomBytes(4).toString('hex')}`;
  const client = new BrowserClient();
  let keycloak: KeycloakServer;
  let issuer: string;
  let gate: GateProcess;
  let app: LegacyApp;
  let url: string;

  before(async () => {
    keycloak = await KeycloakServer.use();
    issuer = `${keycloak.origin}/realms/${name}`;
    const addresses = await reserveAddresses();
    url = addresses.publicUrl;
    app = await new LegacyApp().listen();
    await keycloak.admin.createRealm(realmOfPrograms());
    gate = await GateProcess.start({
      public_url: url,
      server: { listen: addresses.listen },
      admin: { listen: addresses.adminListen },
      provider: { issuer, client_id: 'gate', client_secret: CLIENT_SECRET },
      session: { secret: randomBytes(32).toString('hex') },
      routes: [
        {
          name: 'api',
          path: '/',
          upstream: app.origin,
          auth: 'bearer',
          access: [{ path: '/admin', roles: ['wiki-admin'] }],
        },
      ],
    });
    await gate.event('provider.ready');
  });

  after(async () => {
    client.close();
    await gate.stop();
    await app.close();
    await keycloak.admin.deleteRealm(name);
    await keycloak.stop();
  });

  /** Every client may fetch tokens with a password, as a program of a test does. */
  function realmOfPrograms(): ReturnType<typeof acmeRealm> {
    const realm = acmeRealm({ name, gateUrl: url, noticeUrl: `${url}/_gate/backchannel-logout` });
    const [own] = realm['clients'] as [Client];
    const another = (clientId: string, more: object) => ({ ...own, clientId, attributes: {}, ...more });
    const clients = [
      { ...own, adminUrl: `${url}/_gate` },
      another('another', {}),
      another('partner', { protocolMappers: [AUDIENCE_MAPPER] }),
    ].map((each) => ({ ...each, directAccessGrantsEnabled: true }));
    return { ...realm, clients };
  }

  async function signIn(username: string, clientId = 'gate'): Promise<Tokens> {
    const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ grant_type: 'password', scope: 'openid', client_id: clientId, client_secret: CLIENT_SECRET },
        ...{ username, password: PASSWORD },
      }),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text) as Tokens;
  }

  function call(token: string, path = '/echo') {
    return client.request(url + path, { mode: 'none', headers: { Authorization: `Bearer ${token}` } });
  }

  async function statusOf(token: string): Promise<number> {
    return (await call(token)).status;
  }

  /** An event stream with this token, moving. */
  async function listen(token: string) {
    const stream = client.download(`${url}/events`, { headers: { Authorization: `Bearer ${token}` } });
    await stream.moreBytes();
    return stream;
  }

  async function onlySid(username: string): Promise<string> {
    const [session, ...others] = await keycloak.admin.sessions(name, username);
    assert.equal(others.length, 0);
    return session!.id;
  }

  test("the gate's own client's token comes in with its user's name and roles, and no other token of that sign-in", async () => {
    const tokens = await signIn('alice');
    const answer = await call(tokens.access_token, '/admin/echo');
    assert.equal(answer.status, 200);
    assert.match(answer.text, /"X-Forwarded-Preferred-Username","alice"/);
    assert.equal((await call((await signIn('bob')).access_token, '/admin/echo')).status, 403);
    for (const other of [tokens.id_token, tokens.refresh_token]) assert.equal(await statusOf(other), 401);
  });

  test("another client's token is refused, unless the gate is in its audience", async () => {
    assert.equal(await statusOf((await signIn('bob', 'another')).access_token), 401);
    await gate.event('request.failed', (line) => /for another application/.test(String(line['why'])));
    assert.equal(await statusOf((await signIn('bob', 'partner')).access_token), 200);
  });

  test('"sign out" of its session in the admin console refuses it and cuts its stream, and no other token of the user', async () => {
    const { access_token: token } = await signIn('carol');
    const sid = await onlySid('carol');
    const { access_token: other } = await signIn('carol');
    const [stream, lasting] = [await listen(token), await listen(other)];
    await keycloak.admin.deleteSession(name, sid);
    assert.equal(await statusOf(token), 401);
    assert.equal(await stream.ended, 'cut');
    assert.equal(await statusOf(other), 200);
    await lasting.moreBytes();
    lasting.abort();
    assert.equal(await statusOf((await signIn('carol')).access_token), 200, 'a token of a new session');
  });

  test('a token that was never shown before is refused after the end of its session', async () => {
    const { access_token: token } = await signIn('dave');
    await keycloak.admin.deleteSession(name, await onlySid('dave'));
    assert.equal(await statusOf(token), 401);
  });

  test('of the end of a session that the gate had no part in Keycloak does not tell it: the token lives on', async () => {
    const { access_token: token } = await signIn('dave', 'partner');
    assert.equal(await statusOf(token), 200);
    await keycloak.admin.deleteSession(name, await onlySid('dave'));
    assert.equal(await statusOf(token), 200);
  });

  test('"sign out all active sessions" refuses every token that was issued before, and none of a later sign-in', async () => {
    const { access_token: token } = await signIn('erin');
    const stream = await listen(token);
    const { access_token: unseen } = await signIn('frank');
    const { access_token: partners } = await signIn('frank', 'partner');
    await keycloak.admin.logoutAll(name);
    assert.equal(await stream.ended, 'cut');
    for (const each of [token, unseen, partners]) assert.equal(await statusOf(each), 401);
    // Of the same second none is believed.
    await new Promise((resolve) => setTimeout(resolve, 1_000 - (Date.now() % 1_000)));
    assert.equal(await statusOf((await signIn('erin')).access_token), 200);
  });
});

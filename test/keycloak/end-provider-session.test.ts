// What Keycloak answers where the gate ends its session without a browser: a session that is gone is no error, and what it
// refuses it refuses for good. No specification says either.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { endProviderSession, type ProviderEnd } from '../../src/oidc/end-provider-session.ts';
import { revokeRefreshToken } from '../../src/oidc/revoke-refresh-token.ts';
import { outcome, testProvider } from '../support/test-provider.ts';
import { acmeRealm, CLIENT_SECRET, PASSWORD } from './keycloak-realm.ts';
import { KeycloakServer } from './keycloak-server.ts';

describe('Keycloak, asked to end the session of a refresh token,', () => {
  const name = `acme-${randomBytes(4).toString('hex')}`;
  let keycloak: KeycloakServer;
  let issuer: string;

  before(async () => {
    keycloak = await KeycloakServer.use();
    issuer = `${keycloak.origin}/realms/${name}`;
    const at = { gateUrl: 'http://127.0.0.1:9', noticeUrl: '' };
    await keycloak.admin.createRealm(
      acmeRealm({ name, ...at, client: { directAccessGrantsEnabled: true }, secondApp: { origin: at.gateUrl } }),
    );
  });

  after(async () => {
    await keycloak.admin.deleteRealm(name);
    await keycloak.stop();
  });

  async function signIn(username: string): Promise<string> {
    const response = await fetch(`${issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({
        ...{ grant_type: 'password', scope: 'openid', client_id: 'gate', client_secret: CLIENT_SECRET },
        ...{ username, password: PASSWORD },
      }),
    });
    return ((await response.json()) as { refresh_token: string }).refresh_token;
  }

  function asClient(clientId = 'gate', secret = CLIENT_SECRET) {
    const clientAuth = { method: 'client_secret_basic', secret: new Secret(secret) } as const;
    return testProvider({ issuer, clientId, clientAuth }).provider;
  }

  const end = (refreshToken: string): Promise<ProviderEnd> => endProviderSession(asClient(), refreshToken);

  async function sessionsOf(username: string): Promise<number> {
    return (await keycloak.admin.sessions(name, username)).length;
  }

  test('ends it, and says the same when it is gone already, whoever has ended it', async () => {
    const token = await signIn('alice');
    assert.equal(await end(token), 'ended');
    assert.equal(await sessionsOf('alice'), 0);
    assert.equal(await end(token), 'ended');
    const another = await signIn('alice');
    await keycloak.admin.logoutUser(name, 'alice');
    assert.equal(await end(another), 'ended');
    const deleted = await signIn('erin');
    await keycloak.admin.deleteUser(name, 'erin');
    assert.equal(await end(deleted), 'ended');
  });

  test('refuses for good a token that is another client’s or none, and the session lives on', async () => {
    const token = await signIn('bob');
    for (const ask of [() => endProviderSession(asClient('second-app'), token), () => end('no token at all')]) {
      const { code, message } = await outcome(ask());
      assert.equal(code, 'provider_refused', message);
      assert.match(message, /end_session_endpoint .* answered 400 invalid_grant/);
    }
    assert.equal(await sessionsOf('bob'), 1);
  });

  test('refuses for good a client that it does not know by its secret, and so it is with a revocation', async () => {
    const token = await signIn('carol');
    const stranger = asClient('gate', 'another secret');
    for (const ask of [endProviderSession, revokeRefreshToken]) {
      const { code, message } = await outcome(ask(stranger, token));
      assert.equal(code, 'provider_refused', message);
      assert.match(message, /answered 401 .*check client_id, client_secret/);
    }
    assert.equal(await sessionsOf('carol'), 1);
  });

  test('revokes a token of ours, which ends a session that no other client takes part in', async () => {
    await revokeRefreshToken(asClient(), await signIn('dave'));
    assert.equal(await sessionsOf('dave'), 0);
  });
});

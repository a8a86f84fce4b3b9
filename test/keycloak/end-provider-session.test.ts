// What Keycloak answers where the gate ends its session without a browser: a session that is gone is no error. No
// specification says so.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { Secret } from '../../src/base/secret.ts';
import { endProviderSession, type ProviderEnd } from '../../src/oidc/end-provider-session.ts';
import { revokeRefreshToken } from '../../src/oidc/revoke-refresh-token.ts';
import { testProvider } from '../support/test-provider.ts';
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
    await keycloak.admin.createRealm(acmeRealm({ name, ...at, client: { directAccessGrantsEnabled: true } }));
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

  function gate() {
    const clientAuth = { method: 'client_secret_basic', secret: new Secret(CLIENT_SECRET) } as const;
    return testProvider({ issuer, clientId: 'gate', clientAuth }).provider;
  }

  const end = (refreshToken: string): Promise<ProviderEnd> => endProviderSession(gate(), refreshToken);

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

  test('revokes a token of ours, which ends a session that no other client takes part in', async () => {
    await revokeRefreshToken(gate(), await signIn('dave'));
    assert.equal(await sessionsOf('dave'), 0);
  });
});

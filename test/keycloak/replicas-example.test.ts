// The realm of config/examples/replicas, as Keycloak takes it: a sign-in by it, up to the way back to the gate.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { decodeJwt } from 'jose';
import { BrowserClient } from '../support/browser-client.ts';
import { KeycloakServer } from './keycloak-server.ts';

const FILE = new URL('../../config/examples/replicas/realm.json', import.meta.url);
const realm = JSON.parse(readFileSync(FILE, 'utf8')) as {
  realm: string;
  clients: { clientId: string; secret: string; redirectUris: string[]; attributes: Record<string, string> }[];
};
const example = realm.clients[0]!;

describe('the realm of the compose file', () => {
  let keycloak: KeycloakServer;
  before(async () => {
    keycloak = await KeycloakServer.use();
    await keycloak.admin.createRealm(realm);
  });
  after(async () => {
    await keycloak.admin.deleteRealm(realm.realm);
    await keycloak.stop();
  });

  test('has the client as the file says', async () => {
    const { secret, redirectUris, frontchannelLogout, attributes } = await keycloak.admin.client(
      realm.realm,
      example.clientId,
    );
    assert.deepEqual([secret, redirectUris, frontchannelLogout], [example.secret, example.redirectUris, false]);
    for (const [name, value] of Object.entries(example.attributes)) assert.equal(attributes[name], value, name);
  });

  test('signs alice in, with her role and her group', async () => {
    const at = `${keycloak.origin}/realms/${realm.realm}/protocol/openid-connect`;
    const verifier = 'a'.repeat(43);
    const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url');
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: example.clientId,
      redirect_uri: example.redirectUris[0]!,
      scope: 'openid profile email',
      code_challenge: challenge,
      code_challenge_method: 'S256',
    });
    const browser = new BrowserClient();
    const page = await browser.navigate(`${at}/auth?${query}`);
    const action = /action="([^"]+)"/.exec(page.text)![1]!.replaceAll('&amp;', '&');
    // The gate is not there; where it is sent to is all that is wanted.
    const back = await browser.request(action, {
      method: 'POST',
      body: new URLSearchParams({ username: 'alice', password: 'alice' }).toString(),
      headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    });
    browser.close();
    const callback = new URL(back.headers.location!);
    assert.equal(callback.origin + callback.pathname, example.redirectUris[0]);
    const answer = await fetch(`${at}/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: callback.searchParams.get('code')!,
        redirect_uri: example.redirectUris[0]!,
        code_verifier: verifier,
        client_id: example.clientId,
        client_secret: example.secret,
      }),
    });
    const { id_token, access_token } = (await answer.json()) as { id_token: string; access_token: string };
    const { preferred_username, groups, sid } = decodeJwt(id_token);
    assert.deepEqual([preferred_username, groups, typeof sid], ['alice', ['/staff'], 'string']);
    const { roles } = decodeJwt(access_token)['realm_access'] as { roles: string[] };
    assert.ok(roles.includes('wiki-admin'));
  });
});

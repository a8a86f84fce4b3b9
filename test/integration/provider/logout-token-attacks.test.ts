// BCL-01 to BCL-13 as far as they concern the token itself, and V0 to V13 of OpenID Connect Back-Channel Logout 1.0.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Provider, ProviderOptions } from '../../../src/oidc/provider.ts';
import { verifyLogoutToken } from '../../../src/oidc/verify-logout-token.ts';
import { FakeProvider } from '../../support/fake-provider.ts';
import {
  GENUINE,
  OTHER_PUBLISHED_KEYS,
  REFUSED_BY_THEIR_SIGNATURE,
  REFUSED_BY_WHAT_THEY_SAY,
} from '../../support/logout-token-attacks.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const now = () => Math.floor(Date.now() / 1000);

describe('a logout token is refused, and nobody is asked for keys, when it has', () => {
  const room = roomFor({});
  for (const [what, token, why] of REFUSED_BY_WHAT_THEY_SAY) {
    test(what, async () => {
      const { fake, provider } = room();
      const requests = fake.server.count('/jwks') + fake.server.count('/.well-known/openid-configuration');
      const { code, message } = await outcome(verifyLogoutToken(provider, token(fake)));
      assert.equal(code, 'notice_refused', message);
      assert.match(message, why);
      assert.equal(fake.server.count('/jwks') + fake.server.count('/.well-known/openid-configuration'), requests);
      assert.equal(fake.server.count('/evil'), 0);
    });
  }
});

describe('a logout token is refused by its signature when it has', () => {
  const room = roomFor({});
  for (const [what, token, why] of REFUSED_BY_THEIR_SIGNATURE) {
    test(what, async () => {
      const { fake, provider } = room();
      const { code, message } = await outcome(verifyLogoutToken(provider, token(fake)));
      assert.equal(code, 'notice_refused', message);
      assert.match(message, why);
    });
  }
});

describe('a logout token is accepted with', () => {
  const room = roomFor({});
  for (const [what, token] of GENUINE) {
    test(what, async () => {
      const { fake, provider } = room();
      const logout = await verifyLogoutToken(provider, token(fake));
      assert.equal(logout.issuer, fake.issuer);
      assert.ok(logout.sub === 'alice' || logout.sid === 'sid-1');
      assert.match(logout.jti, /^jti-\d+$/);
    });
  }

  test('what it says, and no more', async () => {
    const { fake, provider } = room();
    const iat = now() - 3;
    assert.deepEqual(await verifyLogoutToken(provider, fake.logoutToken({ sid: undefined, iat, jti: 'jti-x' })), {
      issuer: fake.issuer,
      sub: 'alice',
      issuedAtSeconds: iat,
      jti: 'jti-x',
    });
  });

  test('the same words a second time: a repeated notice is not an attack', async () => {
    const { fake, provider } = room();
    const token = fake.logoutToken();
    assert.deepEqual(await verifyLogoutToken(provider, token), await verifyLogoutToken(provider, token));
  });
});

describe('settings for versions of Keycloak:', () => {
  const old = roomFor({ logoutToken: { requireExp: false, requireTyp: false, maxAgeSeconds: 300 } });
  test('a token without exp is accepted where the setting says so, bounded by its age', async () => {
    const { fake, provider } = old();
    assert.equal((await verifyLogoutToken(provider, fake.logoutToken({ exp: undefined }))).sid, 'sid-1');
    const late = await outcome(verifyLogoutToken(provider, fake.logoutToken({ exp: undefined, iat: now() - 400 })));
    assert.equal(late.code, 'notice_refused');
    const nothing = await outcome(verifyLogoutToken(provider, fake.logoutToken({ exp: null })));
    assert.equal(nothing.code, 'notice_refused');
  });

  const strict = roomFor({ logoutToken: { requireExp: true, requireTyp: true, maxAgeSeconds: 300 } });
  test('a typ is required where the setting says so', async () => {
    const { fake, provider } = strict();
    assert.equal((await verifyLogoutToken(provider, fake.logoutToken())).sid, 'sid-1');
    for (const typ of [undefined, 'JWT']) {
      const { code, message } = await outcome(verifyLogoutToken(provider, fake.logoutToken({}, { header: { typ } })));
      assert.equal(code, 'notice_refused');
      assert.match(message, /require_typ/);
    }
  });
});

test('BCL-10 a logout token is not an ID token: a sign-in with one is refused', async (t) => {
  const fake = await FakeProvider.start();
  const { provider } = testProvider({ issuer: fake.issuer });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  fake.issue = (grant) => ({
    ...fake.tokens(grant),
    id_token: fake.logoutToken({ nonce: grant.nonce }, { header: { typ: 'JWT' } }),
  });
  assert.equal((await outcome(fake.login(provider))).code, 'id_token_invalid');
});

test('BCL-20 with no key at hand and the provider down, a logout token is refused as unavailable, not as forged', async (t) => {
  const fake = await FakeProvider.start();
  const { provider } = testProvider({ issuer: fake.issuer });
  const token = fake.logoutToken();
  await fake.server.stop();
  t.after(() => provider.stop());
  assert.equal((await outcome(verifyLogoutToken(provider, token))).code, 'provider_unavailable');
});

/** One provider of each side for a whole table. */
function roomFor(options: Partial<ProviderOptions>): () => { fake: FakeProvider; provider: Provider } {
  let fake: FakeProvider;
  let provider: Provider;
  before(async () => {
    fake = await FakeProvider.start();
    fake.jwks.keys.push(...OTHER_PUBLISHED_KEYS);
    provider = testProvider({ issuer: fake.issuer, ...options }).provider;
  });
  after(async () => {
    provider.stop();
    await fake.server.stop();
  });
  return () => ({ fake, provider });
}

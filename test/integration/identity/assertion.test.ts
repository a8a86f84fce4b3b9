// The signed assertion: what an application can believe of it, and how its keys change (design: config.md,
// `headers.signed_assertion`; surface.md, `/jwks`).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import type { BrowserClient } from '../../support/browser-client.ts';
import { TestGate } from '../../support/test-gate.ts';
import { seenHeaders } from './seen-headers.ts';

const FIRST = 'a session secret that only tests know';
const SECOND = 'another session secret that only tests know';
const HEADER = 'x-portcullis-assertion';

const routes = (upstream: string) => [
  { name: 'plain', upstream },
  {
    name: 'wiki',
    path: '/wiki',
    upstream,
    strip_prefix: true,
    auth: ['session', 'bearer'],
    headers: { preset: 'none', signed_assertion: true },
    access: [{ path: '/wiki/echo/open', auth: 'public' }],
  },
  { name: 'files', path: '/files', upstream, strip_prefix: true, headers: { signed_assertion: true } },
];

describe('the signed assertion', () => {
  let gate: TestGate;
  let browser: BrowserClient;
  before(async () => {
    gate = await TestGate.start({
      config: { routes, provider: { scopes: ['openid', 'profile', 'email', 'groups', 'roles'] } },
    });
    browser = await gate.signedIn('alice');
  });
  after(() => gate.close());

  async function assertionOf(path: string, who = browser, headers: Record<string, string> = {}): Promise<string> {
    const [assertion, ...more] = seenHeaders(await who.request(gate.url(path), { headers }), HEADER);
    assert.deepEqual(more, []);
    return assertion!;
  }
  const remoteKeys = () => createRemoteJWKSet(new URL(gate.url('/_gate/jwks')));
  const verified = (assertion: string, audience: string) =>
    jwtVerify(assertion, remoteKeys(), { issuer: gate.addresses.publicUrl, audience, algorithms: ['ES256'] });

  test('says who the user is, to one route, of one session, for two minutes, under a published key', async () => {
    const { payload } = await verified(await assertionOf('/wiki/echo'), 'wiki');
    const { body } = await gate.admin('GET', '/api/sessions?user=alice');
    const [session] = body['sessions'] as { handle: string; sid: string }[];
    const { iat, exp, jti, ...said } = payload;
    assert.deepEqual(said, {
      iss: gate.addresses.publicUrl,
      aud: 'wiki',
      sub: 'sub-alice',
      sid: session!.sid,
      session: session!.handle,
      preferred_username: 'alice',
      name: 'Alice Example',
      email: 'alice@example.com',
      groups: ['staff', 'admins'],
      roles: ['user', 'admin'],
    });
    assert.equal(exp! - iat!, 120);
    assert.match(jti!, /./);
  });

  test('one for another route is refused where it is shown, and one of another session is another', async () => {
    const assertion = await assertionOf('/files/echo');
    await assert.rejects(verified(assertion, 'wiki'), { code: 'ERR_JWT_CLAIM_VALIDATION_FAILED' });
    const other = await assertionOf('/files/echo', await gate.signedIn('alice'));
    assert.notEqual(decodeJwt(other)['session'], decodeJwt(assertion)['session']);
  });

  test('is signed once for many requests, and goes along with a WebSocket', async () => {
    const first = await assertionOf('/wiki/echo');
    assert.equal(await assertionOf('/wiki/echo'), first);
    const socket = browser.openWebSocket(gate.url('/wiki/ws'));
    await socket.opened;
    assert.equal(gate.app.sockets.at(-1)!.headers[HEADER], first);
  });

  test("a client's own copy never arrives, on routes without one and on public paths neither", async () => {
    const forged = { 'X-Portcullis-Assertion': 'forged', X_Portcullis_Assertion: 'forged' };
    await verified(await assertionOf('/wiki/echo', browser, forged), 'wiki');
    for (const [who, path] of [
      [browser, '/echo'],
      [gate.browser(), '/wiki/echo/open'],
    ] as const) {
      const answer = await who.request(gate.url(path), { headers: forged });
      assert.equal(answer.status, 200);
      assert.doesNotMatch(answer.text, /forged/);
    }
  });

  test('a program with an access token gets one of its own', async () => {
    const token = gate.provider.accessToken({ preferred_username: 'batch', sub: 'sub-batch' });
    const assertion = await assertionOf('/wiki/echo', gate.browser(), { Authorization: `Bearer ${token}` });
    assert.equal((await verified(assertion, 'wiki')).payload.sub, 'sub-batch');
  });

  test('the key set holds public keys only, may be kept for five minutes, and takes no POST', async () => {
    const answer = await gate.browser().request(gate.url('/_gate/jwks'), { mode: 'none' });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/jwk-set+json');
    assert.equal(answer.headers['cache-control'], 'public, max-age=300');
    const { keys } = JSON.parse(answer.text) as JSONWebKeySet;
    assert.deepEqual(
      keys.map((key) => Object.keys(key).sort()),
      [['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']],
    );
    assert.equal((await gate.browser().request(gate.url('/_gate/jwks'), { method: 'POST' })).status, 405);
  });

  test('another gate with the same secret has the same key, one with another secret another', async () => {
    const kid = decodeProtectedHeader(await assertionOf('/wiki/echo')).kid;
    for (const [secret, isSame] of [
      [FIRST, true],
      [SECOND, false],
    ] as const) {
      const replica = await TestGate.start({ config: { routes, session: { secret } } });
      try {
        const { keys } = JSON.parse(
          (await replica.browser().request(replica.url('/_gate/jwks'), { mode: 'none' })).text,
        ) as JSONWebKeySet;
        assert.deepEqual([keys.length, keys[0]!.kid === kid], [1, isSame]);
      } finally {
        await replica.close();
      }
    }
  });

  test('a key is published before it signs and after it has signed: an application that keeps keys refuses nothing', async () => {
    const before = await assertionOf('/wiki/echo');
    const kidOf = (assertion: string) => decodeProtectedHeader(assertion).kid;
    await gate.reload({ routes, session: { secret: [FIRST, SECOND] } });
    const announced = await assertionOf('/wiki/echo');
    assert.equal(kidOf(announced), kidOf(before));
    // What an application keeps from now on.
    const kept = remoteKeys();
    await kept({ alg: 'ES256', kid: kidOf(before)! });
    await gate.reload({ routes, session: { secret: [SECOND, FIRST] } });
    const rotated = await assertionOf('/wiki/echo');
    assert.notEqual(kidOf(rotated), kidOf(before));
    for (const assertion of [before, announced, rotated]) {
      await jwtVerify(assertion, kept, { audience: 'wiki' });
      await verified(assertion, 'wiki');
    }
    await gate.reload({ routes, session: { secret: SECOND } });
    await verified(rotated, 'wiki');
    await assert.rejects(verified(before, 'wiki'), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  });

  test('where no route sends one there is no key set', async () => {
    await gate.reload({});
    const answer = await gate.browser().request(gate.url('/_gate/jwks'), { mode: 'none' });
    assert.equal(answer.status, 404);
  });
});

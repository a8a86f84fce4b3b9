// The doors of Keycloak's Admin URL (design: surface; security catalogue BCL-13, BCL-23 turned on `k_*` bodies): who answers
// where, that nothing of it ever reaches the application, and that a forger learns nothing.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PATHS } from '../../support/embedded-provider.ts';
import { TestGate } from '../../support/test-gate.ts';

const ENDPOINTS = ['k_logout', 'k_push_not_before', 'k_test_available'] as const;
const ACTIONS = {
  k_logout: ['LOGOUT', { keycloakSessionIds: ['unknown'] }],
  k_push_not_before: ['PUSH_NOT_BEFORE', { notBefore: 0 }],
  k_test_available: ['TEST_AVAILABILITY', {}],
} as const;

interface Sent {
  readonly status: number;
  readonly text: string;
  readonly headers: Record<string, string>;
}

/** As Keycloak posts it, unless the test says otherwise. */
async function post(url: string, body: string | Buffer, headers: Record<string, string> = {}): Promise<Sent> {
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: { 'content-type': 'text/plain; charset=ISO-8859-1', ...headers },
    body: new Uint8Array(Buffer.from(body)),
  });
  const { date: _, ...answered } = Object.fromEntries(response.headers);
  return { status: response.status, text: await response.text(), headers: answered };
}

function genuine(gate: TestGate, endpoint: (typeof ENDPOINTS)[number]): string {
  const [action, claims] = ACTIONS[endpoint];
  return gate.provider.adminAction('gate', action, claims);
}

describe('with keycloak_admin_url: prefix, which is the default,', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start();
  });
  after(() => gate.close());

  for (const endpoint of ENDPOINTS) {
    test(`${endpoint} is answered 200 under the prefix and on the admin listener`, async () => {
      for (const url of [gate.url(`/_gate/${endpoint}`), `${gate.addresses.adminUrl}/${endpoint}`]) {
        const { status, text, headers } = await post(url, genuine(gate, endpoint));
        assert.equal(status, 200, text);
        assert.match(headers['cache-control'] ?? '', /\bno-store\b/);
      }
      assert.equal((await gate.event('notice.accepted', { kind: endpoint }))['ended'], 0);
      for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
        const answer = await fetch(gate.url(`/_gate/${endpoint}`), { method });
        assert.deepEqual([answer.status, answer.headers.get('allow')], [405, 'POST'], method);
      }
    });

    test(`a body for ${endpoint} that cannot be one is refused, whatever the transport`, async () => {
      const body = genuine(gate, endpoint);
      for (const url of [gate.url(`/_gate/${endpoint}`), `${gate.addresses.adminUrl}/${endpoint}`]) {
        const zipped = await post(url, gzipSync(body), { 'content-encoding': 'gzip' });
        const large = await post(url, 'a'.repeat(1024 * 1024));
        assert.deepEqual([zipped.status, large.status], [415, 413]);
        assert.equal((await post(url, '')).status, 400);
        assert.equal((await post(`${url}?token=${body}`, '')).status, 400);
        assert.equal((await post(url, body, { 'content-type': 'application/json' })).status, 400);
        assert.equal((await post(url, body, { 'content-type': 'text/plain;charset=utf-8' })).status, 200);
      }
    });

    test(`at the root ${endpoint} is answered 404, not forwarded, and the event names the key`, async () => {
      const alice = await gate.signedIn('alice');
      const answer = await alice.request(gate.url(`/${endpoint}`), {
        method: 'POST',
        headers: { 'Content-Type': 'text/plain' },
        body: genuine(gate, endpoint),
      });
      assert.equal(answer.status, 404);
      const told = gate.log.filter(({ event, kind }) => event === 'notice.refused' && kind === endpoint);
      assert.match(String(told.at(-1)?.['why']), /set logout\.keycloak_admin_url to root/);
      assert.deepEqual(gate.app.seen(`/${endpoint}`), []);
    });
  }

  test('every refusal has the same answer, a refused logout token the same as well', async () => {
    const { provider } = gate;
    const logoutToken = (token: string) =>
      post(gate.url('/_gate/backchannel-logout'), new URLSearchParams({ logout_token: token }).toString(), {
        'content-type': 'application/x-www-form-urlencoded',
      });
    const forms = [
      await post(gate.url('/_gate/k_logout'), 'forged'),
      await post(gate.url('/_gate/k_logout'), provider.adminAction('another-client', 'LOGOUT')),
      await post(gate.url('/_gate/k_logout'), provider.adminAction('gate', 'LOGOUT', { expiration: 1 })),
      await post(gate.url('/_gate/k_logout'), provider.adminAction('gate', 'TEST_AVAILABILITY')),
      await post(gate.url('/_gate/k_push_not_before'), provider.adminAction('gate', 'LOGOUT')),
      await logoutToken('forged'),
      await logoutToken(provider.adminAction('gate', 'LOGOUT')),
    ];
    for (const form of forms) assert.deepEqual(form, forms[0]);
    assert.equal(forms[0]?.status, 400);
    assert.match(forms[0]?.headers['cache-control'] ?? '', /\bno-store\b/);
  });

  test('a host that no public_url names is answered 421 there, and as usual on the admin listener', async () => {
    const body = genuine(gate, 'k_logout');
    const asInternal = (url: string) =>
      gate.browser().request(url, {
        method: 'POST',
        mode: 'none',
        headers: { Host: 'portcullis:9090', 'Content-Type': 'text/plain' },
        body,
      });
    assert.equal((await asInternal(gate.url('/_gate/k_logout'))).status, 421);
    assert.equal((await asInternal(`${gate.addresses.adminUrl}/k_logout`)).status, 200);
  });

  test('what is only like the three names at the root is the application’s', async () => {
    const alice = await gate.signedIn('alice');
    for (const target of ['/k_logouts', '/k_logout/', '/K_LOGOUT', '/k_query_bearer_token', '/app/k_logout']) {
      const answer = await alice.request(gate.url(target), { method: 'POST', body: 'x' });
      assert.equal(answer.status, 200, target);
      assert.equal(gate.app.seen(target).length, 1, target);
    }
    assert.equal((await alice.request(gate.url('/k_logout'))).status, 200, 'a GET');
  });
});

describe('with keycloak_admin_url: root', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { logout: { keycloak_admin_url: 'root' } } });
  });
  after(() => gate.close());

  for (const endpoint of ENDPOINTS) {
    test(`${endpoint} is answered at the root and on the admin listener, not under the prefix, and not forwarded`, async () => {
      const body = genuine(gate, endpoint);
      assert.equal((await post(gate.url(`/${endpoint}`), body)).status, 200);
      assert.equal((await post(gate.url(`/${endpoint}?x=1`), 'forged')).status, 400);
      assert.equal((await post(`${gate.addresses.adminUrl}/${endpoint}`, body)).status, 200);
      assert.equal((await post(gate.url(`/_gate/${endpoint}`), body)).status, 404);
      const alice = await gate.signedIn('alice');
      const headers = { 'Content-Type': 'text/plain' };
      assert.equal((await alice.request(gate.url(`/${endpoint}`), { method: 'POST', headers, body })).status, 200);
      assert.deepEqual(gate.app.seen(`/${endpoint}`), []);
    });
  }
});

describe('with keycloak_admin_url: off', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { logout: { keycloak_admin_url: 'off' } } });
  });
  after(() => gate.close());

  test('there is none, the names at the root are the application’s, and the provider is told nothing of our sessions', async () => {
    const alice = await gate.signedIn('alice');
    for (const endpoint of ENDPOINTS) {
      const body = genuine(gate, endpoint);
      assert.equal((await post(gate.url(`/_gate/${endpoint}`), body)).status, 404);
      assert.equal((await post(`${gate.addresses.adminUrl}/${endpoint}`, body)).status, 404);
      assert.equal((await post(gate.url(`/${endpoint}`), body)).status, 401);
      assert.equal((await alice.request(gate.url(`/${endpoint}`), { method: 'POST', body })).status, 200);
      assert.equal(gate.app.seen(`/${endpoint}`).length, 1);
    }
    for (const { body } of gate.provider.received(PATHS.token)) assert.doesNotMatch(body, /client_session_state/);
  });
});

test('with admin.notices off the admin listener has none of them', async (t) => {
  const gate = await TestGate.start({
    config: { admin: { notices: false } },
    provider: { clients: [] },
    providerAtStart: 'down',
  });
  t.after(() => gate.close());
  for (const endpoint of ENDPOINTS) {
    assert.equal((await post(`${gate.addresses.adminUrl}/${endpoint}`, 'x')).status, 404);
  }
});

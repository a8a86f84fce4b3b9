// LOGIN-17: what a token endpoint may answer, and what comes of it.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createOutboundFetch } from '../../../src/proxy/outbound-fetch.ts';
import { FakeProvider } from '../../support/fake-provider.ts';
import type { Answer } from '../../support/hooked-server.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const html: Answer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>maintenance</html>' };
const oauthError = (status: number, error: string, headers = {}): Answer => ({
  status,
  headers: { ...JSON_TYPE, ...headers },
  body: JSON.stringify({ error, error_description: 'Code not valid' }),
});

const refusals: { what: string; answer: Answer; code: string; why: RegExp }[] = [
  {
    what: 'a redirect, which is not followed',
    answer: { status: 302, headers: { location: '/token2' }, body: '' },
    code: 'provider_unavailable',
    why: /answered 302/,
  },
  {
    what: 'HTML with status 200',
    answer: html,
    code: 'provider_unavailable',
    why: /answered 200, but not with the JSON/,
  },
  { what: 'HTML with status 502', answer: { ...html, status: 502 }, code: 'provider_unavailable', why: /answered 502/ },
  { what: 'HTML with status 400', answer: { ...html, status: 400 }, code: 'provider_unavailable', why: /answered/ },
  {
    what: 'a list',
    answer: { status: 200, headers: JSON_TYPE, body: '[]' },
    code: 'provider_unavailable',
    why: /token endpoint/,
  },
  {
    what: 'nothing',
    answer: { status: 200, headers: JSON_TYPE, body: '' },
    code: 'provider_unavailable',
    why: /answered 200/,
  },
  {
    what: 'status 204',
    answer: { status: 204, headers: {}, body: '' },
    code: 'provider_unavailable',
    why: /answered 204/,
  },
  {
    what: 'a code that is no longer good',
    answer: oauthError(400, 'invalid_grant'),
    code: 'code_refused',
    why: /Code not valid/,
  },
  {
    what: 'a wrong client secret',
    answer: oauthError(401, 'invalid_client'),
    code: 'provider_unavailable',
    why: /answered 401 invalid_client \(Code not valid\): the provider refuses our client; check client_id/,
  },
  {
    what: 'a wrong client secret, with a challenge',
    answer: oauthError(401, 'invalid_client', { 'www-authenticate': 'Basic realm="x"' }),
    code: 'provider_unavailable',
    why: /answered 401 with a challenge/,
  },
  {
    what: 'a client that may not',
    answer: oauthError(400, 'unauthorized_client'),
    code: 'provider_unavailable',
    why: /refuses our client/,
  },
  {
    what: 'trouble of its own',
    answer: oauthError(503, 'temporarily_unavailable'),
    code: 'provider_unavailable',
    why: /answered 503/,
  },
];

describe('a code exchange that answers', () => {
  let fake: FakeProvider;
  before(async () => {
    fake = await FakeProvider.start();
  });
  after(() => fake.server.stop());

  for (const { what, answer, code, why } of refusals) {
    test(`${what}: ${code}, and the code is not sent again`, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer });
      const before = fake.server.count('/token');
      const undo = fake.server.mutate('/token', () => answer);
      t.after(() => {
        undo();
        provider.stop();
      });
      const result = await outcome(fake.login(provider));
      assert.equal(result.code, code, result.message);
      assert.match(result.message, why);
      assert.equal(fake.server.count('/token'), before + 1);
      assert.equal(fake.server.count('/token2'), 0);
    });
  }

  test('with a broken connection: unavailable, and the code is not sent again', async (t) => {
    const { provider } = testProvider({ issuer: fake.issuer });
    t.after(() => provider.stop());
    const before = fake.server.count('/token');
    const hold = fake.server.hold('/token');
    const login = outcome(fake.login(provider));
    await hold.arrived;
    hold.drop();
    assert.equal((await login).code, 'provider_unavailable');
    assert.equal(fake.server.count('/token'), before + 1);
  });

  for (const path of ['/token', '/userinfo', '/jwks', '/.well-known/openid-configuration']) {
    test(`without end at ${path}: unavailable, and only so much is read`, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer, userinfo: 'always' });
      let sent = 0;
      const undo = fake.server.mutate(path, () => ({ status: 200, headers: JSON_TYPE, body: endless(() => sent++) }));
      t.after(() => {
        undo();
        provider.stop();
      });
      const { code, message } = await outcome(fake.login(provider));
      assert.equal(code, 'provider_unavailable');
      assert.match(message, /more than 1048576 bytes/);
      assert.ok(sent < 200, `${sent} times 64 KiB`);
    });

    test(`drop by drop at ${path}: unavailable at the deadline`, async (t) => {
      const { provider } = testProvider({
        issuer: fake.issuer,
        userinfo: 'always',
        fetch: createOutboundFetch({ timeoutMs: 300 }),
      });
      const undo = fake.server.mutate(path, () => ({ status: 200, headers: JSON_TYPE, body: drops() }));
      t.after(() => {
        undo();
        provider.stop();
      });
      const { code, message } = await outcome(fake.login(provider));
      assert.equal(code, 'provider_unavailable');
      assert.match(message, new RegExp(`${path.replaceAll('.', '\\.')}\\) timed out`));
    });
  }

  test('names the endpoint and never a secret, token or code', async (t) => {
    const { provider } = testProvider({ issuer: fake.issuer });
    t.after(() => provider.stop());
    const secret = 'eyJhbGciOiJub25lIn0.abcdefghijklmnop.x';
    const undo = fake.server.mutate('/token', () => ({
      status: 400,
      headers: JSON_TYPE,
      body: JSON.stringify({ error: 'invalid_request', error_description: `bad code_${secret}` }),
    }));
    t.after(undo);
    const { message } = await outcome(fake.login(provider));
    assert.match(message, /http:\/\/127\.0\.0\.1:\d+\/token\) answered 400 invalid_request/);
    assert.doesNotMatch(message, /eyJ/);
  });
});

describe('a token answer is brought into bounds:', () => {
  let fake: FakeProvider;
  before(async () => {
    fake = await FakeProvider.start();
  });
  after(() => fake.server.stop());

  const lifetimes: [value: unknown, seconds: number][] = [
    [300, 300],
    ['300', 300],
    [0.5, 60],
    [0, 60],
    [-1, 60],
    ['abc', 60],
    ['1e300', 60],
    [1e300, 60],
    [null, 60],
    [{}, 60],
    [undefined, 60],
  ];
  for (const [value, seconds] of lifetimes) {
    test(`expires_in ${JSON.stringify(value)} is ${seconds} s`, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => provider.stop());
      fake.issue = (grant) => ({ ...fake.tokens(grant), expires_in: value });
      const earliest = Date.now();
      const { tokens } = await fake.login(provider);
      assert.ok(
        tokens.accessExpiresAt >= earliest + seconds * 1000 && tokens.accessExpiresAt <= Date.now() + seconds * 1000,
      );
    });
  }

  for (const value of [0, -1, 'abc', 1e300, undefined]) {
    test(`refresh_expires_in ${JSON.stringify(value)} is no end`, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => provider.stop());
      fake.issue = (grant) => ({ ...fake.tokens(grant), refresh_expires_in: value });
      assert.equal((await fake.login(provider)).tokens.refreshExpiresAt, undefined);
    });
  }

  for (const type of ['Bearer', 'bearer', 'BEARER']) {
    test(`token_type ${type} is accepted`, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => provider.stop());
      fake.issue = (grant) => ({ ...fake.tokens(grant), token_type: type });
      assert.equal((await fake.login(provider)).tokens.accessToken, 'opaque access token');
    });
  }

  for (const refreshToken of ['', null, 7, undefined]) {
    test(`refresh_token ${JSON.stringify(refreshToken)} is none, and nothing is probed or said`, async (t) => {
      const { provider, events } = testProvider({ issuer: fake.issuer });
      t.after(() => provider.stop());
      fake.issue = (grant) => ({ ...fake.tokens(grant), refresh_token: refreshToken, scope: null });
      const { tokens, probe } = await fake.login(provider);
      assert.equal(tokens.refreshToken, undefined);
      assert.equal(probe, 'refresh');
      assert.equal(JSON.stringify(events).includes('probe.not_armed'), false);
    });
  }

  for (const accessToken of ['', null, 7, undefined]) {
    test(`access_token ${JSON.stringify(accessToken)} is refused`, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => provider.stop());
      fake.issue = (grant) => ({ ...fake.tokens(grant), access_token: accessToken });
      assert.equal((await outcome(fake.login(provider))).code, 'provider_unavailable');
    });
  }
});

async function* endless(onChunk: () => void): AsyncGenerator<Buffer> {
  yield Buffer.from('{"a":"');
  for (;;) {
    onChunk();
    yield Buffer.alloc(64 * 1024, 'a');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function* drops(): AsyncGenerator<string> {
  for (;;) {
    yield ' ';
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

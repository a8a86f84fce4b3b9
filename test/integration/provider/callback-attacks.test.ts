// LOGIN-03 and LOGIN-05: callbacks that are ambiguous, foreign or errors; none of them reaches the token endpoint.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { FakeProvider } from '../../support/fake-provider.ts';
import { outcome, testProvider } from '../../support/test-provider.ts';

interface Attack {
  readonly what: string;
  readonly tamper: (query: URLSearchParams, fake: FakeProvider) => void;
  readonly code?: string;
}

const attacks: Attack[] = [
  { what: 'no state', tamper: (query) => query.delete('state') },
  { what: 'another state', tamper: (query) => query.set('state', 'other') },
  { what: 'an empty state', tamper: (query) => query.set('state', '') },
  { what: 'state twice', tamper: (query) => query.append('state', query.get('state')!) },
  { what: 'code twice', tamper: (query) => query.append('code', 'code-2') },
  { what: 'iss twice', tamper: (query) => query.append('iss', query.get('iss')!) },
  { what: 'error twice', tamper: (query) => asError(query).append('error', 'b') },
  { what: 'both code and error', tamper: (query) => query.set('error', 'access_denied') },
  { what: 'both code and an empty error', tamper: (query) => query.set('error', '') },
  { what: 'neither code nor error', tamper: (query) => query.delete('code') },
  { what: 'an empty code', tamper: (query) => query.set('code', '') },
  { what: 'a JWT response', tamper: (query) => query.set('response', 'a.b.c') },
  { what: 'no iss though the provider sends one', tamper: (query) => query.delete('iss') },
  { what: 'an empty iss', tamper: (query) => query.set('iss', '') },
  { what: 'the iss of another provider', tamper: (query) => query.set('iss', 'https://evil.example') },
  { what: 'an iss with a slash more', tamper: (query, fake) => query.set('iss', `${fake.issuer}/`) },
  { what: 'an error without iss', tamper: (query) => asError(query).delete('iss') },
  {
    what: 'an error with the iss of another provider',
    tamper: (query) => asError(query).set('iss', 'https://evil.example'),
  },
  { what: 'an error with another state', tamper: (query) => asError(query).set('state', 'other') },
  { what: 'an ID token in the query', tamper: (query) => query.set('id_token', 'a.b.c') },
  { what: 'an access token in the query', tamper: (query) => query.set('access_token', 'a') },
  { what: 'an honest error', tamper: (query) => asError(query).set('error_description', 'no'), code: 'login_refused' },
];

describe('no token request is made for a callback with', () => {
  let fake: FakeProvider;
  before(async () => {
    fake = await FakeProvider.start();
  });
  after(() => fake.server.stop());

  for (const { what, tamper, code = 'callback_invalid' } of attacks) {
    test(what, async (t) => {
      const { provider } = testProvider({ issuer: fake.issuer });
      t.after(() => provider.stop());
      const result = await outcome(fake.login(provider, (url) => tamper(url.searchParams, fake)));
      assert.equal(result.code, code, result.message);
      assert.equal(fake.server.count('/token'), 0);
    });
  }

  test('an error whose text is an attack, and the text is not repeated', async (t) => {
    const { provider } = testProvider({ issuer: fake.issuer });
    t.after(() => provider.stop());
    const secret = 'S3cretS3cretS3cretS3cretS3cret';
    const { code, message } = await outcome(
      fake.login(provider, (url) => {
        url.searchParams.delete('code');
        url.searchParams.set('error', 'bad\r\nX-Injected: 1');
        url.searchParams.set('error_description', `<script>\u202e\r\n${secret}`);
      }),
    );
    assert.equal(code, 'login_refused');
    assert.doesNotMatch(message, /[\r\n\u202e]|X-Injected|S3cret/);
  });
});

test('a provider that never sends iss is believed without, and refused with a wrong one', async (t) => {
  const fake = await FakeProvider.start();
  fake.metadata = { authorization_response_iss_parameter_supported: undefined };
  const { provider } = testProvider({ issuer: fake.issuer });
  t.after(() => {
    provider.stop();
    return fake.server.stop();
  });
  const signedIn = await fake.login(provider, (url) => url.searchParams.delete('iss'));
  assert.equal(signedIn.sub, 'alice');
  const wrong = await outcome(fake.login(provider, (url) => url.searchParams.set('iss', 'https://evil.example')));
  assert.equal(wrong.code, 'callback_invalid');
});

/** The callback of a sign-in that the provider refused. */
function asError(query: URLSearchParams): URLSearchParams {
  query.delete('code');
  query.set('error', 'access_denied');
  return query;
}

// The request headers that an upstream sees.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RequestHeaderPolicy } from '../../../src/proxy/request-headers.ts';

const FORWARDED = { for: '192.0.2.7', host: 'wiki.example', proto: 'https', port: '443' };
const GATE_PAIRS = [
  ['X-Forwarded-For', '192.0.2.7'],
  ['X-Forwarded-Host', 'wiki.example'],
  ['X-Forwarded-Proto', 'https'],
  ['X-Forwarded-Port', '443'],
];

function policy(options: { preserveHost?: boolean } = {}): RequestHeaderPolicy {
  return new RequestHeaderPolicy({
    identityNames: ['X-Forwarded-User', 'Remote-User', 'X-Auth-Groups', 'X-Remote-User'],
    ownCookies: {
      sessionName: '__Host-portcullis',
      lastUserName: '__Host-portcullis-user',
      loginPrefix: '__Secure-portcullis-login-',
    },
    upstreamHost: 'wiki:3000',
    preserveHost: options.preserveHost ?? false,
  });
}

function pairs(flat: readonly string[]): [string, string][] {
  return Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i]!, flat[2 * i + 1]!]);
}

/** The client's pairs that pass: without Host in front and the gate's own behind. */
function passed(client: readonly [string, string][]): [string, string][] {
  const all = pairs(policy().build(client.flat(), { forwarded: FORWARDED, identity: [] }));
  assert.deepEqual(all[0], ['Host', 'wiki:3000']);
  assert.deepEqual(all.slice(-4), GATE_PAIRS);
  return all.slice(1, -4);
}

describe('the request headers that an upstream sees', () => {
  test('spelling, order and repeats of what passes are the client’s', () => {
    const client: [string, string][] = [
      ['accept', 'text/html'],
      ['X-Custom-Thing', 'b'],
      ['x-custom-thing', 'a'],
      ['User-Agent', 'x'],
      ['X-CUSTOM-THING', ''],
      ['Content-Length', '3'],
    ];
    assert.deepEqual(passed(client), client);
  });

  test('Host is the upstream’s, or the public one where the route keeps it', () => {
    const client = ['Host', 'evil.example', 'hOST', 'evil.example'];
    assert.deepEqual(policy().build(client, { forwarded: FORWARDED, identity: [] }).slice(0, 2), ['Host', 'wiki:3000']);
    const kept = policy({ preserveHost: true }).build(client, { forwarded: FORWARDED, identity: [] });
    assert.deepEqual(pairs(kept), [['Host', 'wiki.example'], ...GATE_PAIRS]);
  });

  test('for another upstream Host is that one’s, unless the route keeps the public one', () => {
    for (const [preserveHost, host] of [
      [false, 'wiki-2:3000'],
      [true, 'wiki.example'],
    ] as const) {
      const made = policy({ preserveHost });
      const headers = made.build(['A', 'b'], { forwarded: FORWARDED, identity: [] });
      made.readdress(headers, 'wiki-2:3000');
      assert.deepEqual(pairs(headers), [['Host', host], ['A', 'b'], ...GATE_PAIRS]);
    }
  });

  test('identity headers come last, behind everything of the client', () => {
    const built = policy().build(['A', '1'], {
      forwarded: FORWARDED,
      identity: ['X-Forwarded-User', 'ada', 'Remote-User', 'ada'],
    });
    assert.deepEqual(pairs(built).slice(-2), [
      ['X-Forwarded-User', 'ada'],
      ['Remote-User', 'ada'],
    ]);
  });

  for (const name of [
    'X-Forwarded-User',
    'x-forwarded-USER',
    'X_Forwarded_User',
    'X-Forwarded_User',
    'X.Forwarded.User',
    'X~Forwarded~User',
    'XForwardedUser',
    'HTTP_X_FORWARDED_USER',
    'HTTP_HTTP_X_FORWARDED_USER',
    'REMOTE_USER',
    'Remote-User',
    'http-remote-user',
    'x_auth_groups',
    'X-Remote.User',
    'OIDC_CLAIM_sub',
    'OIDC-CLAIM-email',
    'oidc_claim_anything_at_all',
    'HTTP_OIDC_CLAIM_sub',
    'OIDC_access_token',
  ]) {
    test(`a client cannot say who it is with ${name}`, () => {
      assert.deepEqual(
        passed([
          [name, 'admin'],
          ['Accept', '*/*'],
        ]),
        [['Accept', '*/*']],
      );
    });
  }

  for (const name of [
    'X-Forwarded-For',
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Port',
    'X-Forwarded-Server',
    'X-Forwarded-Uri',
    'X-Forwarded-Prefix',
    'X-Forwarded-Ssl',
    'X_Forwarded_For',
    'Forwarded',
    'X-Original-URL',
    'X-Rewrite-URL',
    'X_Rewrite_Url',
    'X-Accel-Redirect',
    'X-Sendfile',
    'X-Real-IP',
    'Proxy',
    'X-Portcullis-Assertion',
    'X_PORTCULLIS_LOGOUT',
  ]) {
    test(`a client’s ${name} does not reach the upstream`, () => {
      assert.deepEqual(passed([[name, '127.0.0.1']]), []);
    });
  }

  for (const name of [
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Upgrade',
    'HTTP2-Settings',
    'Expect',
    'Transfer-Encoding',
    'Transfer_Encoding',
    'Content_Length',
    'content.length',
    'Proxy_Authorization',
  ]) {
    test(`${name} ends at the gate`, () => {
      assert.deepEqual(passed([[name, name === 'Connection' ? 'keep-alive' : '1']]), []);
    });
  }

  test('what Connection names is dropped, in any case and from several headers', () => {
    const client: [string, string][] = [
      ['connection', 'close, X-One'],
      ['X-One', '1'],
      ['x-two', '2'],
      ['X-Three', '3'],
      ['Connection', 'x-TWO ,, '],
    ];
    assert.deepEqual(passed(client), [['X-Three', '3']]);
  });

  test('Connection cannot take away framing, host, cookies, credentials or identity', () => {
    const client = [
      'Connection',
      'close, x-forwarded-user, x-forwarded-proto, cookie, host, content-length, transfer-encoding, authorization',
      'Content-Length',
      '4',
      'Cookie',
      'a=1',
      'Authorization',
      'Bearer x',
    ];
    const built = pairs(policy().build(client, { forwarded: FORWARDED, identity: ['X-Forwarded-User', 'ada'] }));
    assert.deepEqual(built, [
      ['Host', 'wiki:3000'],
      ['Content-Length', '4'],
      ['Cookie', 'a=1'],
      ['Authorization', 'Bearer x'],
      ...GATE_PAIRS,
      ['X-Forwarded-User', 'ada'],
    ]);
  });

  test('credentials that would authenticate a shared connection are not sent', () => {
    assert.deepEqual(passed([['Authorization', 'NTLM TlRMTVNTUAAB']]), []);
    assert.deepEqual(passed([['authorization', ' negotiate YII']]), []);
    assert.deepEqual(passed([['Authorization', 'Basic bmVnb3RpYXRl']]), [['Authorization', 'Basic bmVnb3RpYXRl']]);
  });

  test('an Authorization that a route sets itself replaces the client’s', () => {
    const own = new RequestHeaderPolicy({
      identityNames: ['Authorization'],
      ownCookies: { sessionName: 's', lastUserName: 's-user', loginPrefix: 'l-' },
      upstreamHost: 'u',
      preserveHost: false,
    });
    const built = own.build(['authorization', 'Bearer theirs'], {
      forwarded: FORWARDED,
      identity: ['Authorization', 'Basic ours'],
    });
    assert.deepEqual(pairs(built).slice(5), [['Authorization', 'Basic ours']]);
  });

  test('a Cookie header of the gate’s own cookies alone is not sent at all', () => {
    assert.deepEqual(passed([['Cookie', '__Host-portcullis=abc; __Secure-portcullis-login-x=y']]), []);
    assert.deepEqual(passed([['cookie', 'a=1; __Host-portcullis=abc']]), [['cookie', 'a=1']]);
  });

  for (const name of ['__proto__', 'constructor', 'hasOwnProperty', 'toString']) {
    test(`a header named ${name} is a header like any other`, () => {
      assert.deepEqual(passed([[name, '1']]), [[name, '1']]);
    });
  }
});

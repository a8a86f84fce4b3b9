// Errors of the library and of the network, as operators read them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { ClientError, ResponseBodyError } from 'openid-client';
import { GatewayError } from '../../../src/base/gateway-error.ts';
import { isInvalidGrant, quoteForeign, translateError } from '../../../src/oidc/translate-error.ts';

const network = (code: string) =>
  Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error('connect'), { code }) });
const ofLibrary = (code: string, cause?: unknown) => Object.assign(new ClientError('x', { cause }), { code });
const ofFetch = (cause: Error) =>
  new GatewayError('provider_unavailable', { status: 503, message: 'it said why', cause });
const body = (status: number, error: string, description?: string) =>
  new ResponseBodyError('x', {
    cause: { error, ...(description !== undefined && { error_description: description }) },
    response: new Response(null, { status }),
  });

const rows: [what: string, error: unknown, message: string][] = [
  ['a refused connection', network('ECONNREFUSED'), 'the endpoint cannot be reached: ECONNREFUSED'],
  [
    'a failed certificate',
    network('SELF_SIGNED_CERT_IN_CHAIN'),
    'the endpoint cannot be reached: SELF_SIGNED_CERT_IN_CHAIN: its certificate is not trusted; a private authority goes into provider.ca_file',
  ],
  ['a time-out', new DOMException('x', 'TimeoutError'), 'the endpoint timed out'],
  ['a time-out of the library', ofLibrary('OAUTH_TIMEOUT'), 'the endpoint timed out'],
  [
    'an unexpected status',
    ofLibrary('OAUTH_RESPONSE_IS_NOT_CONFORM', new Response('secret', { status: 502 })),
    'the endpoint answered 502',
  ],
  [
    'an answer of the wrong shape',
    ofLibrary('OAUTH_INVALID_RESPONSE', { body: { access_token: 'secret' } }),
    'the endpoint: it gave an answer that cannot be used (OAUTH_INVALID_RESPONSE)',
  ],
  ['an error of our fetch', ofFetch(network('ENOTFOUND').cause), 'the endpoint cannot be reached: ENOTFOUND'],
  [
    'an error of our fetch within the library',
    ofLibrary('x', ofFetch(new Error('secret'))),
    'the endpoint: it said why',
  ],
  ['an error of the provider', body(400, 'invalid_request', 'no'), 'the endpoint answered 400 invalid_request (no)'],
  ['an error that is a trap', body(400, 'a\nb'), 'the endpoint answered 400 an unreadable error'],
  ['something thrown that is no error', 'secret', 'the endpoint: the request failed'],
];
for (const [what, error, message] of rows) {
  test(`${what} is told as "${message}", and nothing secret with it`, () => {
    const translated = translateError(error, 'the endpoint');
    assert.equal(translated.code, 'provider_unavailable');
    assert.equal(translated.status, 503);
    assert.equal(translated.message, message);
    assert.doesNotMatch(inspect(translated, { depth: 20, showHidden: true }), /secret/);
  });
}

test('a connection closed in the middle of TLS has the cure with it, and one without TLS has not', () => {
  const messageAt = (endpoint: string) => translateError(network('UND_ERR_SOCKET'), endpoint).message;
  assert.match(messageAt('discovery (https://idp)'), /UND_ERR_SOCKET: .*client certificate\? .*provider\.tls$/);
  assert.match(messageAt('discovery (http://idp)'), /UND_ERR_SOCKET$/);
});

test('our own error comes out as it went in, however deep the library wrapped it', () => {
  const own = new GatewayError('provider_unavailable', { status: 503, message: 'mine' });
  assert.equal(
    translateError(new ClientError('x', { cause: new TypeError('y', { cause: own }) }), 'the endpoint'),
    own,
  );
});

test('only the error of that name is a refused grant', () => {
  assert.equal(isInvalidGrant(body(400, 'invalid_grant')), true);
  assert.equal(isInvalidGrant(body(400, 'invalid_client')), false);
  assert.equal(isInvalidGrant(new Error('invalid_grant')), false);
});

test('foreign text is printable, short, and has no room for a token', () => {
  assert.equal(quoteForeign('Session not active'), 'Session not active');
  assert.equal(quoteForeign('a\r\nb\u202e\u0000c'), 'a??b??c');
  assert.equal(quoteForeign(`token eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(300)} x`), 'token …');
  assert.ok(quoteForeign('word '.repeat(500)).length <= 200);
});

// `routes[].headers`: what contradicts itself or could never be sent is refused where it can be mended.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is the syntax of the configuration file.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BASE, configOf, problemsOf, refuses } from './load-text.ts';

const route = (headers: string, more = '') =>
  `${BASE}routes:\n  - { upstream: "http://a", ${more}headers: { ${headers} } }\n`;

const refused: readonly { title: string; text: string; key: string; message: RegExp; cure: RegExp }[] = [
  {
    title: 'basic_auth beside access_token: authorization',
    text: route('basic_auth: { username: "{sub}", password: x }, access_token: ▸authorization'),
    key: 'access_token',
    message: /both basic_auth and access_token say what Authorization holds/,
    cure: /keep one/,
  },
  {
    title: 'basic_auth beside a header of set with that name, in any spelling',
    text: route('set: { authorization: "x" }, ▸basic_auth: { username: "{sub}", password: x }'),
    key: 'basic_auth',
    message: /both set\.authorization and basic_auth/,
    cure: /keep one/,
  },
  {
    title: 'access_token beside a header of set with that name',
    text: route('set: { X-Forwarded-Access-Token: "x" }, access_token: ▸x-forwarded-access-token'),
    key: 'access_token',
    message: /X-Forwarded-Access-Token/,
    cure: /keep one/,
  },
  {
    title: 'basic_auth without a password',
    text: route('▸basic_auth: { username: "{sub}" }'),
    key: 'basic_auth',
    message: /no password/,
    cure: /password_file, or password_claim/,
  },
  {
    title: 'a password for all beside one for each',
    text: route('basic_auth: { username: "{sub}", password: x, password_claim: ▸legacy }'),
    key: 'basic_auth.password_claim',
    message: /both password and password_claim/,
    cure: /keep one/,
  },
  {
    title: 'a password that no HTTP Basic can carry, which is not shown',
    text: route('basic_auth: { username: "{sub}", password: ▸"geheim\\tx" }'),
    key: 'basic_auth.password',
    message: /^(?!.*geheim).*control characters/,
    cure: /one line/,
  },
  {
    title: 'a user name with a colon of its own',
    text: route('basic_auth: { username: ▸"urn:{sub}", password: x }'),
    key: 'basic_auth.username',
    message: /first colon/,
    cure: /without a colon/,
  },
  {
    title: 'credentials of a route on which nobody is known',
    text: route('▸basic_auth: { username: "{sub}", password: x }', 'auth: public, '),
    key: 'basic_auth',
    message: /never be sent/,
    cure: /remove basic_auth/,
  },
  {
    title: 'the access token of a route on which nobody is known',
    text: route('access_token: ▸authorization', 'auth: public, '),
    key: 'access_token',
    message: /never be sent/,
    cure: /remove access_token/,
  },
];

describe('headers that cannot be as they are written are refused', () => {
  for (const { title, text, key, message, cure } of refused) {
    it(title, () => refuses(text, { path: `routes[0].headers.${key}`, message, cure }));
  }

  it('a claim with a colon in its name is not a colon in the user name', () => {
    const text = route('basic_auth: { username: "{https://x/name}", password: x }');
    assert.deepEqual(problemsOf(text), []);
  });

  it('a password from the environment is taken as it is, braces and colons too', () => {
    const password = '{sub}:${x}';
    const text = route('basic_auth: { username: "{sub}", password: "${P}" }');
    const { basicAuth } = configOf(text, { env: { P: password } }).routes[0]!.headers;
    assert.ok(basicAuth !== undefined && !('claim' in basicAuth.password));
    assert.equal(basicAuth.password.reveal(), password);
  });
});

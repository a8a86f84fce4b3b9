// Who the user is, for the upstream: presets, templates and the encoding (catalogue HDR-07 to HDR-10, RES-03).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeaderPreset } from '../../../src/access/header-presets.ts';
import {
  compileIdentityHeaders,
  type IdentityHeaderOptions,
  identityHeaderNames,
  neededClaims,
} from '../../../src/access/identity-headers.ts';
import type { Claims } from '../../../src/base/tokens.ts';

const CLAIMS: Claims = {
  sub: 'f:1:alice',
  aud: ['wiki', 'account'],
  email: 'alice@example.com',
  email_verified: true,
  name: 'Alice Doe',
  preferred_username: 'alice',
  groups: ['/staff', '/ops'],
  realm_access: { roles: ['user', 'wiki-admin'] },
  resource_access: { account: { roles: ['manage'] } },
  nonce: 'n',
};

function headers(options: Partial<IdentityHeaderOptions>, claims: Claims = CLAIMS): Record<string, string> {
  const compiled = compileIdentityHeaders({ preset: 'none', ...options });
  const pairs = compiled({
    sub: 'f:1:alice',
    user: 'alice',
    claims,
    accessExpiresAt: Date.UTC(2020, 2, 31, 9, 30, 50),
  });
  assert.equal(pairs.length % 2, 0);
  for (const text of pairs) assert.match(text, /^[\x20-\x7e]+$/);
  return Object.fromEntries(pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1]!]] : [])));
}

describe('presets', () => {
  const expected: Record<HeaderPreset, Record<string, string>> = {
    none: {},
    'oauth2-proxy': {
      'X-Forwarded-User': 'f:1:alice',
      'X-Forwarded-Email': 'alice@example.com',
      'X-Forwarded-Preferred-Username': 'alice',
      'X-Forwarded-Groups': '/staff,/ops',
    },
    gatekeeper: {
      'X-Auth-Audience': 'wiki,account',
      'X-Auth-Email': 'alice@example.com',
      'X-Auth-ExpiresIn': '2020-03-31 09:30:50 +0000 UTC',
      'X-Auth-Groups': '/staff,/ops',
      'X-Auth-Roles': 'user,wiki-admin,account:manage',
      'X-Auth-Subject': 'f:1:alice',
      'X-Auth-Userid': 'alice',
      'X-Auth-Username': 'alice',
    },
    authelia: {
      'Remote-User': 'alice',
      'Remote-Groups': '/staff,/ops',
      'Remote-Name': 'Alice Doe',
      'Remote-Email': 'alice@example.com',
    },
    mod_auth_openidc: {
      OIDC_CLAIM_sub: 'f:1:alice',
      OIDC_CLAIM_aud: 'wiki,account',
      OIDC_CLAIM_email: 'alice@example.com',
      OIDC_CLAIM_email_verified: '1',
      OIDC_CLAIM_name: 'Alice Doe',
      OIDC_CLAIM_preferred_username: 'alice',
      OIDC_CLAIM_groups: '/staff,/ops',
      OIDC_CLAIM_realm_access: '{"roles":["user","wiki-admin"]}',
      OIDC_CLAIM_resource_access: '{"account":{"roles":["manage"]}}',
    },
  };
  for (const [preset, pairs] of Object.entries(expected)) {
    it(`${preset} sends what that gate sends, and no token`, () => {
      assert.deepEqual(headers({ preset: preset as HeaderPreset }), pairs);
    });

    it(`every name of ${preset} is among those removed from requests`, () => {
      const removed = identityHeaderNames([]);
      // Transport removes everything that begins with OIDC_.
      const names = Object.keys(pairs).filter((name) => !name.startsWith('OIDC_'));
      assert.deepEqual(
        names.filter((name) => !removed.includes(name)),
        [],
      );
    });
  }

  it('a missing claim gives no header, never an empty one', () => {
    for (const claims of [
      {},
      { email: null, groups: [], preferred_username: '' },
      { email: {}, groups: {}, aud: 1.5 / 0 },
    ]) {
      assert.deepEqual(headers({ preset: 'oauth2-proxy' }, claims), { 'X-Forwarded-User': 'f:1:alice' });
    }
  });

  it('mod_auth_openidc: claim names that no header can have are rewritten, and two never fold into one', () => {
    const claims = { 'a b': 'rewritten', 'https://x/roles': ['r'], 'a-b': 'plain', '': 'x', é: 'y', __proto__x: 'z' };
    assert.deepEqual(headers({ preset: 'mod_auth_openidc' }, claims), {
      'OIDC_CLAIM_a-b': 'plain',
      'OIDC_CLAIM_https---x-roles': 'r',
      'OIDC_CLAIM_-': 'y',
      OIDC_CLAIM___proto__x: 'z',
    });
  });

  it('mod_auth_openidc: a claim named __proto__ is a claim', () => {
    assert.deepEqual(
      headers({ preset: 'mod_auth_openidc' }, JSON.parse('{"__proto__":"p","constructor":"c"}') as Claims),
      {
        OIDC_CLAIM___proto__: 'p',
        OIDC_CLAIM_constructor: 'c',
      },
    );
  });
});

describe('templates', () => {
  it('put claims into text, lists joined by commas', () => {
    assert.deepEqual(
      headers({
        set: { 'X-Remote-User': '{preferred_username}', 'X-Roles': '{realm_access.roles}', 'X-Who': 'u={name}; {{v}}' },
      }),
      { 'X-Remote-User': 'alice', 'X-Roles': 'user,wiki-admin', 'X-Who': 'u=Alice Doe; {v}' },
    );
  });

  it('without one of their claims there is no header', () => {
    assert.deepEqual(headers({ set: { 'X-A': '{nobody}', 'X-B': '{name}/{nobody}', 'X-C': 'constant' } }), {
      'X-C': 'constant',
    });
  });

  it('replace the header of a preset that has the same folded name', () => {
    const sent = headers({ preset: 'oauth2-proxy', set: { X_Forwarded_User: '{preferred_username}' } });
    assert.equal(sent['X_Forwarded_User'], 'alice');
    assert.equal(sent['X-Forwarded-User'], undefined);
  });

  for (const text of ['{', '}', '{}', '{a', 'a}', '{a.}', '{.a}', '{a..b}', 'a\r\nX: y', 'ü', '{a\\b}', '{{a}']) {
    it(`${JSON.stringify(text)} is refused at start`, () => {
      assert.throws(() => compileIdentityHeaders({ preset: 'none', set: { 'X-A': text } }), { code: 'header_invalid' });
    });
  }

  for (const name of [
    '',
    'a b',
    'Host',
    'connection',
    'Content_Length',
    'X-Forwarded-For',
    'Cookie',
    'é',
    'a:b',
    'TE',
  ]) {
    it(`the header name ${JSON.stringify(name)} is refused at start`, () => {
      assert.throws(() => compileIdentityHeaders({ preset: 'none', set: { [name]: 'x' } }), { code: 'header_invalid' });
    });
  }

  it('two names that fold to one are refused at start', () => {
    assert.throws(() => compileIdentityHeaders({ preset: 'none', set: { 'X-A': 'x', x_a: 'y' } }), /differ only in/);
  });
});

describe('the encoding', () => {
  const encoded = (value: unknown) => headers({ set: { 'X-A': '{v}' } }, { v: value })['X-A'];

  // claim, header; every one of them comes back by decodeURIComponent
  const TEXTS: readonly (readonly [string, string])[] = [
    ['alice', 'alice'],
    ['Žofie 王', '%C5%BDofie %E7%8E%8B'],
    ['😀', '%F0%9F%98%80'],
    ['a\r\nX-Role: admin', 'a%0D%0AX-Role: admin'],
    ['a\u0000b\tc\u007f', 'a%00b%09c%7F'],
    ['100%', '100%25'],
    ['%C5%BDofie', '%25C5%25BDofie'],
    [' admin', '%20admin'],
    ['admin ', 'admin%20'],
    [' ', '%20'],
    ['a, b; "c"', 'a, b; "c"'],
    ['é\u0085\u2028', '%C3%A9%C2%85%E2%80%A8'],
  ];
  for (const [claim, header] of TEXTS) {
    it(`${JSON.stringify(claim)} becomes ${header}, and comes back`, () => {
      assert.equal(encoded(claim), header);
      assert.equal(decodeURIComponent(header), claim);
    });
  }

  it('numbers and booleans are their text', () => {
    assert.deepEqual([encoded(7), encoded(true), encoded(false), encoded(0)], ['7', 'true', 'false', '0']);
  });

  it('an entry with a comma cannot become two entries', () => {
    assert.equal(encoded(['users,admin', 'a;b "c"', ' admin']), 'users%2Cadmin,a;b "c",%20admin');
    assert.equal(headers({ preset: 'oauth2-proxy' }, { groups: 'users,admin' })['X-Forwarded-Groups'], 'users%2Cadmin');
  });

  it('entries without a text of their own are left out', () => {
    assert.equal(encoded(['a', '', null, {}, ['x'], '\ud800', 'b']), 'a,b');
    assert.equal(encoded(['', null]), undefined);
  });

  it('lone surrogates, objects and what is no number give no header', () => {
    for (const value of ['a\ud800', '\udc00', {}, { a: 1 }, null, undefined, Number.NaN])
      assert.equal(encoded(value), undefined);
  });

  it('no two texts give the same header', () => {
    const alphabet = ['a', ' ', '%', ',', '\n', 'é', '2C', '%2C', '\ud83d\ude00', '"'];
    const seen = new Map<string, string>();
    for (const x of alphabet) {
      for (const y of alphabet) {
        for (const z of alphabet) {
          const text = x + y + z;
          const header = encoded([text])!;
          const other = seen.get(header);
          assert.ok(other === undefined || other === text, `${JSON.stringify([text, other])} both become ${header}`);
          seen.set(header, text);
        }
      }
    }
  });

  it('a header longer than 4 KiB is left out and named', () => {
    const compiled = compileIdentityHeaders({ preset: 'oauth2-proxy', set: { 'X-A': '{name}' } });
    const tooLong: string[] = [];
    const claims = {
      groups: Array.from({ length: 500 }, (_, at) => `/group-${at}`),
      name: 'x'.repeat(4097),
      email: 'e@x',
    };
    const pairs = compiled({ sub: 's', user: 'u', claims }, (name, why) => tooLong.push(`${name}: ${why}`));
    assert.deepEqual(pairs, ['X-Forwarded-User', 's', 'X-Forwarded-Email', 'e@x']);
    const why = 'its value is longer than 4 KiB';
    assert.deepEqual(tooLong, [`X-Forwarded-Groups: ${why}`, `X-A: ${why}`]);
  });
});

describe('names and claims of all routes', () => {
  it('names: all presets and everything that any route sets, Authorization only for the route that sets it', () => {
    const own: IdentityHeaderOptions = { preset: 'none', set: { 'X-Remote-User': 'x', Authorization: 'x' } };
    const routes: IdentityHeaderOptions[] = [own, { preset: 'none', set: { 'x-other': 'y' } }];
    const names = identityHeaderNames(routes);
    for (const name of ['X-Remote-User', 'x-other', 'X-Auth-Token', 'Remote-User', 'X-Auth-Request-User']) {
      assert.ok(names.includes(name), name);
    }
    assert.ok(!names.includes('Authorization'));
    assert.ok(identityHeaderNames(routes, own).includes('Authorization'));
  });

  it('neededClaims are the top-level claims of rules, presets and templates', () => {
    const names = neededClaims([
      { access: [{ roles: ['a'] }, { roles: ['c:b'], groups: ['x'], claims: { 'dep.x': 'y' } }] },
      { headers: { preset: 'authelia', set: { 'X-A': '{custom.deep} {other\\.dotted.x}' } } },
    ]);
    assert.deepEqual([...names].sort(), [
      'custom',
      'dep',
      'email',
      'groups',
      'name',
      'other.dotted',
      'realm_access',
      'resource_access',
    ]);
  });
});

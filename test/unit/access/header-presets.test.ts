// Each preset by name, for users whose claims are no plain ASCII: what arrives, in both encodings, and what is left out
// (catalogue HDR-07 to HDR-10). The names and values of plain claims are in identity-headers.test.ts.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HeaderPreset } from '../../../src/access/header-presets.ts';
import type { HeaderEncodingName } from '../../../src/access/header-text.ts';
import { compileIdentityHeaders } from '../../../src/access/identity-headers.ts';
import type { Claims } from '../../../src/base/tokens.ts';

interface Sent {
  readonly headers: Record<string, string>;
  readonly leftOut: readonly string[];
}

function sent(preset: HeaderPreset, encoding: HeaderEncodingName, claims: Claims): Sent {
  const leftOut: string[] = [];
  const user = typeof claims['preferred_username'] === 'string' ? claims['preferred_username'] : 's';
  const pairs = compileIdentityHeaders({ preset, encoding })({ sub: 's', user, claims }, (name) => leftOut.push(name));
  // What undici and node:http take for a header's value.
  for (const text of pairs) assert.match(text, /^[\x21-\x7e\x80-\xff](?:[\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/);
  const headers = pairs.flatMap((name, at) => (at % 2 === 0 ? [[name, pairs[at + 1]!]] : []));
  return { headers: Object.fromEntries(headers), leftOut };
}

/** A text as the application's socket has its UTF-8 bytes. */
const bytes = (text: string) => Buffer.from(text).toString('latin1');

const NAME = 'Žofie 王';
const ENCODED = '%C5%BDofie %E7%8E%8B';

/** Where each preset carries a user's name, and where their groups. */
const CARRIERS: readonly { preset: HeaderPreset; names: readonly string[]; groups: string }[] = [
  { preset: 'oauth2-proxy', names: ['X-Forwarded-Preferred-Username'], groups: 'X-Forwarded-Groups' },
  { preset: 'gatekeeper', names: ['X-Auth-Userid', 'X-Auth-Username'], groups: 'X-Auth-Groups' },
  { preset: 'authelia', names: ['Remote-User'], groups: 'Remote-Groups' },
  { preset: 'mod_auth_openidc', names: ['OIDC_CLAIM_preferred_username'], groups: 'OIDC_CLAIM_groups' },
];

for (const { preset, names, groups } of CARRIERS) {
  describe(preset, () => {
    const pick = ({ headers }: Sent, wanted: readonly string[]) => wanted.map((name) => headers[name]);
    const all = <T>(value: T) => names.map(() => value);

    it('a name outside Latin: percent-encoded, or its bytes as that gate sends them', () => {
      const claims = { preferred_username: NAME };
      assert.deepEqual(pick(sent(preset, 'percent', claims), names), all(ENCODED));
      assert.deepEqual(pick(sent(preset, 'utf-8', claims), names), all(bytes(NAME)));
    });

    it('a comma in a group: encoded, or the group is left out; never two groups', () => {
      const claims = { groups: ['users,admin', 'staff', 'Größe'] };
      assert.equal(sent(preset, 'percent', claims).headers[groups], 'users%2Cadmin,staff,Gr%C3%B6%C3%9Fe');
      assert.equal(sent(preset, 'utf-8', claims).headers[groups], bytes('staff,Größe'));
    });

    it('a name with a line break: encoded, or left out; never another header, never refused', () => {
      const claims = { preferred_username: 'a\r\nX-Role: admin', groups: ['a\nb', 'c'] };
      const percent = sent(preset, 'percent', claims);
      assert.deepEqual(pick(percent, names), all('a%0D%0AX-Role: admin'));
      assert.equal(percent.headers[groups], 'a%0Ab,c');
      const raw = sent(preset, 'utf-8', claims);
      assert.deepEqual(pick(raw, names), all(undefined));
      assert.equal(raw.headers[groups], 'c');
    });

    it('a name with a space at its end does not become the name without it', () => {
      const claims = { preferred_username: 'admin ' };
      assert.deepEqual(pick(sent(preset, 'percent', claims), names), all('admin%20'));
      assert.deepEqual(pick(sent(preset, 'utf-8', claims), names), all(undefined));
    });

    it('a lone surrogate is no text', () => {
      for (const encoding of ['percent', 'utf-8'] as const) {
        const { headers } = sent(preset, encoding, { preferred_username: 'a\ud800', groups: ['\udc00', 'b'] });
        assert.deepEqual(pick({ headers, leftOut: [] }, [...names, groups]), [...all(undefined), 'b']);
      }
    });

    it('missing claims give no header', () => {
      for (const encoding of ['percent', 'utf-8'] as const) {
        for (const claims of [{}, { groups: [], preferred_username: '' }, { groups: null, preferred_username: null }]) {
          const { headers, leftOut } = sent(preset, encoding, claims);
          assert.equal(headers[groups], undefined);
          assert.deepEqual(leftOut, []);
        }
      }
    });

    it('more groups than fit into 4 KiB are left out as a whole, named, and cost no other header', () => {
      const many = { groups: Array.from({ length: 600 }, (_, at) => `/group-${at}`), preferred_username: 'alice' };
      for (const encoding of ['percent', 'utf-8'] as const) {
        const result = sent(preset, encoding, many);
        assert.deepEqual(pick(result, [...names, groups]), [...all('alice'), undefined]);
        assert.deepEqual(result.leftOut, [groups]);
      }
    });
  });
}

describe('mod_auth_openidc prints values as that module does', () => {
  const value = (claim: unknown) => sent('mod_auth_openidc', 'percent', { x: claim }).headers['OIDC_CLAIM_x'];
  for (const [claim, header] of [
    [true, '1'],
    [false, '0'],
    [42, '42'],
    [1.5, '1.500000'],
    [{ roles: ['a', 'b'] }, '{"roles":["a","b"]}'],
    [{ name: 'Žofie\n' }, '{"name":"%C5%BDofie\\n"}'],
    [['a', true, 7, null, 'b'], 'a,1,b'],
    [null, undefined],
    [[], undefined],
  ] as const) {
    it(`${JSON.stringify(claim)} as ${header}`, () => assert.equal(value(claim), header));
  }
});

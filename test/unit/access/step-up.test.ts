// Whether a stronger sign-in would open what a rule asks `acr` for.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RuleOptions } from '../../../src/access/access-rules.ts';
import { judge, type Verdict } from '../../../src/access/route-match.ts';
import { compileRouteTable } from '../../../src/access/route-table.ts';
import type { Claims } from '../../../src/base/tokens.ts';

function verdict(access: readonly RuleOptions[], claims: Claims, target = '/a'): Verdict {
  const match = compileRouteTable([{ name: 'app', ambiguousPaths: 'forward', access }]).match('h', target, 'GET');
  assert.ok(match.kind === 'route', match.kind);
  return judge(match, claims);
}

describe('acr', () => {
  const rule: RuleOptions = { path: '/a', acr: ['2', '3'], groups: ['staff'] };
  const staff = { groups: ['staff'] };

  it('any of the listed classes is enough, as text or number', () => {
    for (const acr of ['2', '3', 2]) assert.equal(verdict([rule], { ...staff, acr }), 'allowed');
  });

  it('any other, and none, can be made good by a stronger sign-in', () => {
    for (const acr of ['1', '23', '', undefined, null, {}, true]) {
      assert.deepEqual(verdict([rule], { ...staff, acr }), { acr: ['2', '3'] }, String(acr));
    }
  });

  it('where another condition does not hold nothing helps', () => {
    assert.deepEqual(verdict([rule], { acr: '1' }), { acr: undefined });
    assert.deepEqual(verdict([rule], { acr: '2' }), { acr: undefined });
  });

  it('a public rule with it is not public', () => {
    assert.deepEqual(verdict([{ auth: 'public', acr: ['2'] }], {}), { acr: ['2'] });
  });

  it('a path that reads as several rules needs what satisfies them all, and where nothing does it is refused', () => {
    const other = (acr: string[]): RuleOptions => ({ path: '/b', acr });
    const target = '/a/../b';
    assert.deepEqual(verdict([rule, other(['3', '4'])], staff, target), { acr: ['3'] });
    assert.equal(verdict([rule, other(['3', '4'])], { ...staff, acr: '3' }, target), 'allowed');
    assert.deepEqual(verdict([rule, other(['4'])], staff, target), { acr: undefined });
  });
});

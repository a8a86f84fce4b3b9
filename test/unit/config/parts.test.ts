// Networks that together hold everybody.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { trustsEverybody } from '../../../src/config/checks/trusts-everybody.ts';
import { nearestName } from '../../../src/config/nearest-name.ts';
import { childPath, parentPath } from '../../../src/config/problem.ts';

describe('networks that together hold everybody', () => {
  const everybody: readonly [string, readonly string[]][] = [
    ['IPv4', ['0.0.0.0/0']],
    ['IPv4', ['10.1.2.3/0']],
    ['IPv4', ['0.0.0.0/1', '128.0.0.0/1']],
    ['IPv4', ['128.0.0.0/1', '64.0.0.0/2', '0.0.0.0/2']],
    ['IPv4', ['0.0.0.0/1', '10.0.0.0/8', '100.0.0.0/1', '128.0.0.0/1']],
    ['IPv4', ['::ffff:0:0/96']],
    ['IPv4', ['0.0.0.0/1', '::ffff:128.0.0.0/97']],
    ['IPv4', ['::/0']],
    ['IPv6', ['::/1', '8000::/1', '1.2.3.4']],
  ];
  for (const [kind, cidrs] of everybody) {
    it(`${cidrs.join(', ')}`, () => {
      const found = trustsEverybody(cidrs);
      assert.ok(found === kind || found === 'IPv4', String(found));
    });
  }

  const some: readonly (readonly string[])[] = [
    [],
    ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8', '127.0.0.1', '::1'],
    ['0.0.0.0/1', '128.0.0.0/2', '192.0.0.0/3'],
    ['1.0.0.0/1', '129.0.0.0/1'].slice(0, 1),
    ['2000::/3'],
    ['255.255.255.255', '0.0.0.0'],
  ];
  for (const cidrs of some)
    it(`not ${cidrs.join(', ') || 'nothing'}`, () => assert.equal(trustsEverybody(cidrs), undefined));
});

describe('did you mean', () => {
  const names = ['client_id', 'client_secret', 'issuer', 'tls', 'par', 'ca_file'];
  const nearest: readonly [string, string | undefined][] = [
    ['clientId', 'client_id'],
    ['client-secret', 'client_secret'],
    ['isuser', 'issuer'],
    ['issure', 'issuer'],
    ['tsl', 'tls'],
    ['cafile', 'ca_file'],
    ['CLIENT_ID', 'client_id'],
    ['colour', undefined],
    ['x', undefined],
    ['', undefined],
    ['y'.repeat(10_000), undefined],
  ];
  for (const [wrong, right] of nearest) {
    it(`${wrong.slice(0, 20)}: ${right ?? 'nothing'}`, () => assert.equal(nearestName(wrong, names), right));
  }
});

describe('paths of keys', () => {
  it('are written as people write them, odd names in quotes', () => {
    assert.equal(childPath(childPath(childPath('', 'routes'), 0), 'auth'), 'routes[0].auth');
    assert.equal(childPath('a', 'b.c"d'), 'a["b.c\\"d"]');
  });

  it('lead up to the whole file', () => {
    let path = 'routes[0].access[1].claims["a.b"]';
    for (let steps = 0; path !== ''; steps++) {
      assert.ok(steps < 10);
      path = parentPath(path);
    }
    assert.equal(parentPath('routes[0].auth'), 'routes[0]');
    assert.equal(parentPath('routes[0]'), 'routes');
  });
});

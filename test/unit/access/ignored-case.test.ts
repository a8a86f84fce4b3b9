// The choice of the route where an application ignores the case of paths (design: config.md, `case_insensitive_paths`).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RouteOptions } from '../../../src/access/route-match.ts';
import { compileRouteTable } from '../../../src/access/route-table.ts';

describe('the choice of the route', () => {
  it('with case_insensitive_paths: another case leads to no other route than the application goes by', () => {
    const open: RouteOptions = { name: 'open', path: '/', caseInsensitivePaths: true };
    const admin: RouteOptions = { name: 'admin', path: '/Admin', accessDefault: 'deny' };
    const nameOf = (routes: RouteOptions[], target: string) => {
      const match = compileRouteTable(routes).match('wiki.example.com', target, 'GET');
      return match.kind === 'route' ? match.route.name : match.kind;
    };
    for (const target of ['/Admin/x', '/ADMIN/x', '/admin', '/aDMin?a=/']) {
      const both = [open, { ...admin, caseInsensitivePaths: true }];
      assert.equal(nameOf(both, target), 'admin', target);
      assert.equal(nameOf(both.toReversed(), target), 'admin', target);
      // What ignores case is behind that route, and it says so: nothing of it is reached by way of another.
      assert.equal(nameOf([{ ...open, caseInsensitivePaths: false }, both[1]!], target), 'admin', target);
    }
    // The other way round the application behind `/` has `/Admin` too, and who may have it is said for one spelling alone.
    assert.equal(nameOf([open, admin], '/Admin/x'), 'admin');
    for (const target of ['/ADMIN/x', '/admin', '/a/../ADMIN/x'])
      assert.equal(nameOf([open, admin], target), 'bad_path');
    assert.equal(nameOf([open, admin], '/other'), 'open');
    assert.equal(nameOf([{ ...open, caseInsensitivePaths: false }, admin], '/ADMIN/x'), 'open');
    // Written exactly, a path is its own route's, whatever the other one would take.
    const exact = [
      { ...admin, name: 'exact', path: '/ADMIN' },
      { ...admin, caseInsensitivePaths: true },
    ];
    assert.deepEqual(
      ['/ADMIN/x', '/Admin/x'].map((target) => nameOf(exact, target)),
      ['exact', 'admin'],
    );
  });
});

// Which rule decides a request: the path rows of the security catalogue (PATH-01 to PATH-26) as far as they are
// decisions, and the rules of decided.md on ambiguous paths.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowed, decidedBy, type RouteOptions } from '../../../src/access/route-match.ts';
import { compileRouteTable, type Match } from '../../../src/access/route-table.ts';

const HOST = 'app.example';

/** The catalogue's gate: public below /public for GET and HEAD, everything else by session. */
const GATE: RouteOptions = {
  name: 'app',
  access: [{ path: '/public', methods: ['GET', 'HEAD'], auth: 'public' }],
};

function outcome(match: Match<RouteOptions>): string {
  return match.kind === 'route' ? match.needs : match.kind;
}

function matchIn(routes: readonly RouteOptions[], target: string, method = 'GET'): Match<RouteOptions> {
  return compileRouteTable(routes).match(HOST, target, method);
}

// id, expected, targets
const CATALOGUE: readonly (readonly [string, string, readonly string[]])[] = [
  ['PATH-01', 'session', ['/admin?x=/public/', '/admin?/public/a', '/admin?x=/../public']],
  ['PATH-02', 'bad_path', ['/public/../admin', '/admin/../public/x', '/public/x/../../admin']],
  ['PATH-03', 'bad_path', ['/public/%2e%2e/admin', '/public/.%2e/admin', '/public/%2E./admin']],
  ['PATH-04', 'bad_path', ['/public/..;/admin', '/public/;/../admin', '/public;x=/admin', '/public/..;a=b;c/admin']],
  [
    'PATH-05',
    'bad_path',
    ['/public%2fadmin', '/public/%2f..%2fadmin', '/public/..%2fadmin', '/public/x%2f..%2f..%2fadmin'],
  ],
  ['PATH-06', 'bad_path', ['/public%5c..%5cadmin', '/public\\..\\admin', '/public/..%5cadmin', '/public\\admin']],
  ['PATH-07', 'session', ['/public/%252e%252e/admin', '/public/%25252e']],
  [
    'PATH-08',
    'bad_path',
    ['/public/%c0%ae%c0%ae/admin', '/public/%e0%80%ae/', '/%u0061dmin', '/a%', '/a%2', '/a%zz', '/%ed%a0%80'],
  ],
  ['PATH-09', 'session', ['//admin', '/public//admin', '/public//']],
  ['PATH-09 read as host', 'bad_path', ['///public/a', '//evil.com/public/a', '/\\evil.com/public/a']],
  ['PATH-10', 'session', ['/PUBLIC/a', '/Public']],
  ['PATH-11', 'session', ['/publicx', '/public.evil', '/public%20', '/public/.', '/public/./']],
  ['PATH-12', 'bad_path', ['/public#/../admin', '/admin#/public/', '/admin?a#b', '/#']],
  ['PATH-13', 'session', ['/admin%23/public/x', '/public/x%23', '/public/%3Fx']],
  ['PATH-13 with dots', 'bad_path', ['/public/x%23/../../admin', '/public/../admin%23']],
  [
    'PATH-14',
    'bad_path',
    ['/admin%00/public/', '/public/%00../admin', '/public/%0d%0a', '/a%09b', '/a%7f', '/a%C2%85', '/a\tb', '/a b'],
  ],
  [
    'PATH-15, PATH-16',
    'bad_path',
    ['http://app.example/admin', 'http://evil/public/a', '*', 'http:admin', 'public/a', ''],
  ],
  ['PATH-22', 'session', ['/_gatex', '/app/_gate/logout', '/_gate%2fcallback']],
];

describe('the path catalogue', () => {
  for (const [id, expected, targets] of CATALOGUE) {
    for (const target of targets) {
      it(`${id}: ${JSON.stringify(target)} is ${expected}`, () => {
        assert.equal(outcome(matchIn([GATE], target)), expected);
      });
    }
  }

  it('PATH-17, PATH-18: a method that a public rule does not name needs a session, OPTIONS, HEAD and odd ones too', () => {
    for (const method of ['POST', 'OPTIONS', 'PROPFIND', 'QUERY', 'TRACE', 'get', 'GeT', '']) {
      assert.equal(outcome(matchIn([GATE], '/public/a', method)), 'session', method);
    }
    assert.equal(outcome(matchIn([GATE], '/public/a', 'HEAD')), 'public');
    const getOnly = { name: 'app', access: [{ path: '/public', methods: ['get'], auth: 'public' }] } as const;
    assert.equal(outcome(matchIn([getOnly], '/public/a', 'GET')), 'public');
    assert.equal(outcome(matchIn([getOnly], '/public/a', 'HEAD')), 'session');
  });

  it('PATH-26: a rule that throws admits nobody', () => {
    const match = matchIn([{ name: 'app', access: [{ claims: { boom: 'x' } }] }], '/a');
    assert.equal(match.kind, 'route');
    const claims = {
      get boom(): string {
        throw new Error('boom');
      },
    };
    assert.equal(allowed(match as never, claims), false);
  });
});

describe('canonical paths', () => {
  for (const target of [
    '/public',
    '/public/',
    '/public/a.css?x=%2e%2e/../',
    '/public/a..b/...',
    '/public/%C3%9Cber/a%20b',
    '/public/~user/@x:y,(z)!$&+=*',
    '/public/user%40example.com',
    '/public/[a]|"b"',
  ]) {
    it(`${target} is public`, () => assert.equal(outcome(matchIn([GATE], target)), 'public'));
  }

  for (const target of [
    '/public/%61',
    '/public/a%2Eb',
    '/public/a;b',
    '/public/a%3Bb',
    '/public/a\\b',
    '/public/a%7Eb',
  ]) {
    it(`${target} is not canonical: it needs a session`, () =>
      assert.equal(outcome(matchIn([GATE], target)), 'session'));
  }
});

describe('a path that is not canonical is decided under every reading that an upstream may give it', () => {
  const routes: readonly RouteOptions[] = [
    {
      name: 'app',
      access: [
        { path: '/admin', roles: ['admin'] },
        { path: '/public', auth: 'public' },
      ],
    },
  ];

  for (const target of [
    '/app/page;jsessionid=1',
    '/a//b',
    '/a/./b',
    '/a/../b',
    '/a%2fb',
    '/a\\b',
    '/admin//x',
    '/admin/a;b=c',
  ]) {
    it(`${target} goes through: all readings lead to one rule`, () => {
      assert.equal(outcome(matchIn(routes, target)), 'session');
    });
  }

  for (const target of [
    '/public/..;/admin',
    '/%61dmin',
    '/%61dmin%2fx',
    '/x/../admin',
    '/x/..%2fadmin',
    '/x/%2e%2e%5cadmin',
    '/admin;x',
    '/;x/admin',
    '/.;x/admin',
    '//x/admin',
    '//admin',
    '/\\x/admin/y',
    '/%5c%5cx/admin',
    '/admin%3Fx',
    '/admin%23/x',
    '/x//../admin',
    '/x/..;a/;b/../admin',
    '/./admin',
    '/admin/..',
    '/admin/%2e%2E/x',
    '/admin%2f..%2fx',
    '/./admin/%2e%2e',
    '/%3b/..%2fx/admin',
    '/%2e%2e/admin%2f%2e%2e',
  ]) {
    it(`${target} is refused: they lead to different rules`, () => {
      assert.equal(outcome(matchIn(routes, target)), 'bad_path');
    });
  }

  it('escapes are decoded once and never twice', () => {
    for (const target of ['/%2561dmin', '/x/%252e%252e/admin', '/%252561dmin']) {
      assert.equal(outcome(matchIn(routes, target)), 'session', target);
      assert.equal(decidedBy(matchIn(routes, target) as never), 'access_default', target);
    }
  });

  it('an escape that any browser writes changes nothing: rule and path meet decoded', () => {
    const match = matchIn(
      [{ name: 'app', access: [{ path: '/wiki/Über uns', roles: ['x'] }] }],
      '/wiki/%c3%9Cber%20uns/a',
    );
    assert.equal(decidedBy(match as never), 'access[0] /wiki/Über uns');
    const written = matchIn([{ name: 'app', access: [{ path: '/wiki/%C3%9Cber', roles: ['x'] }] }], '/wiki/%C3%9Cber');
    assert.equal(decidedBy(written as never), 'access[0] /wiki/%C3%9Cber');
    const at = matchIn([{ name: 'app', access: [{ path: '/@admin', roles: ['x'] }] }], '/%40admin');
    assert.equal(at.kind, 'bad_path');
  });

  it('a reading outside every route is refused, whatever the route says', () => {
    for (const ambiguousPaths of ['refuse', 'forward'] as const) {
      const app: RouteOptions[] = [{ name: 'app', path: '/app', ambiguousPaths }];
      assert.equal(outcome(matchIn(app, '/app/../other')), 'bad_path');
      assert.equal(outcome(matchIn(app, '/other/../app')), 'bad_path');
      assert.equal(outcome(matchIn(app, '/x/../y')), 'none');
      assert.equal(outcome(matchIn(app, '/app/x/../y')), 'session');
    }
  });

  it('behind strip_prefix the rest is read by itself too', () => {
    const routes: RouteOptions[] = [
      { name: 'app', path: '/app', stripPrefix: true, access: [{ path: '/app/admin', roles: ['admin'] }] },
      { name: 'rest' },
    ];
    assert.equal(outcome(matchIn(routes, '/app//x/admin')), 'bad_path');
    assert.equal(outcome(matchIn(routes, '/app/\\x/admin')), 'bad_path');
    assert.equal(outcome(matchIn(routes, '/app//x/page')), 'session');
    const keeping = routes.map((route) => ({ ...route, stripPrefix: false }));
    assert.equal(outcome(matchIn(keeping, '/app//x/admin')), 'session');
  });

  it('a thousand odd segments cost no more than a few milliseconds and answer', () => {
    const table = compileRouteTable(routes);
    for (const part of ['//', '/..', '/;a', '/%2e%2e', '\\', '/%2f', '/a/../b;c%2f', '/./%61//\\;x', '/..;/%5c.%2e']) {
      const target = `/public${part.repeat(Math.floor(8000 / part.length))}/admin`;
      const began = performance.now();
      assert.notEqual(outcome(table.match(HOST, target, 'GET')), 'public', part);
      assert.ok(performance.now() - began < 250, `${part}: ${performance.now() - began} ms`);
    }
  });
});

describe('ambiguous_paths: forward', () => {
  const routes: readonly RouteOptions[] = [
    {
      name: 'app',
      ambiguousPaths: 'forward',
      access: [
        { path: '/public', auth: 'public' },
        { path: '/admin', roles: ['admin'] },
        { path: '/ops', groups: ['/ops'] },
      ],
    },
  ];

  it('asks for a session and for every rule that a reading leads to', () => {
    const match = matchIn(routes, '/admin/../ops');
    assert.ok(match.kind === 'route');
    assert.equal(match.needs, 'session');
    const admin = { realm_access: { roles: ['admin'] } };
    assert.equal(allowed(match, admin), false);
    assert.equal(allowed(match, { groups: ['/ops'] }), false);
    assert.equal(allowed(match, { ...admin, groups: ['/ops'] }), true);
    assert.equal(decidedBy(match), 'access[1] /admin and access[2] /ops');
  });

  it('is never public', () => {
    assert.equal(outcome(matchIn(routes, '/public/../x')), 'session');
    assert.equal(outcome(matchIn(routes, '/public/..%2fadmin')), 'session');
  });

  it('still refuses what is no path at all', () => {
    for (const target of ['/a%00', '/a%c0%ae', '/a#b', '/a%zz'])
      assert.equal(outcome(matchIn(routes, target)), 'bad_path');
  });

  it('keeps access_default: deny', () => {
    const closed = matchIn([{ ...routes[0]!, accessDefault: 'deny' }], '/admin/../x');
    assert.ok(closed.kind === 'route');
    assert.equal(allowed(closed, { realm_access: { roles: ['admin'] } }), false);
  });

  it('holds between routes only if all of them say it', () => {
    const two = (second: 'refuse' | 'forward'): RouteOptions[] => [
      { name: 'a', path: '/a', ambiguousPaths: 'forward' },
      { name: 'b', path: '/b', ambiguousPaths: second, access: [{ roles: ['b'] }] },
    ];
    assert.equal(outcome(matchIn(two('refuse'), '/a/../b')), 'bad_path');
    const match = matchIn(two('forward'), '/a/../b');
    assert.ok(match.kind === 'route');
    assert.equal(match.route.name, 'a');
    assert.equal(allowed(match, {}), false);
  });
});

describe('routes', () => {
  const routes: readonly RouteOptions[] = [
    { name: 'any', path: '/' },
    { name: 'any-app', path: '/app' },
    { name: 'wiki-deep', hosts: ['wiki.example'], path: '/app/deep/er' },
    { name: 'wiki', hosts: ['Wiki.Example', 'docs.example'], path: '/app' },
  ];
  const nameAt = (host: string, target: string) => {
    const match = compileRouteTable(routes).match(host, target, 'GET');
    return match.kind === 'route' ? match.route.name : match.kind;
  };

  it('the most specific host wins, then the longest prefix by whole segments', () => {
    assert.equal(nameAt('other.example', '/app/x'), 'any-app');
    assert.equal(nameAt('wiki.example', '/app/x'), 'wiki');
    assert.equal(nameAt('docs.example', '/app'), 'wiki');
    assert.equal(nameAt('wiki.example', '/app/deep/er/x'), 'wiki-deep');
    assert.equal(nameAt('wiki.example', '/app/deep/erx'), 'wiki');
    assert.equal(nameAt('wiki.example', '/apple'), 'any');
    assert.equal(nameAt('wiki.example', '/'), 'any');
  });

  it('the port and case of the host do not matter', () => {
    assert.equal(nameAt('WIKI.example:8443', '/app'), 'wiki');
    assert.equal(nameAt('wiki.example.evil', '/app'), 'any-app');
  });

  it('the route that comes back is the object that was given', () => {
    const match = compileRouteTable(routes).match('x', '/app/', 'GET');
    assert.ok(match.kind === 'route');
    assert.equal(match.route, routes[1]);
  });

  it('no route at all is none', () => {
    assert.equal(outcome(matchIn([{ name: 'app', path: '/app' }], '/x')), 'none');
    assert.equal(outcome(matchIn([], '/x')), 'none');
  });

  it('two routes at one host and path are refused', () => {
    assert.throws(() => compileRouteTable([{ name: 'a' }, { name: 'b' }]), /route b: another route already has this/);
  });

  for (const path of [
    '/a//b',
    '/a/../b',
    'a',
    '',
    '/a;b',
    '/a?b',
    '/public/*',
    '/public/**',
    '/a%2fb',
    '/%',
    '/a\\b',
    '/a#b',
  ]) {
    it(`the configured path ${JSON.stringify(path)} is refused with a cure`, () => {
      assert.throws(() => compileRouteTable([{ name: 'a', path }]), /is not a plain path: write it as/);
      assert.throws(() => compileRouteTable([{ name: 'a', access: [{ path }] }]), /is not a plain path/);
    });
  }

  it('a canonical match allocates nothing: the same object comes back', () => {
    const table = compileRouteTable(routes);
    assert.equal(table.match('wiki.example', '/app/a', 'GET'), table.match('wiki.example', '/app/b?c', 'POST'));
  });
});

describe('speed', () => {
  it('a canonical path on a table of 1 000 routes with 10 rules each is matched in microseconds', () => {
    const routes = Array.from({ length: 1_000 }, (_, at) => ({
      name: `route-${at}`,
      hosts: [`host-${at % 10}.example`],
      path: `/app-${at}/sub`,
      access: Array.from({ length: 10 }, (_rule, rule) => ({ path: `/app-${at}/sub/rule-${rule}`, roles: ['x'] })),
    }));
    const table = compileRouteTable(routes);
    const match = () => table.match('host-5.example', '/app-555/sub/rule-9/some/page.html?x=1', 'GET');
    assert.equal(decidedBy(match() as never), 'access[9] /app-555/sub/rule-9');
    for (let warm = 0; warm < 20_000; warm++) match();
    const began = performance.now();
    for (let count = 0; count < 100_000; count++) match();
    // 0.5 us where nothing else runs; the bound only tells a table that is walked from one that is searched.
    const microseconds = ((performance.now() - began) * 1_000) / 100_000;
    assert.ok(microseconds < 10, `${microseconds} us`);
  });
});

describe('rules', () => {
  const claims = {
    realm_access: { roles: ['wiki-admin', 'a:b'] },
    resource_access: { account: { roles: ['manage'] }, a: { roles: ['b'] } },
    groups: ['/staff'],
    department: 'ops',
    level: 3,
    verified: true,
    nested: { 'a.b': ['x'] },
  };
  const passes = (access: RouteOptions['access'], target = '/x', method = 'GET') => {
    const match = matchIn([{ name: 'app', access: access ?? [] }], target, method);
    return match.kind === 'route' && allowed(match, claims);
  };

  it('roles: a name is a realm role, client:name a client role, any of them', () => {
    assert.equal(passes([{ roles: ['wiki-admin'] }]), true);
    assert.equal(passes([{ roles: ['account:manage'] }]), true);
    assert.equal(passes([{ roles: ['manage'] }]), false);
    assert.equal(passes([{ roles: ['account:wiki-admin'] }]), false);
    assert.equal(passes([{ roles: ['nobody', 'wiki-admin'] }]), true);
    assert.equal(passes([{ roles: [] }]), false);
  });

  it('groups and claims: any of the values, arrays any of theirs, numbers and booleans by their text', () => {
    assert.equal(passes([{ groups: ['/staff', '/other'] }]), true);
    assert.equal(passes([{ groups: ['staff'] }]), false);
    assert.equal(passes([{ claims: { department: ['ops', 'dev'] } }]), true);
    assert.equal(passes([{ claims: { department: 'dev' } }]), false);
    assert.equal(passes([{ claims: { level: 3, verified: true } }]), true);
    assert.equal(passes([{ claims: { level: '3' } }]), true);
    assert.equal(passes([{ claims: { 'nested.a\\.b': 'x' } }]), true);
    assert.equal(passes([{ claims: { 'nested.a.b': 'x' } }]), false);
    assert.equal(passes([{ claims: { department: [] } }]), false);
  });

  it('all keys of a rule must hold', () => {
    assert.equal(passes([{ roles: ['wiki-admin'], groups: ['/staff'], claims: { department: 'ops' } }]), true);
    assert.equal(passes([{ roles: ['wiki-admin'], groups: ['/other'] }]), false);
    assert.equal(passes([{ claims: { department: 'ops', level: 4 } }]), false);
  });

  it('the first match decides, also when it refuses', () => {
    assert.equal(
      passes([
        { path: '/x', roles: ['nobody'] },
        { path: '/x', roles: ['wiki-admin'] },
      ]),
      false,
    );
    assert.equal(passes([{ path: '/y', roles: ['nobody'] }, { roles: ['wiki-admin'] }]), true);
    assert.equal(passes([{ path: '/x', methods: ['POST'], roles: ['nobody'] }]), true);
    assert.equal(passes([{ path: '/x', methods: ['post'], roles: ['nobody'] }], '/x', 'POST'), false);
  });

  it('without a match access_default decides', () => {
    const match = matchIn([{ name: 'app', accessDefault: 'deny', access: [{ path: '/in' }] }], '/out');
    assert.ok(match.kind === 'route');
    assert.equal(allowed(match, claims), false);
    assert.equal(decidedBy(match), 'access_default');
    const inside = matchIn([{ name: 'app', accessDefault: 'deny', access: [{ path: '/in' }] }], '/in/a');
    assert.ok(inside.kind === 'route');
    assert.equal(allowed(inside, claims), true);
  });

  it('a public rule that also has conditions is not public', () => {
    assert.equal(outcome(matchIn([{ name: 'app', access: [{ auth: 'public', roles: ['x'] }] }], '/a')), 'session');
  });

  it('a public route is public where no rule with conditions matches, and never with access_default: deny', () => {
    const route: RouteOptions = { name: 'app', auth: 'public', access: [{ path: '/admin', roles: ['admin'] }] };
    assert.equal(outcome(matchIn([route], '/a')), 'public');
    assert.equal(outcome(matchIn([route], '/a//b')), 'session');
    assert.equal(outcome(matchIn([route], '/admin')), 'session');
    assert.equal(outcome(matchIn([{ ...route, accessDefault: 'deny' }], '/a')), 'session');
  });

  it('case_insensitive_paths: rules ignore case', () => {
    const route: RouteOptions = {
      name: 'app',
      path: '/App',
      caseInsensitivePaths: true,
      access: [{ path: '/App/Admin', roles: ['nobody'] }],
    };
    for (const target of ['/App/ADMIN/x', '/App/admin', '/App/%C4%B1dmin/../ADMIN']) {
      const match = matchIn([route], target);
      assert.ok(match.kind !== 'route' || !allowed(match, claims), target);
    }
    const files = { ...route, access: [{ path: '/App/files', roles: ['nobody'] }] };
    for (const target of ['/App/file%C5%BF', '/App/FILES']) {
      assert.equal(decidedBy(matchIn([files], target) as never), 'access[0] /App/files', target);
    }
  });

  it('claims of odd names and shapes harm nobody', () => {
    for (const path of [
      '__proto__',
      'constructor',
      'hasOwnProperty',
      '__proto__.polluted',
      'constructor.name',
      'toString',
    ]) {
      assert.equal(passes([{ claims: { [path]: ['Object', 'x', 'true', 'undefined'] } }]), false, path);
    }
    for (const odd of [null, 1, 'admin', { admin: true }, [['admin']], [{ toString: () => 'admin' }]]) {
      const match = matchIn([{ name: 'app', access: [{ roles: ['admin'] }] }], '/x');
      assert.ok(match.kind === 'route');
      assert.equal(allowed(match, { realm_access: { roles: odd }, resource_access: odd }), false);
      assert.equal(allowed(match, { realm_access: odd }), false);
    }
    assert.equal(passes([{ roles: ['__proto__:x', 'constructor:name'] }]), false);
  });
});

// The application's own logout in the file: what would never work is refused, with its cure.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BASE, configOf, loadText, refuses } from './load-text.ts';

const route = (keys: string) => `${BASE}routes: [{ upstream: "http://wiki", ${keys} }]\n`;

describe('the application’s own logout in the file', () => {
  it('is read', () => {
    const config = configOf(
      route(
        'path: /app, logout: { paths: [/app/logout, /app/bye/, "/app/index.php?do=logout"], response_header: X-Leave }, access: []',
      ),
    );
    assert.deepEqual(config.routes[0]!.logout, {
      paths: ['/app/logout', '/app/bye', '/app/index.php?do=logout'],
      responseHeader: 'X-Leave',
      relay: undefined,
    });
    assert.deepEqual(configOf(route('name: a')).routes[0]!.logout, {
      paths: [],
      responseHeader: undefined,
      relay: undefined,
    });
  });

  const rows: [what: string, text: string, expected: { path: string; message: RegExp; cure: RegExp }][] = [
    [
      'a path of another route',
      route('path: /app, logout: { paths: [/app/logout, ▸/logout] }'),
      { path: 'routes[0].logout.paths[1]', message: /its route is for \/app/, cure: /beginning with \/app/ },
    ],
    [
      'a path of the gate',
      route('logout: { paths: [▸/_gate/logout] }'),
      { path: 'routes[0].logout.paths[0]', message: /belong to the gate/, cure: /application's own/ },
    ],
    [
      'a path that a rule makes public',
      route('access: [{ path: /app, auth: public }], logout: { paths: [▸/app/logout] }'),
      { path: 'routes[0].logout.paths[0]', message: /makes this path public/, cure: /before that one/ },
    ],
    [
      'an address of another route',
      route('path: /app, logout: { paths: [▸"/index.php?action=logout"] }'),
      { path: 'routes[0].logout.paths[0]', message: /its route is for \/app/, cure: /beginning with \/app/ },
    ],
    [
      'a query that is no pair of name and value',
      route('logout: { paths: [▸"/index.php?logout"] }'),
      { path: 'routes[0].logout.paths[0]', message: /parameters that are none/, cure: /name=value/ },
    ],
    [
      'an address with a fragment',
      route('logout: { paths: [▸"/index.php?a=b#top"] }'),
      { path: 'routes[0].logout.paths[0]', message: /parameters that are none/, cure: /name=value/ },
    ],
    [
      'an address whose path is not canonical',
      route('logout: { paths: [▸"/a//b?do=logout"] }'),
      { path: 'routes[0].logout.paths[0]', message: /empty segment/, cure: /single slashes/ },
    ],
    [
      'a public route',
      route('auth: public, ▸logout: { response_header: X-Leave }'),
      { path: 'routes[0].logout', message: /public/, cure: /auth: session/ },
    ],
    [
      'a jar on a public route',
      route('auth: public, cookies: ▸jar'),
      { path: 'routes[0].cookies', message: /public/, cure: /write pass/ },
    ],
    [
      'a relay to the gate',
      route('cookies: jar, logout: { relay: { url: ▸"https://wiki.example.com/logout" } }'),
      { path: 'routes[0].logout.relay.url', message: /the gate itself/, cure: /behind the gate/ },
    ],
    [
      'a header that browsers need',
      route('logout: { response_header: ▸Location }'),
      { path: 'routes[0].logout.response_header', message: /browsers need/, cure: /X-Portcullis-Logout/ },
    ],
    [
      'an identity header',
      route('headers: { set: { X-Remote-User: "{sub}" } }, logout: { response_header: ▸X_Remote_User }'),
      { path: 'routes[0].logout.response_header', message: /X-Remote-User/, cure: /X-Portcullis-Logout/ },
    ],
    [
      'a header that cannot be one',
      route('logout: { response_header: ▸Set-Cookie }'),
      { path: 'routes[0].logout.response_header', message: /cannot be this header/, cure: /X-Remote-User/ },
    ],
  ];
  for (const [what, text, expected] of rows) it(`${what} is refused`, () => refuses(text, expected));

  it('two routes to one application that keep its cookies in different ways are warned of', () => {
    const routes = '[{ upstream: "http://wiki", cookies: jar }, { path: /a, upstream: "http://wiki" }]';
    const loaded = loadText(`${BASE}routes: ${routes}\n`);
    assert.ok('config' in loaded);
    assert.deepEqual(
      loaded.warnings.map(({ path, message }) => [path, /cookies: jar/.test(message)]),
      [['routes[1].cookies', true]],
    );
  });

  it('a relay without cookies, or to somebody else, is warned of', () => {
    const warned = (keys: string) => {
      const loaded = loadText(route(keys));
      assert.ok('config' in loaded);
      return loaded.warnings.map(({ path }) => path);
    };
    assert.deepEqual(warned('cookies: jar, logout: { relay: { url: "http://wiki/logout", method: POST } }'), []);
    assert.deepEqual(warned('logout: { relay: { url: "http://wiki/logout" } }'), ['routes[0].logout.relay']);
    assert.deepEqual(warned('cookies: jar, logout: { relay: { url: "http://other/logout" } }'), [
      'routes[0].logout.relay.url',
    ]);
  });

  it('a rule that is public for some methods, or for what lies beside, changes nothing', () => {
    for (const access of [
      '[{ path: /, methods: [OPTIONS], auth: public }]',
      '[{ path: /static, auth: public }]',
      '[{ path: /a/logout }, { path: /a, auth: public }]',
    ]) {
      configOf(route(`access: ${access}, logout: { paths: [/a/logout] }`));
    }
  });
});

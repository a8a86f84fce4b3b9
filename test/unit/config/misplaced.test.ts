// Keys in the wrong place.

import { describe, it } from 'node:test';
import { BASE, ROUTES, refuses } from './load-text.ts';
import { inLogout, inRoute, inServer, inSession, withIssuer, withPublicUrl } from './sections.ts';

interface Mistake {
  readonly title: string;
  readonly text: string;
  readonly path: string;
  readonly message: RegExp;
  readonly cure: RegExp;
}

const addresses: readonly Mistake[] = [
  ...(
    [
      ['without its scheme', 'wiki.example.com', /no absolute URL/, /such as https:/],
      ['with another scheme', 'ftp://wiki.example.com', /neither http nor https/, /http:\/\/ or https:/],
      [
        'with a path',
        'https://wiki.example.com/app/',
        /more than an origin/,
        /write https:\/\/wiki\.example\.com, and path: \/app at the route that is for it$/,
      ],
      [
        'with a path, by http',
        'http://wiki.example.com/app',
        /more than an origin/,
        /write https:\/\/wiki\.example\.com,/,
      ],
      ['with a path, here', 'http://localhost:8080/app', /more than an origin/, /write http:\/\/localhost:8080,/],
      ['with a query', 'https://wiki.example.com/?', /more than an origin/, /write https:\/\/wiki\.example\.com,/],
      ['with a user', 'https://user:pass@wiki.example.com', /^this value has a user/, /remove everything/],
      ['with a port that does not exist', 'https://wiki.example.com:99999', /no valid URL/, /check its host and port/],
      ['with a blank', '"https://wiki.example.com /"', /blank/, /such as https:/],
    ] as const
  ).map(([how, url, message, cure]) => ({
    title: `a public URL ${how}`,
    text: withPublicUrl(`public_url: ▸${url}`),
    path: 'public_url',
    message,
    cure,
  })),
  {
    title: 'a wrong public URL in a list',
    text: withPublicUrl('public_url: ["https://wiki.example.com", ▸"wiki"]'),
    path: 'public_url[1]',
    message: /no absolute URL/,
    cure: /such as https:/,
  },
  {
    title: 'an upstream with a path',
    text: `${BASE}routes: [{ upstream: ▸"http://wiki:3000/app" }]\n`,
    path: 'routes[0].upstream',
    message: /more than an origin/,
    cure: /write http:\/\/wiki:3000,/,
  },
  {
    title: 'an upstream of another scheme',
    text: `${BASE}routes: [{ upstream: ▸"ws://wiki:3000" }]\n`,
    path: 'routes[0].upstream',
    message: /neither http nor https/,
    cure: /http:/,
  },
  {
    title: 'the discovery document as the issuer',
    text: withIssuer('▸https://sso.example.com/realms/acme/.well-known/openid-configuration'),
    path: 'provider.issuer',
    message: /discovery document/,
    cure: /write the issuer: https:\/\/sso\.example\.com\/realms\/acme$/,
  },
  {
    title: 'an issuer with a query',
    text: withIssuer('▸"https://sso.example.com/?realm=acme"'),
    path: 'provider.issuer',
    message: /query/,
    cure: /remove/,
  },
  {
    title: 'a logout address that is no URL',
    text: inLogout('post_logout_redirect_uri: ▸/goodbye'),
    path: 'logout.post_logout_redirect_uri',
    message: /no absolute URL/,
    cure: /such as https:/,
  },
  ...(
    [
      ['a port alone', '"8080"', /no address to listen on/, /write ":8080"/],
      ['an IPv6 address without brackets', '"::1:8080"', /no address to listen on/, /"\[::1\]:8080"/],
      ['a port that does not exist', 'localhost:65536', /port that does not exist/, /0 to 65535/],
      ['a URL', 'http://localhost:8080', /no address to listen on/, /host:port/],
      ['a broken address', '300.1.2.3:80', /host that cannot be one/, /host:port/],
      ['a name in brackets', '"[wiki]:80"', /IPv6 address in brackets/, /host:port/],
    ] as const
  ).map(([what, listen, message, cure]) => ({
    title: `a listen address that is ${what}`,
    text: inServer(`listen: ▸${listen}`),
    path: 'server.listen',
    message,
    cure,
  })),
  ...(
    [
      ['no network', 'localhost'],
      ['a wildcard', '"10.*"'],
      ['two prefixes', '10.0.0.0/8/8'],
      ['a zone', '"fe80::1%eth0"'],
    ] as const
  ).map(([what, cidr]) => ({
    title: `a trusted proxy that is ${what}`,
    text: inServer(`trusted_proxies: [▸${cidr}]`),
    path: 'server.trusted_proxies[0]',
    message: /no address and no network/,
    cure: /10\.0\.0\.0\/8/,
  })),
  {
    title: 'a trusted proxy with a prefix that is too long',
    text: inServer('trusted_proxies: [10.0.0.1, ▸10.0.0.0/33]'),
    path: 'server.trusted_proxies[1]',
    message: /prefix that is no number from 0 to 32/,
    cure: /10\.0\.0\.0\/8/,
  },
];

const routes: readonly Mistake[] = [
  ...(
    [
      ['without a slash', 'app', /no path/, /begin it with a slash/],
      ['with a wildcard', '/app/*', /wildcard/, /everything below it/],
      ['with a query', '"/app?x=1"', /query/, /path alone/],
      ['with parameters', '"/app;x"', /path parameters/, /without the ;/],
      ['with dot segments', '/app/../admin', /dot segment/, /that it leads to/],
      ['with empty segments', '/app//admin', /empty segment/, /single slashes/],
      ['with an escaped slash', '/app%2fadmin', /different ways/, /letters, digits/],
      ['with an escape that is none', '/app%zz', /escape that is none/, /two digits/],
      ['with a backslash', '/app\\admin', /different ways/, /letters, digits/],
    ] as const
  ).map(([how, path, message, cure]) => ({
    title: `a path ${how}`,
    text: inRoute(`path: ▸${path}`),
    path: 'routes[0].path',
    message,
    cure,
  })),
  ...(['_gate', '/_gate/', '/a.b', '/../x', '/a b'] as const).map((prefix) => ({
    title: `the prefix ${prefix}`,
    text: `${BASE}${ROUTES}proxy_prefix: ▸${prefix}\n`,
    path: 'proxy_prefix',
    message: /cannot be the prefix/,
    cure: /such as \/_gate/,
  })),
  {
    title: 'a prefix that takes everything',
    text: `${BASE}${ROUTES}proxy_prefix: ▸/\n`,
    path: 'proxy_prefix',
    message: /no path to the applications/,
    cure: /\/_gate/,
  },
  {
    title: 'a host that is a URL',
    text: inRoute('host: ▸https://wiki.example.com'),
    path: 'routes[0].host',
    message: /a URL, not a host/,
    cure: /host alone/,
  },
  {
    title: 'a host with a wildcard',
    text: inRoute('host: ▸"*.example.com"'),
    path: 'routes[0].host',
    message: /wildcard/,
    cure: /one route for each host/,
  },
  {
    title: 'a method in small letters',
    text: inRoute('access: [{ methods: [GET, ▸head], roles: [x] }]'),
    path: 'routes[0].access[0].methods[1]',
    message: /no HTTP method/,
    cure: /write HEAD/,
  },
  {
    title: 'a claim that cannot be one',
    text: inRoute('access: [{ claims: { ▸a..b: [x] } }]'),
    path: 'routes[0].access[0].claims["a..b"]',
    message: /no claim/,
    cure: /names with dots/,
  },
  ...(
    [
      'Host',
      'content-length',
      'Transfer-Encoding',
      'connection',
      'Cookie',
      'X-Forwarded-For',
      'X_Forwarded_For',
      'Sec-WebSocket-Key',
    ] as const
  ).map((name) => ({
    title: `the header ${name}`,
    text: inRoute(`headers: { set: { ▸${name}: x } }`),
    path: `routes[0].headers.set.${name}`,
    message: /belongs to the connection or to the gate/,
    cure: /such as X-Remote-User/,
  })),
  {
    title: 'a header name that is none',
    text: inRoute('headers: { set: { ▸"X User": x } }'),
    path: 'routes[0].headers.set["X User"]',
    message: /no header name/,
    cure: /letters, digits and hyphens/,
  },
  ...(
    [
      ['that is open', '"{preferred_username"', /brace without its partner/],
      ['that names nothing', '"{}"', /names no claim/],
      ['with a blank', '"{user name}"', /names no claim/],
      ['that asks for a token', '"{access_token}"', /token, which is no claim/],
      ['inside another', '"{a{b}}"', /brace without its partner/],
    ] as const
  ).map(([how, template, message]) => ({
    title: `a placeholder ${how}`,
    text: inRoute(`headers: { set: { X-User: ▸${template} } }`),
    path: 'routes[0].headers.set.X-User',
    message,
    cure: /\{claim\}/,
  })),
  {
    title: 'a header value of two lines',
    text: inRoute('headers: { set: { X-User: ▸"a\\r\\nX-Admin: yes" } }'),
    path: 'routes[0].headers.set.X-User',
    message: /no header can carry/,
    cure: /one line/,
  },
  {
    title: 'a cookie name that is none',
    text: inSession('cookie: { name: ▸"my cookie" }'),
    path: 'session.cookie.name',
    message: /no name of a cookie/,
    cure: /__Host-portcullis/,
  },
  {
    title: 'a cookie domain with a dot before it',
    text: inSession('cookie: { domain: ▸.example.com }'),
    path: 'session.cookie.domain',
    message: /begins with a dot/,
    cure: /write example\.com$/,
  },
];

const tables = { addresses, routes };

for (const [name, mistakes] of Object.entries(tables)) {
  describe(`a mistake is reported where it stands, with its cure: ${name}`, () => {
    for (const { title, text, path, message, cure } of mistakes) {
      it(title, () => refuses(text, { path, message, cure }));
    }
  });
}

import { describe, it } from 'node:test';
import { BASE, ROUTES, refuses } from './load-text.ts';

interface Mistake {
  readonly title: string;
  readonly text: string;
  readonly path: string;
  readonly message: RegExp;
  readonly cure: RegExp;
}

/** One section of the file in which something is wrong, the rest being right. */
const inServer = (text: string) => `${BASE}${ROUTES}server:\n  ${text}\n`;
const inLogout = (text: string) => `${BASE}${ROUTES}logout:\n  ${text}\n`;
const inRoute = (text: string) => `${BASE}routes:\n  - upstream: http://wiki:3000\n    ${text}\n`;
const inProvider = (text: string) =>
  `${ROUTES}${BASE.replace('client_secret: s3cret }', `client_secret: s3cret,\n  ${text} }`)}`;
const inSession = (text: string) => `${ROUTES}${BASE.replace(/(secret: a.*) }/, `$1,\n  ${text} }`)}`;
const withPublicUrl = (text: string) => `${ROUTES}${BASE}`.replace('public_url: https://wiki.example.com', text);
const withIssuer = (text: string) => `${ROUTES}${BASE}`.replace('https://sso.example.com/realms/acme', text);

const unknownKeys: readonly Mistake[] = [
  {
    title: 'an unknown key at the top',
    text: `${BASE}${ROUTES}▸publik_url: x\n`,
    path: 'publik_url',
    message: /unknown/,
    cure: /did you mean public_url\?/,
  },
  {
    title: 'a key in another spelling convention',
    text: inServer('▸allowHttp: true'),
    path: 'server.allowHttp',
    message: /unknown/,
    cure: /did you mean allow_http\?/,
  },
  {
    title: 'an unknown key that is like no other, with the keys that are known',
    text: inServer('▸colour: red'),
    path: 'server.colour',
    message: /unknown/,
    cure: /listen, tls, allow_http/,
  },
  {
    title: 'an unknown key of a route',
    text: inRoute('▸upstreem: x'),
    path: 'routes[0].upstreem',
    message: /unknown/,
    cure: /did you mean upstream\?/,
  },
  {
    title: 'a key of another section, with the section it belongs to',
    text: `${BASE}${ROUTES}▸client_id: x\n`,
    path: 'client_id',
    message: /unknown/,
    cure: /provider\.client_id/,
  },
  {
    title: 'a key of a route beside the routes',
    text: `${BASE}${ROUTES}▸upstream: http://wiki\n`,
    path: 'upstream',
    message: /unknown/,
    cure: /did you mean routes\[\]\.upstream\?/,
  },
  {
    title: 'a merge key',
    text: inServer('▸<<: { listen: ":1" }'),
    path: 'server["<<"]',
    message: /merge/,
    cure: /write the keys out/,
  },
  {
    title: 'a key called __proto__',
    text: inServer('▸__proto__: { listen: ":1" }'),
    path: 'server.__proto__',
    message: /unknown/,
    cure: /listen/,
  },
  {
    title: 'an unknown endpoint',
    text: inProvider('endpoints: { ▸tokenendpoint: "https://x.example/" }'),
    path: 'provider.endpoints.tokenendpoint',
    message: /unknown/,
    cure: /token_endpoint/,
  },
];

const missing: readonly Mistake[] = [
  {
    title: 'a missing section',
    text: `▸${BASE}`,
    path: 'routes',
    message: /missing/,
    cure: /add routes/,
  },
  {
    title: 'a missing key, at its section',
    text: `${ROUTES}${BASE}`.replace('client_id: wiki-gate, ', '').replace('provider', '▸provider'),
    path: 'provider.client_id',
    message: /missing/,
    cure: /add client_id: the client ID/,
  },
  {
    title: 'a missing key of a list item, at the item',
    text: `${BASE}routes:\n  - ▸path: /\n`,
    path: 'routes[0].upstream',
    message: /missing/,
    cure: /add upstream/,
  },
  {
    title: 'a key whose value was forgotten',
    text: inServer('▸tls:'),
    path: 'server.tls',
    message: /no value/,
    cure: /cert_file.*or remove the key/,
  },
  {
    title: 'null where nothing is no choice',
    text: inServer('listen: ▸null'),
    path: 'server.listen',
    message: /no value/,
    cure: /host:port.*or remove the key/,
  },
  {
    title: 'an empty text',
    text: withIssuer('▸""'),
    path: 'provider.issuer',
    message: /empty/,
    cure: /such as https:/,
  },
  {
    title: 'a list of nothing where one is needed',
    text: `${BASE}▸routes: []\n`,
    path: 'routes',
    message: /list is empty/,
    cure: /at least one/,
  },
];

const types: readonly Mistake[] = [
  {
    title: 'a number where text belongs',
    text: `${ROUTES}${BASE}`.replace('wiki-gate', '▸12'),
    path: 'provider.client_id',
    message: /12 is a number, not text/,
    cure: /"12"/,
  },
  {
    title: 'a text where a section belongs',
    text: `${BASE}${ROUTES}log: ▸debug\n`,
    path: 'log',
    message: /a text stands where a section/,
    cure: /level, format/,
  },
  {
    title: 'a section where a list belongs',
    text: `${BASE}▸routes: { upstream: "http://a" }\n`,
    path: 'routes',
    message: /a section stands where a list/,
    cure: /list of routes/,
  },
  {
    title: 'a list where a section belongs',
    text: `${BASE}${ROUTES}▸server: []\n`,
    path: 'server',
    message: /a list stands where a section/,
    cure: /listen/,
  },
  {
    title: 'a text where true or false belongs',
    text: inLogout('revoke_tokens: ▸"yes"'),
    path: 'logout.revoke_tokens',
    message: /"yes"/,
    cure: /true or false/,
  },
  {
    title: 'the yes of YAML 1.1',
    text: inLogout('revoke_tokens: ▸yes'),
    path: 'logout.revoke_tokens',
    message: /"yes"/,
    cure: /true or false/,
  },
  {
    title: 'a text where a number belongs',
    text: inServer('limits: { headers: ▸"100" }'),
    path: 'server.limits.headers',
    message: /"100"/,
    cure: /whole number from 10/,
  },
  {
    title: 'a number with a fraction',
    text: inServer('limits: { headers: ▸100.5 }'),
    path: 'server.limits.headers',
    message: /100\.5 is no whole number/,
    cure: /whole number/,
  },
  {
    title: 'a number beyond its range',
    text: inServer('limits: { headers: ▸1000000 }'),
    path: 'server.limits.headers',
    message: /out of range/,
    cure: /from 10 to 2000/,
  },
  {
    title: 'not a number at all',
    text: inServer('limits: { headers: ▸.nan }'),
    path: 'server.limits.headers',
    message: /\.nan is no whole number/,
    cure: /whole number/,
  },
  {
    title: 'a word where a number or auto belongs',
    text: inServer('workers: ▸all'),
    path: 'server.workers',
    message: /"all" stands where a whole number/,
    cure: /whole number/,
  },
  {
    title: 'a word that is none of the choices',
    text: `${BASE}${ROUTES}log: { level: ▸infos }\n`,
    path: 'log.level',
    message: /none of the choices/,
    cure: /did you mean info\? Write debug, info, warn or error/,
  },
  {
    title: 'a choice in other letters',
    text: inSession('cookie: { same_site: ▸Lax }'),
    path: 'session.cookie.same_site',
    message: /none of the choices/,
    cure: /did you mean lax\?/,
  },
];

const amounts: readonly Mistake[] = [
  {
    title: 'a duration without a unit',
    text: inSession('revalidate: ▸300'),
    path: 'session.revalidate',
    message: /300 is a number without a unit/,
    cure: /300s/,
  },
  {
    title: 'a duration in words',
    text: inSession('revalidate: ▸5 minutes'),
    path: 'session.revalidate',
    message: /"5 minutes" is no duration/,
    cure: /write 5m$/,
  },
  {
    title: 'a duration with a fraction',
    text: inSession('revalidate: ▸1.5h'),
    path: 'session.revalidate',
    message: /no duration/,
    cure: /500ms, 30s, 15m or 10h/,
  },
  {
    title: 'a negative duration',
    text: inSession('revalidate: ▸-5m'),
    path: 'session.revalidate',
    message: /no duration/,
    cure: /500ms, 30s/,
  },
  {
    title: 'a duration of nothing where something must happen',
    text: inSession('revalidate: ▸0s'),
    path: 'session.revalidate',
    message: /no time at all/,
    cure: /longer than zero/,
  },
  {
    title: 'a duration beyond all measure',
    text: inSession('absolute_timeout: ▸999999999d'),
    path: 'session.absolute_timeout',
    message: /too long/,
    cure: /at most 400d/,
  },
  {
    title: 'a size in another unit',
    text: inServer('limits: { header_bytes: ▸16KB }'),
    path: 'server.limits.header_bytes',
    message: /"16KB" is no size/,
    cure: /16KiB.*units are B, KiB, MiB and GiB/,
  },
  {
    title: 'a size without a unit',
    text: inServer('limits: { header_bytes: ▸16384 }'),
    path: 'server.limits.header_bytes',
    message: /without a unit/,
    cure: /16384B/,
  },
  {
    title: 'a size beyond its range',
    text: inServer('limits: { header_bytes: ▸1GiB }'),
    path: 'server.limits.header_bytes',
    message: /out of range/,
    cure: /from 1KiB to 1MiB/,
  },
];

const addresses: readonly Mistake[] = [
  ...(
    [
      ['without its scheme', 'wiki.example.com', /no absolute URL/, /such as https:/],
      ['with another scheme', 'ftp://wiki.example.com', /neither http nor https/, /http:\/\/ or https:/],
      ['with a path', 'https://wiki.example.com/app', /more than an origin/, /write https:\/\/wiki\.example\.com,/],
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

const tables = { unknownKeys, missing, types, amounts, addresses, routes };

for (const [name, mistakes] of Object.entries(tables)) {
  describe(`a mistake is reported where it stands, with its cure: ${name}`, () => {
    for (const { title, text, path, message, cure } of mistakes) {
      it(title, () => refuses(text, { path, message, cure }));
    }
  });
}

// The configuration.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/base/secret.ts';
import { formatProblem } from '../../../src/config/load-config.ts';
import { BASE, configOf, loadText, problemsOf, ROUTES, SECRET } from './load-text.ts';

const withCookie = (url: string, cookie = '{}') =>
  configOf(`public_url: ${url}
provider: { issuer: https://sso.example.com, client_id: x, client_secret: y }
session: { secret: ${SECRET}, cookie: ${cookie} }
server: { allow_http: true }
${ROUTES}`).session.cookie;

describe('the configuration', () => {
  it('has the documented defaults where the smallest file says nothing', () => {
    const { publicUrls, provider, session, routes, ...rest } = configOf(`${BASE}${ROUTES}`);
    assert.deepEqual(publicUrls, [
      {
        origin: 'https://wiki.example.com',
        scheme: 'https',
        host: 'wiki.example.com',
        hostname: 'wiki.example.com',
        port: 443,
      },
    ]);
    assert.deepEqual(rest, {
      proxyPrefix: '/_gate',
      server: {
        listen: { host: '0.0.0.0', port: 8080 },
        tls: undefined,
        allowHttp: false,
        trustedProxies: [],
        limits: { headers: 100, headerBytes: 16_384, urlBytes: 8_192 },
        timeouts: { headersMs: 15_000, keepAliveMs: 65_000, drainMs: 30_000 },
      },
      admin: { listen: { host: '127.0.0.1', port: 9090 }, token: undefined, tls: undefined, notices: true },
      logout: {
        postLogoutRedirectUri: undefined,
        revokeTokens: true,
        operatorEndsSso: false,
        frontchannel: false,
        keycloakAdminUrl: 'prefix',
        clearSiteData: ['cache'],
        hintClaim: undefined,
        initiatingIdp: undefined,
        notify: undefined,
      },
      log: { level: 'info', format: 'json' },
    });
    const { clientAuth, ...providerRest } = provider;
    assert.ok(clientAuth.method === 'client_secret_basic');
    assert.equal(clientAuth.secret.reveal(), 's3cret');
    assert.deepEqual(providerRest, {
      issuer: 'https://sso.example.com/realms/acme',
      clientId: 'wiki-gate',
      caPem: undefined,
      tls: undefined,
      scopes: ['openid', 'profile', 'email'],
      authorizationParams: {},
      userinfo: 'auto',
      accessTokenClaims: 'auto',
      bearerAudiences: [],
      par: 'auto',
      idTokenAlg: 'RS256',
      clockToleranceMs: 30_000,
      logoutToken: { requireExp: true, requireTyp: false, maxAgeMs: 300_000 },
      liveness: 'auto',
      legacyLogoutRedirectUri: false,
      endpoints: {},
      allowHttp: false,
    });
    const { secrets, ...sessionRest } = session;
    assert.deepEqual(
      secrets.map((secret) => secret.reveal()),
      [SECRET],
    );
    assert.deepEqual(sessionRest, {
      cookie: { name: '__Host-portcullis', sameSite: 'lax', domain: undefined, secure: true },
      idleTimeoutMs: 1_800_000,
      absoluteTimeoutMs: 36_000_000,
      revalidateMs: 300_000,
      recheck: undefined,
      memory: { maxSessions: 100_000, file: undefined },
      redis: undefined,
    });
    assert.deepEqual(routes, [
      {
        name: '/',
        host: undefined,
        path: '/',
        upstreams: ['http://wiki:3000'],
        balance: 'round_robin',
        stripPrefix: false,
        preserveHost: false,
        rewriteLocation: true,
        ambiguousPaths: 'refuse',
        caseInsensitivePaths: false,
        upstreamTls: undefined,
        timeouts: { connectMs: 5_000, responseHeadMs: 60_000, idleMs: 120_000 },
        auth: 'session',
        authorizationParams: {},
        unauthenticated: 'auto',
        accessDefault: 'signed_in',
        access: [],
        cookies: 'pass',
        logout: { paths: [], responseHeader: undefined, relay: undefined },
        headers: {
          preset: 'oauth2-proxy',
          set: {},
          encoding: 'percent',
          basicAuth: undefined,
          accessToken: 'none',
          signedAssertion: false,
        },
        maxFormBytes: 1024 ** 2,
        websocket: { enabled: true, origins: [], idleMs: 0 },
      },
    ]);
  });

  it('says what the file says', () => {
    const config = configOf(`public_url: [https://wiki.example.com:8443/, http://localhost:8080]
proxy_prefix: /a/b
server:
  listen: "[::1]:0"
  trusted_proxies: [10.0.0.0/8, "fd00::/8", 192.0.2.7]
  limits: { headers: 50, header_bytes: 32KiB, url_bytes: 4096B }
  timeouts: { headers: 1s, keep_alive: 2m, drain: 0s }
admin: { listen: ":9000", token: t, notices: false }
provider:
  issuer: http://127.0.0.1:8180/realms/x/
  client_id: x
  client_auth: client_secret_post
  client_secret: y
  scopes: [openid]
  authorization_params: { max_age: 3600, prompt: login, x: true }
  userinfo: never
  access_token_claims: never
  bearer_audiences: [wiki-api]
  par: require
  id_token_signed_response_alg: ES256
  clock_tolerance: 0s
  logout_token: { require_exp: false, require_typ: true, max_age: 90s }
  liveness: refresh
  legacy_logout_redirect_uri: true
  endpoints: { jwks_uri: https://internal.example.com/keys }
session:
  secret: [${SECRET}, ${SECRET}2]
  cookie: { name: gate, same_site: strict }
  idle_timeout: 1h
  absolute_timeout: 1d
  revalidate: 500ms
  memory: { max_sessions: 10 }
logout: { post_logout_redirect_uri: "https://www.example.com/bye?x=1", revoke_tokens: false, operator_ends_sso: true, frontchannel: true, clear_site_data: [], hint_claim: acct.id, initiating_idp: corp, notify: { url: "http://rp/bye?key=1" } }
routes:
  - name: wiki
    host: WIKI.example.com
    path: /wiki/
    upstream: https://Wiki:443/
    strip_prefix: true
    preserve_host: true
    rewrite_location: false
    ambiguous_paths: forward
    upstream_tls: { server_name: wiki.internal }
    timeouts: { connect: 1s, response_head: 2s, idle: 3s }
    auth: [bearer, session]
    unauthenticated: deny
    access_default: deny
    access:
      - { path: /wiki/public, methods: [GET, HEAD], auth: public }
      - { path: /wiki/admin, roles: [a, "b:c"], groups: /staff, claims: { email_verified: true, "a\\\\.b.c": [1, x] } }
    headers: { preset: none, set: { X-User: "{preferred_username}", X-Both: "{a.b}-{c} {{x}}" } }
    websocket: { enabled: false, origins: [https://other.example.com/], idle: 1m }
  - { upstream: "http://b", host: "localhost:8080", auth: public }
log: { level: debug, format: pretty }
`);
    assert.deepEqual(
      config.publicUrls.map(({ origin, host, port }) => [origin, host, port]),
      [
        ['https://wiki.example.com:8443', 'wiki.example.com:8443', 8443],
        ['http://localhost:8080', 'localhost:8080', 8080],
      ],
    );
    assert.equal(config.proxyPrefix, '/a/b');
    assert.deepEqual(config.server, {
      listen: { host: '::1', port: 0 },
      tls: undefined,
      allowHttp: false,
      trustedProxies: ['10.0.0.0/8', 'fd00::/8', '192.0.2.7'],
      limits: { headers: 50, headerBytes: 32_768, urlBytes: 4_096 },
      timeouts: { headersMs: 1_000, keepAliveMs: 120_000, drainMs: 0 },
    });
    assert.deepEqual(config.admin.listen, { host: undefined, port: 9000 });
    assert.deepEqual([config.admin.token?.reveal(), config.admin.notices], ['t', false]);
    assert.equal(config.provider.clientAuth.method, 'client_secret_post');
    assert.equal(config.provider.issuer, 'http://127.0.0.1:8180/realms/x/');
    assert.deepEqual(config.provider.authorizationParams, { max_age: '3600', prompt: 'login', x: 'true' });
    assert.deepEqual(config.provider.logoutToken, { requireExp: false, requireTyp: true, maxAgeMs: 90_000 });
    assert.equal(config.provider.legacyLogoutRedirectUri, true);
    assert.deepEqual(config.provider.endpoints, { jwks_uri: 'https://internal.example.com/keys' });
    assert.equal(config.session.secrets.length, 2);
    assert.deepEqual(config.session.cookie, { name: 'gate', sameSite: 'strict', domain: undefined, secure: false });
    assert.equal(config.logout.postLogoutRedirectUri, 'https://www.example.com/bye?x=1');
    assert.deepEqual(config.logout.clearSiteData, []);
    assert.deepEqual([config.logout.operatorEndsSso, config.logout.frontchannel], [true, true]);
    assert.deepEqual([config.logout.hintClaim, config.logout.initiatingIdp], ['acct.id', 'corp']);
    assert.deepEqual(config.logout.notify, { url: 'http://rp/bye?key=1', method: 'GET' });
    const [wiki, local] = config.routes;
    assert.deepEqual([wiki!.host, wiki!.path, wiki!.upstreams], ['wiki.example.com', '/wiki', ['https://wiki']]);
    assert.deepEqual(wiki!.upstreamTls, {
      caPem: undefined,
      certPem: undefined,
      keyPem: undefined,
      serverName: 'wiki.internal',
    });
    assert.deepEqual([wiki!.auth, local!.auth], ['session or bearer', 'public']);
    assert.deepEqual(config.provider.bearerAudiences, ['wiki-api']);
    assert.deepEqual(wiki!.access, [
      {
        path: '/wiki/public',
        methods: ['GET', 'HEAD'],
        auth: 'public',
        roles: undefined,
        groups: undefined,
        claims: undefined,
        acr: undefined,
      },
      {
        path: '/wiki/admin',
        methods: undefined,
        auth: undefined,
        roles: ['a', 'b:c'],
        groups: ['/staff'],
        claims: { email_verified: ['true'], 'a\\.b.c': ['1', 'x'] },
        acr: undefined,
      },
    ]);
    assert.deepEqual(wiki!.headers.set, { 'X-User': '{preferred_username}', 'X-Both': '{a.b}-{c} {{x}}' });
    assert.deepEqual(wiki!.websocket, { enabled: false, origins: ['https://other.example.com'], idleMs: 60_000 });
    assert.deepEqual([local!.name, local!.auth], ['localhost/', 'public']);
  });

  it('is frozen all through', () => {
    const config = configOf(`${BASE}${ROUTES}`);
    const open: string[] = [];
    const visit = (value: unknown, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      if (!(value instanceof Secret)) for (const [key, item] of Object.entries(value)) visit(item, `${path}.${key}`);
    };
    visit(config, 'config');
    assert.deepEqual(open, []);
  });

  it('the admin listener is where PORTCULLIS_ADMIN_LISTEN says, unless the file says something', () => {
    const env = { PORTCULLIS_ADMIN_LISTEN: '0.0.0.0:9191' };
    assert.deepEqual(configOf(`${BASE}${ROUTES}`, { env }).admin.listen, { host: '0.0.0.0', port: 9191 });
    const written = configOf(`${BASE}${ROUTES}admin: { listen: "127.0.0.1:1" }\n`, { env });
    assert.deepEqual(written.admin.listen, { host: '127.0.0.1', port: 1 });
  });

  it('a wrong PORTCULLIS_ADMIN_LISTEN is reported as the key it stands for, and not cited', () => {
    const [problem] = problemsOf(`${BASE}${ROUTES}`, { env: { PORTCULLIS_ADMIN_LISTEN: 'nonsense' } });
    assert.equal(problem!.path, 'admin.listen');
    assert.match(problem!.message, /PORTCULLIS_ADMIN_LISTEN/);
    assert.doesNotMatch(formatProblem(problem!), /nonsense/);
  });

  it('the cookie has the strongest name that browsers accept', () => {
    assert.equal(withCookie('https://wiki.example.com').name, '__Host-portcullis');
    assert.equal(withCookie('https://wiki.example.com', '{ domain: example.com }').name, '__Secure-portcullis');
    assert.equal(withCookie('http://wiki.example.com', '{ domain: example.com }').name, 'portcullis');
    assert.equal(withCookie('http://localhost:8080').name, 'portcullis');
    assert.equal(withCookie('[https://wiki.example.com, http://localhost]').name, 'portcullis');
    assert.deepEqual(
      [withCookie('https://wiki.example.com').secure, withCookie('http://localhost').secure],
      [true, false],
    );
  });

  it('plain http is accepted on loopback names and addresses', () => {
    for (const host of ['localhost', 'wiki.localhost', '127.0.0.1', '127.255.0.9', '[::1]']) {
      const text = `${BASE}${ROUTES}`
        .replace('https://wiki.example.com', `http://${host}:8080`)
        .replace('https://sso.example.com/realms/acme', `"http://${host}:8180"`);
      assert.deepEqual(problemsOf(text), [], host);
    }
  });

  it('what only looks like a contradiction is accepted', () => {
    const more: readonly string[] = [
      'server: { listen: ":0" }\nadmin: { listen: ":0" }\n',
      'server: { listen: "127.0.0.1:8080" }\nadmin: { listen: "127.0.0.2:8080" }\n',
    ];
    for (const text of more) assert.deepEqual(problemsOf(`${BASE}${ROUTES}${text}`), [], text);
    const rule = 'routes: [{ upstream: "http://a", access: [{ path: /, auth: public }] }]\n';
    assert.deepEqual(problemsOf(`${BASE}${rule}`), []);
    const times = `${ROUTES}${BASE}`.replace(`${SECRET} }`, `${SECRET}, idle_timeout: 1h, absolute_timeout: 1h }`);
    assert.deepEqual(problemsOf(times), []);
  });

  it('names that only look like loopback are not', () => {
    for (const host of ['localhost.example.com', '127.0.0.1.example.com', 'mylocalhost', '128.0.0.1', '[::2]']) {
      const problems = problemsOf(`${BASE}${ROUTES}`.replace('https://wiki.example.com', `http://${host}`));
      assert.deepEqual(
        problems.map(({ path }) => path),
        ['public_url'],
        host,
      );
    }
  });
});

describe('all mistakes at once', () => {
  const text = `public_url: http://wiki.example.com
provider:
  isuer: https://sso.example.com/realms/acme
  client_id: \${CLIENT_ID}
  client_secret: x
session:
  secret: short
  idle_timeout: 30 minutes
  store: redis
admin:
  token_file: /nowhere/token
routes:
  - upstream: wiki:3000
    auth: [public, bearer]
  - upstream: http://a
    access: [{ path: /, auth: public }, { path: /x }]
log: { level: info }
log: { level: loud }
`;

  it('are reported in the order of the file, each with its place', () => {
    assert.deepEqual(
      problemsOf(text).map(({ line, column, path }) => `${line}:${column} ${path}`),
      [
        '1:13 public_url',
        '2:1 provider.issuer',
        '3:3 provider.isuer',
        '4:14 provider.client_id',
        '7:11 session.secret',
        '8:17 session.idle_timeout',
        '9:10 session.store',
        '11:15 admin.token_file',
        '13:15 routes[0].upstream',
        '14:5 routes[0].auth',
        '15:5 routes[1].path',
        '16:31 routes[1].access[0].auth',
        '18:1 log',
      ],
    );
  });

  it('each is one line: file:line:column path: message; cure', () => {
    const lines = problemsOf(text).map(formatProblem);
    for (const line of lines) assert.match(line, /^\/.*portcullis\.yaml:\d+:\d+ [a-z_.[\]0-9]+: [^\n]+; [^\n]+$/);
  });

  it('a problem of the whole file has no path before its message', () => {
    const problem = { file: 'a.yaml', line: 1, column: 1, path: '', message: 'the file is empty', cure: 'fill it' };
    assert.equal(formatProblem(problem), 'a.yaml:1:1 the file is empty; fill it');
  });

  it('what depends on a wrong switch is not complained about as well', () => {
    const text = `${BASE}${ROUTES}server: { allow_http: maybe }\n`.replace('https://wiki', 'http://wiki');
    assert.deepEqual(
      problemsOf(text).map(({ path }) => path),
      ['server.allow_http'],
    );
  });

  it('what depends on something wrong is not complained about as well', () => {
    const problems = problemsOf(`${ROUTES}public_url: wiki
provider: { issuer: "\${NOPE}", client_id: x, client_secret: "\${NOPE}" }
session: { secret: "\${NOPE}", idle_timeout: soon, absolute_timeout: 1m, cookie: { name: __Host-x } }
`);
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['public_url', 'provider.issuer', 'provider.client_secret', 'session.secret', 'session.idle_timeout'],
    );
  });
});

describe('warnings', () => {
  const warningsOf = (text: string) => {
    const loaded = loadText(text);
    assert.ok('config' in loaded, 'problems' in loaded ? loaded.problems.map(formatProblem).join('\n') : '');
    return loaded.warnings.map(({ path, line, message }) => `${line} ${path} ${message}`);
  };

  it('there are none about the smallest file', () => {
    assert.deepEqual(warningsOf(`${BASE}${ROUTES}`), []);
  });

  it('plain http that was accepted is said', () => {
    const text = `${BASE}${ROUTES}server: { allow_http: true }\n`
      .replace('https://wiki', 'http://wiki')
      .replace('issuer: https', 'allow_http: true, issuer: http');
    const found = warningsOf(text);
    assert.equal(found.length, 2);
    assert.match(found[0]!, /^1 public_url plain http/);
    assert.match(found[1]!, /^2 provider\.issuer a plain-http provider/);
  });

  it('https and plain http together are said', () => {
    const text = `${BASE}${ROUTES}`.replace('https://wiki.example.com', '[https://wiki.example.com, http://localhost]');
    assert.match(warningsOf(text).join('\n'), /^1 public_url some origins are https/);
  });

  it('an audience that every token of a Keycloak realm has is said', () => {
    const text = `${BASE}routes: [{ upstream: "http://wiki", access: [{ path: /api, auth: bearer }] }]\n`;
    const withAudiences = text.replace('client_secret: ', 'bearer_audiences: [wiki-api, account], client_secret: ');
    assert.deepEqual(warningsOf(text), []);
    assert.match(warningsOf(withAudiences).join('\n'), /^2 provider\.bearer_audiences\[1\] nearly every token/);
  });

  it('a token for operators that can be guessed is said', () => {
    const text = `${BASE}${ROUTES}admin: { token: "0123456789abcde" }\n`;
    assert.match(warningsOf(text).join('\n'), /^5 admin\.token shorter than 16 bytes/);
    assert.deepEqual(warningsOf(text.replace('abcde', 'abcdef')), []);
    assert.doesNotMatch(warningsOf(text).join('\n'), /0123/);
  });

  it('rules that never match are said', () => {
    const found = warningsOf(`${BASE}routes:
  - upstream: http://a
    path: /app
    access:
      - { path: /app/admin, roles: [x] }
      - { path: /app/admin/deep, methods: [GET], roles: [y] }
      - { path: /admin, roles: [z] }
      - { path: /app/read, methods: [GET, HEAD], groups: [a] }
      - { path: /app/read, methods: [GET, POST], groups: [b] }
`);
    assert.equal(found.length, 2);
    assert.match(found[0]!, /^9 routes\[0\]\.access\[1\] .*access\[0\] takes all/);
    assert.match(found[1]!, /^10 routes\[0\]\.access\[2\] .*its route is for \/app/);
  });

  it('rules whose paths belong to another route or to the gate are said', () => {
    const found = warningsOf(`${BASE}routes:
  - upstream: http://a
    access:
      - { path: /app/admin, roles: [x] }
      - { path: /_gate/login, auth: public }
      - { path: /app2, roles: [x] }
  - { upstream: "http://b", path: /app }
  - { upstream: "http://c", path: /app2, host: wiki.example.com }
`);
    assert.equal(found.length, 2);
    assert.match(found[0]!, /^7 routes\[0\]\.access\[0\] .*routes\[1\] is for \/app/);
    assert.match(found[1]!, /^8 routes\[0\]\.access\[1\] .*the gate's own/);
  });

  it('where case is ignored, rules whose paths another route takes in any case are said too', () => {
    const found = warningsOf(`${BASE}routes:
  - upstream: http://a
    case_insensitive_paths: true
    access: [{ path: /ADMIN/x, roles: [x] }, { path: /_GATE/x, auth: public }]
  - { upstream: "http://a", path: /admin, case_insensitive_paths: true }
`);
    assert.match(found[0]!, /access\[0\] .*routes\[1\] is for \/admin/);
    assert.match(found[1]!, /access\[1\] .*the gate's own/);
  });

  it('where case is ignored, rules are compared without it', () => {
    const route = (more: string) =>
      `${BASE}routes: [{ upstream: "http://a", path: /App, ${more}access: [{ path: /APP/x, roles: [a] }, { path: /App/X/y, roles: [b] }] }]\n`;
    assert.equal(warningsOf(route('')).length, 1);
    assert.match(warningsOf(route('case_insensitive_paths: true, ')).join('\n'), /access\[1\] .*access\[0\] takes all/);
  });
});

// Contradictions.

import { describe, it } from 'node:test';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { BASE, ROUTES, refuses, SECRET, type Surroundings } from './load-text.ts';

const ISSUER = 'https://sso.example.com/realms/acme';
const provider = (more: string, issuer = ISSUER) =>
  `public_url: https://wiki.example.com
session: { secret: ${SECRET} }
${ROUTES}provider:
  issuer: ${issuer}
  client_id: wiki-gate
${more}`;
const session = (more: string, url = 'https://wiki.example.com') =>
  `${BASE.replace('https://wiki.example.com', url).replace(/session.*\n/, '')}${ROUTES}session:\n  secret: ${SECRET}\n${more}`;
const routes = (more: string, url = 'https://wiki.example.com') =>
  `${BASE.replace('https://wiki.example.com', url)}routes:\n${more}`;
const whole = (more: string) => `${BASE}${ROUTES}${more}`;

interface Contradiction {
  readonly title: string;
  readonly text: string;
  readonly path: string;
  readonly message: RegExp;
  readonly cure: RegExp;
  readonly surroundings?: Surroundings;
}

const one = selfSignedCertificate();
const other = selfSignedCertificate();

const listeners: readonly Contradiction[] = [
  {
    title: 'a plain-http public_url outside loopback is refused without server.allow_http',
    text: whole('').replace('https://wiki', '▸http://wiki'),
    path: 'public_url',
    message: /plain http outside loopback/,
    cure: /server\.allow_http: true/,
  },
  {
    title: 'a plain-http public_url in a list is refused at its place',
    text: whole('').replace('https://wiki.example.com', '["https://wiki.example.com", ▸"http://10.0.0.1"]'),
    path: 'public_url[1]',
    message: /plain http outside loopback/,
    cure: /server\.allow_http: true/,
  },
  {
    title: 'an origin that is listed twice is refused, however it is written',
    text: whole('').replace(
      'https://wiki.example.com',
      '["https://wiki.example.com", ▸"https://WIKI.example.com:443/"]',
    ),
    path: 'public_url[1]',
    message: /listed twice/,
    cure: /remove one/,
  },
  {
    title: 'trusted_proxies that trusts everybody is refused: 0.0.0.0/0',
    text: whole('server: { trusted_proxies: [10.0.0.0/8, ▸0.0.0.0/0] }\n'),
    path: 'server.trusted_proxies[1]',
    message: /every IPv4 address/,
    cure: /your proxies only/,
  },
  {
    title: 'trusted_proxies that trusts everybody is refused: ::/0',
    text: whole('server: { trusted_proxies: [▸"::/0"] }\n'),
    path: 'server.trusted_proxies[0]',
    message: /every IPv[46] address/,
    cure: /your proxies only/,
  },
  {
    title: 'trusted_proxies that trusts everybody in two halves is refused',
    text: whole('server: { ▸trusted_proxies: [128.0.0.0/1, 0.0.0.0/1] }\n'),
    path: 'server.trusted_proxies',
    message: /every IPv4 address/,
    cure: /your proxies only/,
  },
  {
    title: 'a URL that may be larger than the head that it is part of is refused',
    text: whole('server: { limits: { url_bytes: ▸32KiB } }\n'),
    path: 'server.limits.url_bytes',
    message: /larger than the whole head/,
    cure: /raise header_bytes/,
  },
  {
    title: 'one address for users and operators is refused',
    text: whole('server: { listen: "0.0.0.0:8080" }\nadmin: { listen: ▸":8080" }\n'),
    path: 'admin.listen',
    message: /same address/,
    cure: /another port/,
  },
  {
    title: 'an address that includes the other one is refused',
    text: whole('server: { listen: "[::]:8080" }\nadmin: { listen: ▸"127.0.0.1:8080" }\n'),
    path: 'admin.listen',
    message: /same address/,
    cure: /another port/,
  },
  {
    title: 'a certificate and the key of another one are refused',
    text: whole('server: { tls: { cert_file: a.crt, key_file: ▸b.key } }\n'),
    path: 'server.tls.key_file',
    message: /does not belong to the certificate/,
    cure: /the key that the certificate was made for/,
    surroundings: { files: { 'a.crt': one.certPem, 'b.key': other.keyPem } },
  },
];

const providers: readonly Contradiction[] = [
  {
    title: 'a plain-http issuer outside loopback is refused without provider.allow_http',
    text: provider('  client_secret: x\n', '▸http://sso.example.com/realms/acme'),
    path: 'provider.issuer',
    message: /plain http outside loopback/,
    cure: /provider\.allow_http: true/,
  },
  {
    title: 'a plain-http endpoint outside loopback is refused without provider.allow_http',
    text: provider('  client_secret: x\n  endpoints: { token_endpoint: ▸"http://keycloak:8080/token" }\n'),
    path: 'provider.endpoints.token_endpoint',
    message: /plain http outside loopback/,
    cure: /provider\.allow_http: true/,
  },
  {
    title: 'client_secret_basic without a secret is refused',
    text: provider('').replace('provider', '▸provider'),
    path: 'provider.client_secret',
    message: /client_secret_basic needs the client secret/,
    cure: /\$\{CLIENT_SECRET\}, or client_secret_file/,
  },
  {
    title: 'a client secret that says null is no client secret',
    text: provider('  client_secret: ▸null\n'),
    path: 'provider.client_secret',
    message: /client_secret_basic needs the client secret/,
    cure: /client_secret_file/,
  },
  {
    title: 'private_key_jwt without a key is refused',
    text: provider('  client_auth: private_key_jwt\n').replace('provider', '▸provider'),
    path: 'provider.private_key_file',
    message: /needs the key that signs/,
    cure: /add private_key_file/,
  },
  {
    title: 'a private key that client_auth does not use is refused',
    text: provider('  client_secret: x\n  private_key_file: ▸a.key\n'),
    path: 'provider.private_key_file',
    message: /not used: client_auth is client_secret_basic/,
    cure: /private_key_jwt, or remove/,
    surroundings: { files: { 'a.key': one.keyPem } },
  },
  {
    title: 'tls_client_auth without a certificate is refused',
    text: provider('  client_auth: tls_client_auth\n').replace('provider', '▸provider'),
    path: 'provider.tls',
    message: /needs the certificate/,
    cure: /add tls/,
  },
  {
    title: 'a client certificate for the provider and the key of another one are refused',
    text: provider('  client_secret: x\n  tls: { cert_file: a.crt, key_file: ▸b.key }\n'),
    path: 'provider.tls.key_file',
    message: /does not belong to the certificate/,
    cure: /the key that the certificate was made for/,
    surroundings: { files: { 'a.crt': one.certPem, 'b.key': other.keyPem } },
  },
  {
    title: 'a secret and its file together are refused',
    text: provider('  client_secret: x\n  client_secret_file: ▸secret\n'),
    path: 'provider.client_secret_file',
    message: /both client_secret and client_secret_file/,
    cure: /keep one/,
    surroundings: { files: { secret: 'y' } },
  },
  {
    title: 'the admin token and its file together are refused',
    text: whole('admin: { token: x, token_file: ▸secret }\n'),
    path: 'admin.token_file',
    message: /both token and token_file/,
    cure: /keep one/,
    surroundings: { files: { secret: 'y' } },
  },
  {
    title: 'scopes without openid are refused',
    text: provider('  client_secret: x\n  ▸scopes: [profile]\n'),
    path: 'provider.scopes',
    message: /no ID token/,
    cure: /add openid/,
  },
  {
    title: 'a parameter that the gate writes itself is refused',
    text: provider(
      '  client_secret: x\n  authorization_params: { prompt: login, redirect_uri: ▸"https://evil.example" }\n',
    ),
    path: 'provider.authorization_params.redirect_uri',
    message: /writes this parameter itself/,
    cure: /remove it/,
  },
  {
    title: 'a parameter of a route that the gate writes itself is refused',
    text: routes('  - { upstream: "http://a", authorization_params: { prompt: login, scope: ▸openid } }\n'),
    path: 'routes[0].authorization_params.scope',
    message: /writes this parameter itself/,
    cure: /provider\.scopes/,
  },
  {
    title: 'parameters of a route on which nobody signs in are refused',
    text: routes(
      '  - { upstream: "http://a", auth: bearer, access: [{ auth: public, path: /p }], ▸authorization_params: { prompt: login } }\n',
    ),
    path: 'routes[0].authorization_params',
    message: /nobody signs in on this route/,
    cure: /auth: session/,
  },
  {
    title: 'audiences of bearer tokens that no route takes are refused',
    text: provider('  client_secret: x\n  ▸bearer_audiences: [wiki-api]\n'),
    path: 'provider.bearer_audiences',
    message: /no route takes bearer tokens/,
    cure: /auth: bearer/,
  },
];

const sessions: readonly Contradiction[] = [
  {
    title: 'a session secret shorter than 32 bytes is refused',
    text: session('').replace(SECRET, '▸thirty-one-bytes-is-not-enough!'),
    path: 'session.secret',
    message: /shorter than 32 bytes/,
    cure: /openssl rand -base64 32/,
  },
  {
    title: 'each secret of a list must have 32 bytes',
    text: session('').replace(SECRET, `[${SECRET}, ▸short]`),
    path: 'session.secret[1]',
    message: /shorter than 32 bytes/,
    cure: /openssl rand -base64 32/,
  },
  {
    title: 'a short secret in a file is refused',
    text: session('').replace(`secret: ${SECRET}`, 'secret_file: ▸secret'),
    path: 'session.secret_file',
    message: /shorter than 32 bytes/,
    cure: /openssl rand -base64 32/,
    surroundings: { files: { secret: `${'x'.repeat(31)}\n` } },
  },
  {
    title: 'a session without a secret is refused',
    text: session('').replace(`secret: ${SECRET}`, 'revalidate: 1m').replace('session', '▸session'),
    path: 'session.secret',
    message: /need a secret/,
    cure: /\$\{SESSION_SECRET\}/,
  },
  {
    title: 'a session secret that says null is no secret',
    text: session('').replace(SECRET, '▸null'),
    path: 'session.secret',
    message: /need a secret/,
    cure: /openssl rand/,
  },
  {
    title: 'an idle timeout longer than the absolute one is refused',
    text: session('  idle_timeout: ▸11h\n'),
    path: 'session.idle_timeout',
    message: /longer than absolute_timeout/,
    cure: /up to absolute_timeout/,
  },
  {
    title: 'an absolute timeout shorter than the default idle one is refused at its own place',
    text: session('  absolute_timeout: ▸10m\n'),
    path: 'session.absolute_timeout',
    message: /idle_timeout is longer/,
    cure: /defaults: 30m/,
  },
  {
    title: 'a __Host- cookie over plain http is refused',
    text: session('  cookie: { name: ▸__Host-wiki }\n', 'http://localhost:8080'),
    path: 'session.cookie.name',
    message: /__Host- over https only, and http:\/\/localhost:8080/,
    cure: /remove the name/,
  },
  {
    title: 'a __Secure- cookie is refused when one of several public URLs is plain http, in any letters',
    text: session('  cookie: { name: ▸__secure-wiki }\n', '["https://wiki.example.com", "http://localhost"]'),
    path: 'session.cookie.name',
    message: /__secure- over https only/,
    cure: /remove the name/,
  },
  {
    title: 'a __Host- cookie with a domain is refused',
    text: session('  cookie: { name: ▸__Host-wiki, domain: example.com }\n'),
    path: 'session.cookie.name',
    message: /only without a domain/,
    cure: /__Secure-portcullis/,
  },
  {
    title: 'same_site: none over plain http is refused',
    text: session('  cookie: { same_site: ▸none }\n', 'http://localhost:8080'),
    path: 'session.cookie.same_site',
    message: /over https only/,
    cure: /write lax/,
  },
  {
    title: 'a cookie domain that a public host is not in is refused, suffix without a dot included',
    text: session('  cookie: { domain: ▸example.com }\n', '["https://wiki.example.com", "https://badexample.com"]'),
    path: 'session.cookie.domain',
    message: /badexample\.com is not in this domain/,
    cure: /or null/,
  },
  {
    title: 'a top-level domain is refused',
    text: session('  cookie: { domain: ▸com }\n'),
    path: 'session.cookie.domain',
    message: /top-level/,
    cure: /with a dot/,
  },
  {
    title: 'an address as the cookie domain is refused',
    text: session('  cookie: { domain: ▸10.0.0.1 }\n', 'https://10.0.0.1'),
    path: 'session.cookie.domain',
    message: /no address/,
    cure: /write null/,
  },
];

const inRoutes: readonly Contradiction[] = [
  {
    title: 'two routes with the same host and path are refused, a slash at the end apart',
    text: routes('  - { upstream: "http://a", path: /app }\n  - { upstream: "http://b", path: ▸/app/ }\n'),
    path: 'routes[1].path',
    message: /same host and path/,
    cure: /another path or host/,
  },
  {
    title: 'two routes without a path are refused at the second one',
    text: routes('  - upstream: http://a\n  - ▸upstream: http://b\n'),
    path: 'routes[1].path',
    message: /same host and path/,
    cure: /another path or host/,
  },
  {
    title: 'two routes with one name are refused',
    text: routes('  - { upstream: "http://a", name: wiki }\n  - { upstream: "http://b", path: /b, name: ▸wiki }\n'),
    path: 'routes[1].name',
    message: /same name/,
    cure: /name of its own/,
  },
  {
    title: 'a route for a host that no public_url has is refused',
    text: routes('  - { upstream: "http://a", host: ▸shop.example.com }\n'),
    path: 'routes[0].host',
    message: /no public_url has this host/,
    cure: /wiki\.example\.com, or add the host/,
  },
  {
    title: 'a route for a port that no public_url has is refused',
    text: routes('  - { upstream: "http://a", host: ▸"wiki.example.com:8443" }\n'),
    path: 'routes[0].host',
    message: /no public_url has this host/,
    cure: /wiki\.example\.com/,
  },
  {
    title: 'a route for one of several ports of a host is refused',
    text: routes(
      '  - { upstream: "http://a", host: ▸"wiki.example.com:8443" }\n',
      '["https://wiki.example.com", "https://wiki.example.com:8443"]',
    ),
    path: 'routes[0].host',
    message: /ports of one host/,
    cure: /without its port/,
  },
  {
    title: "a route under the gate's own prefix is refused",
    text: routes('  - { upstream: "http://a", path: ▸/_gate/app }\n'),
    path: 'routes[0].path',
    message: /belong to the gate itself/,
    cure: /another path/,
  },
  {
    title: 'an upstream that stands in its list twice is refused',
    text: routes('  - { upstream: ["http://a", "http://b", ▸"http://a:80/"] }\n'),
    path: 'routes[0].upstream[2]',
    message: /stands in this list before/,
    cure: /remove one/,
  },
  {
    title: 'one of several upstreams that is a public_url is refused',
    text: routes('  - { upstream: ["http://a", ▸"https://wiki.example.com"] }\n'),
    path: 'routes[0].upstream[1]',
    message: /forward to itself/,
    cure: /behind the gate/,
  },
  {
    title: 'balance: session with one upstream is refused',
    text: routes('  - { upstream: "http://a", balance: ▸session }\n'),
    path: 'routes[0].balance',
    message: /nothing to choose/,
    cure: /several upstreams/,
  },
  {
    title: 'a route whose upstream is a public_url is refused',
    text: routes('  - { upstream: ▸"https://wiki.example.com" }\n'),
    path: 'routes[0].upstream',
    message: /forward to itself/,
    cure: /behind the gate/,
  },
  {
    title: 'certificates for a plain-http upstream are refused',
    text: routes('  - { upstream: "http://a", ▸upstream_tls: { server_name: a } }\n'),
    path: 'routes[0].upstream_tls',
    message: /not used/,
    cure: /https:\/\/ upstream/,
  },
  {
    title: 'a client certificate without its key is refused',
    text: routes('  - { upstream: "https://a", upstream_tls: { cert_file: ▸a.crt } }\n'),
    path: 'routes[0].upstream_tls.cert_file',
    message: /without its key/,
    cure: /add key_file/,
    surroundings: { files: { 'a.crt': one.certPem } },
  },
  {
    title: 'a public rule on / of a route that also has rules is refused',
    text: routes(
      '  - { upstream: "http://a", access: [{ path: /admin, roles: [admin] }, { path: /, auth: ▸public }] }\n',
    ),
    path: 'routes[0].access[1].auth',
    message: /public rule for the whole route/,
    cure: /one by one/,
  },
  {
    title: "a public rule on the route's own path is a public rule on all of it",
    text: routes(
      '  - { upstream: "http://a", path: /a, access: [{ path: /a, auth: ▸public }, { path: /a/b, roles: [x] }] }\n',
    ),
    path: 'routes[0].access[0].auth',
    message: /public rule for the whole route/,
    cure: /one by one/,
  },
  {
    title: 'a public rule that asks for roles is refused',
    text: routes('  - { upstream: "http://a", access: [{ path: /x, roles: [admin], auth: ▸public }] }\n'),
    path: 'routes[0].access[0].auth',
    message: /asks nobody for roles/,
    cure: /remove auth: public/,
  },
  {
    title: 'a public route with rules is refused',
    text: routes('  - { upstream: "http://a", auth: ▸public, access: [{ path: /admin, roles: [admin] }] }\n'),
    path: 'routes[0].auth',
    message: /would protect nothing/,
    cure: /rules with auth: public/,
  },
  {
    title: 'public beside another way to sign in is refused',
    text: routes('  - { upstream: "http://a", ▸auth: [public, session] }\n'),
    path: 'routes[0].auth',
    message: /nobody has to sign in/,
    cure: /public alone/,
  },
  {
    title: 'an acr that is several, or that a challenge cannot carry, is refused',
    text: routes('  - { upstream: "http://a", access: [{ path: /x, acr: ["2", ▸"silver gold"] }] }\n'),
    path: 'routes[0].access[0].acr[1]',
    message: /spaces separate classes/,
    cure: /each class as an item/,
  },
  {
    title: 'a redirect to sign-in from a route that takes only tokens is refused',
    text: routes('  - { upstream: "http://a", auth: bearer, unauthenticated: ▸login }\n'),
    path: 'routes[0].unauthenticated',
    message: /sign-in gives them none/,
    cure: /\[session, bearer\]/,
  },
  {
    title: 'two headers that applications cannot tell apart are refused',
    text: routes('  - { upstream: "http://a", headers: { set: { X-User: "{sub}", x_user: ▸"{email}" } } }\n'),
    path: 'routes[0].headers.set.x_user',
    message: /same header as X-User/,
    cure: /keep one/,
  },
];

for (const [name, contradictions] of Object.entries({ listeners, providers, sessions, inRoutes })) {
  describe(`a contradiction is refused where it can be mended: ${name}`, () => {
    for (const { title, text, surroundings, ...expected } of contradictions) {
      it(title, () => refuses(text, expected, surroundings));
    }
  });
}

// Hostile request heads against the whole gate, over raw sockets (security catalogue 4.1, 4.3, 4.9, 4.10). For every row:
// the answer is as the table says, nothing reached the upstream, and the gate still serves afterwards.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rawExchange } from '../support/raw-exchange.ts';
import { TestGate } from '../support/test-gate.ts';

interface Row {
  readonly id: string;
  /** `HOST` stands for the gate's own host, `COOKIE` for a signed-in user's. */
  readonly request: string;
  readonly status: RegExp;
}

const get = (target: string, headers = '') => `GET ${target} HTTP/1.1\r\nHost: HOST\r\n${headers}\r\n`;
const post = (headers: string, body = '') => `POST /echo HTTP/1.1\r\nHost: HOST\r\n${headers}\r\n${body}`;

const HANDSHAKE = `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n`;

/** By which some servers let a header say what was asked for. */
const OTHER_ADDRESSES = [
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-Forwarded-Uri',
  'X-Forwarded-Prefix',
  'X-Accel-Redirect',
  'X-Sendfile',
];

const ANONYMOUS: readonly Row[] = [
  { id: 'PATH-01 a query decides nothing', request: get('/echo?x=/public/'), status: /^401/ },
  { id: 'PATH-01 nor does one that looks like a path', request: get('/echo?/public/a'), status: /^401/ },
  { id: 'PATH-02 dot segments', request: get('/public/../echo'), status: /^400/ },
  { id: 'PATH-03 encoded dot segments', request: get('/public/%2e%2e/echo'), status: /^400/ },
  ...['/public/.%2e/echo', '/public/%2E./echo'].map(
    (target): Row => ({ id: `PATH-03 half encoded dots ${target}`, request: get(target), status: /^400/ }),
  ),
  { id: 'PATH-04 dot segments with parameters', request: get('/public/..;/echo'), status: /^400/ },
  { id: 'PATH-04 dot segments behind parameters', request: get('/public/;/../echo'), status: /^400/ },
  { id: 'PATH-04 parameters of a segment', request: get('/public;x=/echo'), status: /^40[01]/ },
  { id: 'PATH-05 an encoded slash', request: get('/public%2fecho'), status: /^(?:400|401)/ },
  { id: 'PATH-05 an encoded slash behind dots', request: get('/public/..%2fecho'), status: /^400/ },
  { id: 'PATH-05 encoded slashes around dots', request: get('/public/%2f..%2fecho'), status: /^40[01]/ },
  { id: 'PATH-06 an encoded backslash', request: get('/public/..%5cecho'), status: /^400/ },
  { id: 'PATH-06 encoded backslashes around dots', request: get('/public%5c..%5cecho'), status: /^40[01]/ },
  { id: 'PATH-06 a backslash', request: get('/public\\..\\echo'), status: /^400/ },
  { id: 'PATH-07 encoded twice', request: get('/public/%252e%252e/echo'), status: /^401|^400/ },
  { id: 'PATH-07 encoded three times', request: get('/public/%25252e%25252e/echo'), status: /^40[01]/ },
  { id: 'PATH-08 invalid UTF-8', request: get('/public/%c0%ae%c0%ae/echo'), status: /^400/ },
  { id: 'PATH-08 an overlong dot', request: get('/public/%e0%80%ae/'), status: /^400/ },
  { id: 'PATH-08 an invalid escape', request: get('/%u0061dmin'), status: /^400/ },
  ...['//public/a', '//echo', '/public//echo', '///public/a', '//evil.example/public/a'].map(
    (target): Row => ({ id: `PATH-09 empty segments ${target}`, request: get(target), status: /^40[01]/ }),
  ),
  { id: 'PATH-10 another case', request: get('/PUBLIC/a'), status: /^401/ },
  { id: 'PATH-10 another case before dots', request: get('/Public/../echo'), status: /^40[01]/ },
  ...['/publicx', '/public.evil', '/public%20', '/public/.'].map(
    (target): Row => ({ id: `PATH-11 no whole segment ${target}`, request: get(target), status: /^40[01]/ }),
  ),
  { id: 'PATH-12 a fragment', request: get('/public#/../echo'), status: /^400/ },
  { id: 'PATH-12 a fragment that names a public path', request: get('/echo#/public/'), status: /^400/ },
  { id: 'PATH-13 an encoded fragment', request: get('/echo%23/public/x'), status: /^401/ },
  { id: 'PATH-13 an encoded fragment behind dots', request: get('/public/x%23/../echo'), status: /^40[01]/ },
  { id: 'PATH-14 an encoded NUL', request: get('/echo%00/public/'), status: /^400/ },
  ...['/public/%00../echo', '/public/%0d%0a', '/public/%09'].map(
    (target): Row => ({ id: `PATH-14 an encoded control character ${target}`, request: get(target), status: /^400/ }),
  ),
  { id: 'PATH-15 an absolute target of another host', request: get('http://evil.example/public/a'), status: /^400/ },
  { id: 'PATH-15 an absolute target of our host is its path', request: get('http://HOST/echo'), status: /^401/ },
  ...['*', 'http:public/a', 'public/a'].map(
    (target): Row => ({ id: `PATH-16 a target that is no path ${target}`, request: get(target), status: /^40[05]/ }),
  ),
  { id: 'PATH-16 OPTIONS *', request: 'OPTIONS * HTTP/1.1\r\nHost: HOST\r\n\r\n', status: /^400/ },
  { id: 'PATH-16 CONNECT', request: 'CONNECT x:443 HTTP/1.1\r\nHost: HOST\r\n\r\n', status: /^40[05]/ },
  {
    id: 'PATH-17 POST where the rule says GET',
    request: 'POST /public/a HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n\r\n',
    status: /^401/,
  },
  {
    id: 'PATH-17 OPTIONS is not public by itself',
    request: 'OPTIONS /echo HTTP/1.1\r\nHost: HOST\r\nOrigin: https://a\r\n\r\n',
    status: /^401/,
  },
  {
    id: 'PATH-17 nor with what a preflight asks',
    request: 'OPTIONS /echo HTTP/1.1\r\nHost: HOST\r\nOrigin: https://a\r\nAccess-Control-Request-Method: GET\r\n\r\n',
    status: /^401/,
  },
  { id: 'PATH-17 HEAD', request: 'HEAD /echo HTTP/1.1\r\nHost: HOST\r\n\r\n', status: /^401/ },
  ...['get', 'GeT'].map(
    (method): Row => ({
      id: `PATH-18 ${method}`,
      request: `${method} /public/a HTTP/1.1\r\nHost: HOST\r\n\r\n`,
      status: /^400/,
    }),
  ),
  ...['QUERY', 'PROPFIND'].map(
    (method): Row => ({
      id: `PATH-18 ${method}`,
      request: `${method} /public/a HTTP/1.1\r\nHost: HOST\r\n\r\n`,
      status: /^401/,
    }),
  ),
  { id: 'PATH-18 TRACE', request: 'TRACE /public/a HTTP/1.1\r\nHost: HOST\r\n\r\n', status: /^405/ },
  {
    id: 'PATH-19 a method in a header',
    request: 'POST /public/a HTTP/1.1\r\nHost: HOST\r\nX-HTTP-Method-Override: GET\r\nContent-Length: 0\r\n\r\n',
    status: /^401/,
  },
  {
    id: 'PATH-19 a method in a query and a form',
    request: `POST /public/a?_method=GET HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n\r\n_method=GET`,
    status: /^401/,
  },
  {
    id: 'PATH-20 another address in a header',
    request: get('/echo', OTHER_ADDRESSES.map((name) => `${name}: /public/a\r\n`).join('')),
    status: /^401/,
  },
  ...['kube-probe/1.0', 'GoogleHC/1.0'].map(
    (agent): Row => ({
      id: `PATH-21 a health check by its User-Agent ${agent}`,
      request: get('/echo', `User-Agent: ${agent}\r\n`),
      status: /^401/,
    }),
  ),
  { id: 'PATH-22 the prefix spelled otherwise', request: get('/%5Fgate/callback'), status: /^400/ },
  { id: 'PATH-22 the prefix behind dots', request: get('/x/../_gate/callback'), status: /^400/ },
  { id: 'PATH-22 the prefix with an encoded slash', request: get('/_gate%2fcallback'), status: /^400/ },
  { id: 'PATH-22 the prefix before dots', request: get('/_gate/../echo'), status: /^40[04]/ },
  { id: 'PATH-22 the prefix in another case', request: get('/_GATE/callback'), status: /^401/ },
  { id: 'PATH-22 the prefix below a path', request: get('/app/_gate/logout'), status: /^401/ },
  { id: 'PATH-22 below an endpoint', request: get('/_gate/callback/extra'), status: /^404/ },
  ...[
    `/${'a'.repeat(9000)}`,
    `/public/a?${'a'.repeat(16_000)}`,
    `/public/a?${'a=1&'.repeat(10_000)}`,
    `/${'a'.repeat(1_000_000)}`,
  ].map(
    (target): Row => ({
      id: `PATH-23 a target of ${target.length} characters, ${target.slice(0, 14)}`,
      request: get(target),
      status: /^4(?:14|31)/,
    }),
  ),
  {
    // Every reading is below /public, and only a canonical path is public.
    id: 'PATH-24 a path that pattern matchers choke on',
    request: get(`/public/${'a'.repeat(4000)}!..;/`),
    status: /^401/,
  },
  ...['/echo/x.css', '/echo;.css', '/echo%2fx.css'].map(
    (target): Row => ({
      id: `PATH-25 a suffix makes nothing public ${target}`,
      request: get(target),
      status: /^40[01]/,
    }),
  ),
  { id: 'HOST-01 an unknown host', request: 'GET /public/a HTTP/1.1\r\nHost: evil.example\r\n\r\n', status: /^421/ },
  ...[
    '',
    'HOST.',
    'HOST.evil.example',
    'evil.example:80',
    'localhost',
    '127.0.0.1:1',
    '[::1]',
    'HOST/x',
    'HOST, evil',
  ].map(
    (name): Row => ({
      id: `HOST-01 the host ${JSON.stringify(name)}`,
      request: `GET /public/a HTTP/1.1\r\nHost: ${name}\r\n\r\n`,
      status: /^4(?:21|00)/,
    }),
  ),
  {
    id: 'HOST-01 userinfo in Host',
    request: 'GET /public/a HTTP/1.1\r\nHost: evil:x@HOST\r\n\r\n',
    status: /^4(?:21|00)/,
  },
  {
    id: 'HOST-01 another host for a notice',
    request: 'POST /_gate/backchannel-logout HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 0\r\n\r\n',
    status: /^421/,
  },
  { id: 'HOST-02 two Hosts', request: 'GET /public/a HTTP/1.1\r\nHost: HOST\r\nHost: evil\r\n\r\n', status: /^400/ },
  { id: 'HOST-02 no Host', request: 'GET /public/a HTTP/1.1\r\n\r\n', status: /^400/ },
  { id: 'HOST-02 no Host in HTTP/1.0', request: 'GET /public/a HTTP/1.0\r\n\r\n', status: /^400/ },
  {
    id: 'HOST-02 a target of another host than Host',
    request: 'GET http://HOST/public/a HTTP/1.1\r\nHost: evil.example\r\n\r\n',
    status: /^4(?:21|00)/,
  },
  {
    id: 'HDR-14 an identity header behind too many others',
    request: get('/public/a', `${'X-A: 1\r\n'.repeat(150)}X-Forwarded-User: admin\r\n`),
    status: /^431/,
  },
  { id: 'RES-02 headers too large', request: get('/public/a', `X-A: ${'a'.repeat(17_000)}\r\n`), status: /^431/ },
];

const FRAMING: readonly Row[] = [
  {
    id: 'SMUG-01 length and chunked',
    request: post('Cookie: COOKIE\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    status: /^400/,
  },
  {
    id: 'SMUG-02 a list of codings',
    request: post('Cookie: COOKIE\r\nTransfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    status: /^(?:400|501)/,
  },
  {
    id: 'SMUG-02 identity, chunked',
    request: post('Cookie: COOKIE\r\nTransfer-Encoding: identity, chunked\r\n', '0\r\n\r\n'),
    status: /^(?:400|501)/,
  },
  {
    id: 'SMUG-03 chunked in HTTP/1.0',
    request: 'POST /echo HTTP/1.0\r\nHost: HOST\r\nCookie: COOKIE\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    status: /^400/,
  },
  { id: 'SMUG-04 a signed length', request: post('Cookie: COOKIE\r\nContent-Length: +1\r\n', 'a'), status: /^400/ },
  {
    id: 'SMUG-04 two lengths',
    request: post('Cookie: COOKIE\r\nContent-Length: 1\r\nContent-Length: 2\r\n', 'ab'),
    status: /^400/,
  },
  { id: 'SMUG-05 a folded header', request: get('/echo', 'Cookie: COOKIE\r\nX-A: 1\r\n b\r\n'), status: /^400/ },
  {
    id: 'SMUG-10 an unknown expectation',
    request: post('Cookie: COOKIE\r\nExpect: magic\r\nContent-Length: 1\r\n', 'a'),
    status: /^417/,
  },
  {
    id: 'CVE-2026-58044 a length behind 2100 headers',
    request: post(`Cookie: COOKIE\r\n${'a: 1\r\n'.repeat(2100)}Content-Length: 5\r\n`, 'hello'),
    status: /^431/,
  },
];

describe('hostile request heads', () => {
  let gate: TestGate;
  let cookie: string;
  before(async () => {
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { name: 'app', upstream, access: [{ path: '/public', methods: ['GET', 'HEAD'], auth: 'public' }] },
        ],
      },
    });
    const browser = await gate.signedIn('alice');
    cookie = browser.cookies.header(new URL(gate.url('/echo'))) ?? '';
  });
  after(() => gate.close());

  for (const row of [...ANONYMOUS, ...FRAMING]) {
    test(row.id, () => isStopped(row));
  }

  for (const row of ANONYMOUS.filter(({ request }) => request.startsWith('GET '))) {
    test(`${row.id}, as a WebSocket handshake`, () =>
      isStopped({ ...row, request: row.request.replace('\r\n', `\r\n${HANDSHAKE}`) }));
  }

  for (const [kind, handshake, path] of [
    ['a request', '', '/echo'],
    ['a WebSocket handshake', HANDSHAKE, '/ws'],
  ] as const) {
    test(`PATH-07 for who is signed in the target of ${kind} arrives as it was sent`, async () => {
      const { host } = new URL(gate.addresses.publicUrl);
      for (const target of [
        `${path}/%252e%252e/a`,
        `${path}/a%2Fb;c=1?d=%252e`,
        `${path}/%e4%bd%a0`,
        `${path}/./a//b`,
      ]) {
        const head = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n${handshake}\r\n`;
        assert.match(await rawExchange(host, head, { until: 'head' }), /^HTTP\/1\.1 (?:200|101|404) /, target);
        assert.equal((handshake === '' ? gate.app.exchanges : gate.app.sockets).at(-1)!.target, target);
      }
    });
  }

  async function isStopped(row: Row): Promise<void> {
    const seen = gate.app.exchanges.length;
    const sockets = gate.app.sockets.length;
    const { host } = new URL(gate.addresses.publicUrl);
    const raw = row.request.replaceAll('HOST', host).replaceAll('COOKIE', cookie);
    const answer = await rawExchange(host, raw);
    assert.match(answer, /^HTTP\/1\.1 /);
    assert.match(answer.slice('HTTP/1.1 '.length), row.status);
    assert.doesNotMatch(answer, /^set-cookie:/im);
    assert.equal(gate.app.exchanges.length, seen, 'nothing reaches the upstream');
    assert.equal(gate.app.sockets.length, sockets, 'and no WebSocket');
    assert.equal((await gate.browser().request(gate.url('/public/a'))).status, 200);
  }
});

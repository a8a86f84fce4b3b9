// Identity headers and cookies that a client makes up (security catalogue 4.2): what the application sees of them, for
// requests and for WebSocket handshakes, by row.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { rawExchange } from '../support/raw-exchange.ts';
import { TestGate } from '../support/test-gate.ts';

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
];

/** Spellings that an application may take for one of ours. */
const SPELLINGS = [
  'X-Forwarded-User',
  'x-forwarded-USER',
  'X_Forwarded_User',
  'X-Forwarded_User',
  'X.Forwarded.User',
  'X~Forwarded~User',
  'HTTP_X_FORWARDED_USER',
  'HTTP-X-Forwarded-User',
  'X-Forwarded-Groups',
  'X-Auth-Username',
  'X_Auth_Request_User',
  'Remote-User',
  'REMOTE_USER',
  'OIDC_CLAIM_sub',
  'OIDC-CLAIM-email',
  'X-Portcullis-Assertion',
  'X-Wiki-User',
  'x_wiki_user',
];

type Seen = readonly (readonly [string, string])[];

describe('identity headers of clients', () => {
  let gate: TestGate;
  let host: string;
  let cookie: string;
  before(async () => {
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          {
            name: 'app',
            upstream,
            headers: { set: { 'X-Wiki-User': '{preferred_username}' } },
            access: [{ path: '/public', auth: 'public' }],
          },
        ],
      },
      provider: { users: { alice: { email: undefined } } },
    });
    ({ host } = new URL(gate.addresses.publicUrl));
    // The provider's cookies are there too: browsers do not tell ports apart.
    const all = (await gate.signedIn('alice')).cookies.header(new URL(gate.url('/'))) ?? '';
    cookie = /portcullis=[^;]+/.exec(all)![0];
  });
  after(() => gate.close());

  /** Sends these lines after the request line and Host, and returns what the application saw. */
  async function seen(
    kind: 'http' | 'upgrade',
    path: string,
    lines: readonly string[],
    signedIn = true,
  ): Promise<Seen> {
    const head = [
      `GET ${path} HTTP/1.1`,
      `Host: ${host}`,
      ...(kind === 'upgrade' ? HANDSHAKE : []),
      ...(signedIn ? [`Cookie: ${cookie}`] : []),
      ...lines,
    ];
    const answer = await rawExchange(host, `${head.join('\r\n')}\r\n\r\n`, { until: 'head' });
    assert.match(answer, kind === 'http' ? /^HTTP\/1\.1 200 / : /^HTTP\/1\.1 101 /, answer.slice(0, 300));
    const { rawHeaders } = (kind === 'http' ? gate.app.exchanges : gate.app.sockets).at(-1)!;
    return rawHeaders.flatMap((name, i) => (i % 2 === 0 ? [[name, rawHeaders[i + 1]!] as const] : []));
  }
  const values = (headers: Seen, name: string) =>
    headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  const text = (headers: Seen) => JSON.stringify(headers);

  for (const kind of ['http', 'upgrade'] as const) {
    const path = kind === 'http' ? '/echo' : '/ws';
    const publicPath = `/public${path}`;

    describe(kind, () => {
      test('HDR-01, HDR-02: removed in every spelling, on protected and on public paths', async () => {
        const forged = SPELLINGS.map((name) => `${name}: forged`);
        const mine = await seen(kind, path, forged);
        assert.doesNotMatch(text(mine), /forged/);
        assert.deepEqual(values(mine, 'x-forwarded-user'), ['sub-alice']);
        assert.deepEqual(values(mine, 'x-wiki-user'), ['alice']);
        for (const signedIn of [false, true]) {
          const nobodys = await seen(kind, publicPath, forged, signedIn);
          assert.doesNotMatch(text(nobodys), /forged|sub-alice/);
        }
      });

      test('PATH-20: headers that name another address or file reach no application', async () => {
        const names = ['X-Original-URL', 'X-Rewrite-URL', 'X-Forwarded-Uri', 'X-Forwarded-Prefix', 'X-Accel-Redirect'];
        const lines = [...names, 'X-Sendfile', 'x_original_url'].map((name) => `${name}: /forged`);
        for (const target of [path, publicPath]) assert.doesNotMatch(text(await seen(kind, target, lines)), /forged/);
      });

      test('HDR-03: of two copies and of a list, ours alone arrives', async () => {
        const lines = ['X-Forwarded-User: a', 'x-forwarded-user: b', 'X-Forwarded-User: a, admin'];
        assert.deepEqual(values(await seen(kind, path, lines), 'x-forwarded-user'), ['sub-alice']);
      });

      test('HDR-04, HDR-05, HDR-15: Connection can take away nothing that the gate says or needs', async () => {
        for (const connection of [
          'X-Forwarded-User',
          'x-forwarded-user, x-forwarded-proto, x-forwarded-for, x-wiki-user',
          'Keep-Alive, X-Forwarded-User, cookie, host, content-length, transfer-encoding',
        ]) {
          const lines = [`Connection: ${connection}`, `Proxy-Connection: ${connection}`, 'X-Forwarded-User: forged'];
          const got = await seen(kind, path, lines);
          assert.deepEqual(values(got, 'x-forwarded-user'), ['sub-alice'], connection);
          assert.deepEqual(values(got, 'x-wiki-user'), ['alice'], connection);
          assert.deepEqual(values(got, 'x-forwarded-proto'), ['http'], connection);
          assert.equal(values(got, 'host').length, 1, connection);
          assert.deepEqual(values(got, 'proxy-connection'), [], connection);
        }
      });

      test('HDR-07: where the claim is missing there is no header, whatever the client sends', async () => {
        const got = await seen(kind, path, ['X-Forwarded-Email: admin@example.com', 'X-Forwarded-Groups: admins']);
        assert.deepEqual([...values(got, 'x-forwarded-email'), ...values(got, 'x-forwarded-groups')], []);
      });

      test('HDR-11: an Authorization header passes as it is, and signs nobody in', async () => {
        const line = 'Authorization: Bearer forged';
        assert.deepEqual(values(await seen(kind, path, [line]), 'authorization'), ['Bearer forged']);
        const head = [`GET ${path} HTTP/1.1`, `Host: ${host}`, ...(kind === 'upgrade' ? HANDSHAKE : []), line];
        assert.match(await rawExchange(host, `${head.join('\r\n')}\r\n\r\n`), /^HTTP\/1\.1 401 /);
      });

      test('HDR-12: the cookies of the gate reach no application, inside quotes neither; its own arrive as they were', async () => {
        const [name, value] = cookie.split('=', 2) as [string, string];
        const got = await seen(kind, path, [`Cookie: app=1; quoted="x; ${cookie}; y"; $Version=1; b=a%20b`], false);
        assert.ok(!text(got).includes(value), text(got));
        assert.ok(!text(got).includes(`${name}=`), text(got));
        assert.match(values(got, 'cookie').join('; '), /app=1;.*\$Version=1; b=a%20b/);
      });
    });
  }

  test('HDR-01: removed from requests of every method, and from those for nothing that is there', async () => {
    const lines = [`Host: ${host}`, `Cookie: ${cookie}`, 'Content-Length: 0', 'X-Forwarded-User: forged'].join('\r\n');
    for (const line of ['OPTIONS /public/echo', 'OPTIONS /echo', 'POST /echo', 'DELETE /nothing', 'PROPFIND /echo']) {
      const seenBefore = gate.app.exchanges.length;
      await rawExchange(host, `${line} HTTP/1.1\r\n${lines}\r\n\r\n`, { until: 'head' });
      const [exchange, ...more] = gate.app.exchanges.slice(seenBefore);
      assert.deepEqual(more, []);
      assert.ok(exchange, line);
      assert.doesNotMatch(exchange.rawHeaders.join('\n'), /forged/, line);
    }
  });

  test('HDR-06: trailers reach no application', async () => {
    const head = [
      'POST /echo HTTP/1.1',
      `Host: ${host}`,
      `Cookie: ${cookie}`,
      'Transfer-Encoding: chunked',
      'TE: trailers',
      'Trailer: X-Forwarded-User',
    ];
    const raw = `${head.join('\r\n')}\r\n\r\n1\r\na\r\n0\r\nX-Forwarded-User: admin\r\n\r\n`;
    assert.match(await rawExchange(host, raw), /^HTTP\/1\.1 200 /);
    const { rawHeaders } = gate.app.exchanges.at(-1)!;
    assert.doesNotMatch(rawHeaders.join('\n'), /^(?:te|trailer)$|admin/im);
  });

  test('HDR-13: an application cannot set the cookies of the gate, nor with a WebSocket', async () => {
    const name = cookie.split('=', 1)[0]!;
    const asked = [`Set-Cookie: ${name}=evil; Path=/`, `Set-Cookie: ${name}-login-x=evil`, 'Set-Cookie: app=1'];
    const query = new URLSearchParams(asked.map((header): [string, string] => ['header', header]));
    for (const [path, handshake] of [
      ['/echo', []],
      ['/ws', HANDSHAKE],
    ] as const) {
      const head = [`GET ${path}?${query} HTTP/1.1`, `Host: ${host}`, `Cookie: ${cookie}`, ...handshake];
      const answer = await rawExchange(host, `${head.join('\r\n')}\r\n\r\n`, { until: 'head' });
      assert.match(answer, /^HTTP\/1\.1 (?:200|101) /);
      assert.deepEqual(answer.match(/^set-cookie: .*$/gim), ['Set-Cookie: app=1']);
      assert.doesNotMatch(answer, /=evil/);
    }
  });
});

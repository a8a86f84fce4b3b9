// X-Forwarded-* and their kin (security catalogue 4.3): believed of trusted proxies only, by row.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { PATHS } from '../support/embedded-provider.ts';
import { rawExchange } from '../support/raw-exchange.ts';
import { TestGate } from '../support/test-gate.ts';
import { BASE, problemsOf, ROUTES } from '../unit/config/load-text.ts';

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
];
const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Accept: text/html'];
const LIES = [
  'X-Forwarded-Host: evil.example',
  'Forwarded: host=evil.example;proto=javascript;for=10.0.0.1',
  'X-Forwarded-Proto: javascript',
  'X-Forwarded-Port: 1',
  'X-Forwarded-Server: evil.example',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-For: 203.0.113.9',
  'X-Real-IP: 203.0.113.9',
];

const routes = (upstream: string) => [
  { name: 'app', upstream, auth: 'public' },
  { name: 'in', path: '/in', upstream },
];

describe('forwarded headers', () => {
  let gate: TestGate;
  let trusting: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
    trusting = await TestGate.start({ config: { routes, server: { trusted_proxies: ['127.0.0.0/8'] } } });
  });
  after(() => Promise.all([gate.close(), trusting.close()]));

  const send = (to: TestGate, path: string, lines: readonly string[]) => {
    const { host } = new URL(to.addresses.publicUrl);
    return rawExchange(host, `GET ${path} HTTP/1.1\r\n${[`Host: ${host}`, ...lines].join('\r\n')}\r\n\r\n`, {
      until: 'head',
    });
  };
  async function seen(to: TestGate, kind: 'http' | 'upgrade', lines: readonly string[]) {
    const answer = await send(
      to,
      kind === 'http' ? '/echo' : '/ws',
      kind === 'http' ? lines : [...HANDSHAKE, ...lines],
    );
    assert.match(answer, /^HTTP\/1\.1 (?:200|101) /, answer.slice(0, 200));
    return (kind === 'http' ? to.app.exchanges : to.app.sockets).at(-1)!.headers;
  }

  for (const kind of ['http', 'upgrade'] as const) {
    test(`HOST-03: of anybody else nothing is believed and nothing passed on (${kind})`, async () => {
      const { host, port } = new URL(gate.addresses.publicUrl);
      const headers = await seen(gate, kind, LIES);
      assert.equal(headers['x-forwarded-host'], host);
      assert.equal(headers['x-forwarded-proto'], 'http');
      assert.equal(headers['x-forwarded-port'], port);
      assert.equal(headers['x-forwarded-for'], '127.0.0.1');
      assert.doesNotMatch(JSON.stringify(headers), /evil|javascript|203\.0\.113/);
    });

    test(`HOST-04: the client is the last address that no trusted proxy has (${kind})`, async () => {
      const many = Array.from({ length: 1000 }, (_, at) => `198.51.100.${at % 250}`).join(', ');
      for (const [line, address] of [
        ['203.0.113.9', '203.0.113.9'],
        ['10.0.0.1, 203.0.113.9, 127.0.0.7', '203.0.113.9'],
        // More than any chain of proxies: nothing of it is believed.
        [`${many.slice(0, 9000)}, 203.0.113.9`, '127.0.0.1'],
        ['127.0.0.1', '127.0.0.1'],
        ['garbage', '127.0.0.1'],
        ['203.0.113.9, garbage', '127.0.0.1'],
        ['fe80::1%eth0', 'fe80::1%eth0'],
        ['fe80::1%<eth0>', '127.0.0.1'],
      ] as const) {
        const got = (await seen(trusting, kind, [`X-Forwarded-For: ${line}`]))['x-forwarded-for'];
        assert.equal(got, address, line.slice(-40));
      }
      assert.equal((await seen(gate, kind, ['X-Forwarded-For: 203.0.113.9']))['x-forwarded-for'], '127.0.0.1');
    });
  }

  test('HOST-03: where a sign-in comes back to is not theirs to say', async () => {
    for (const to of [gate, trusting]) {
      // The proxy may say which of our hosts was asked for, and no other.
      const lies = to === gate ? LIES : LIES.filter((line) => !line.startsWith('X-Forwarded-Host'));
      const answer = await send(to, '/in/echo', [...NAVIGATION, ...lies]);
      assert.match(answer, /^HTTP\/1\.1 302 /);
      assert.doesNotMatch(answer, /evil/);
      const asked = new URLSearchParams(to.provider.received(PATHS.par).at(-1)!.body);
      assert.equal(asked.get('redirect_uri'), `${to.addresses.publicUrl}/_gate/callback`);
    }
    assert.match(await send(trusting, '/echo', ['X-Forwarded-Host: evil.example']), /^HTTP\/1\.1 421 /);
  });

  test('HOST-05: no list trusts nobody, and one that trusts everybody is refused at start', () => {
    for (const range of ['0.0.0.0/0', '::/0', '0.0.0.0/1, 128.0.0.0/1']) {
      const text = `${BASE}${ROUTES}server: { trusted_proxies: [${range.split(', ').map((each) => JSON.stringify(each))}] }\n`;
      assert.notEqual(problemsOf(text).length, 0, range);
    }
  });

  describe('behind a TLS terminator', () => {
    let secure: TestGate;
    before(async () => {
      secure = await TestGate.start({
        config: { routes, public_url: 'https://app.example', server: { trusted_proxies: ['127.0.0.0/8'] } },
        provider: { clients: [{ id: 'gate', redirectUris: ['https://app.example/_gate/callback'] }] },
      });
    });
    after(() => secure.close());

    const ask = (path: string, lines: readonly string[]) => {
      const { host } = new URL(secure.addresses.publicUrl);
      return rawExchange(host, `GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, { until: 'head' });
    };

    for (const kind of ['http', 'upgrade'] as const) {
      const [path, handshake, status] =
        kind === 'http'
          ? (['/echo', [], /^HTTP\/1\.1 200 /] as const)
          : (['/ws', HANDSHAKE, /^HTTP\/1\.1 101 /] as const);

      test(`HOST-01: in any case, with its own port or without, the host is ours, and no other is (${kind})`, async () => {
        for (const name of ['app.example', 'APP.Example', 'app.example:443']) {
          assert.match(await ask(path, [`Host: ${name}`, ...handshake]), status, name);
        }
        for (const name of ['app.example:444', 'app.example:80', 'app.example.', 'xapp.example', 'app.example.evil']) {
          assert.match(await ask(path, [`Host: ${name}`, ...handshake]), /^HTTP\/1\.1 4(?:21|00) /, name);
        }
      });

      test(`HOST-06: nothing makes the public address plain http to the application (${kind})`, async () => {
        assert.match(await ask(path, ['Host: app.example', 'X-Forwarded-Proto: http', ...handshake]), status);
        const { headers } = (kind === 'http' ? secure.app.exchanges : secure.app.sockets).at(-1)!;
        assert.deepEqual([headers['x-forwarded-proto'], headers['x-forwarded-port']], ['https', '443']);
      });
    }

    test('HOST-06: nothing makes it so for a sign-in, or its cookie insecure', async () => {
      const answer = await ask('/in/echo', ['Host: app.example', 'X-Forwarded-Proto: http', ...NAVIGATION]);
      assert.match(answer, /^HTTP\/1\.1 302 /);
      const cookies = answer.match(/^set-cookie: .*$/gim) ?? [];
      assert.equal(cookies.length, 1);
      for (const cookie of cookies) assert.match(cookie, /; Secure/);
      const asked = new URLSearchParams(secure.provider.received(PATHS.par).at(-1)?.body);
      assert.equal(asked.get('redirect_uri'), 'https://app.example/_gate/callback');
    });
  });
});

// Where a browser is led to (security catalogue 4.4), through the front door: by a link to sign-in, by the address of an
// anonymous visit, and by an application. The inputs one by one are in test/unit/access/return-address.test.ts.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { rawExchange } from '../support/raw-exchange.ts';
import { TestGate } from '../support/test-gate.ts';

/** What `return_to` may not be, by row. */
const LINKS: readonly (readonly [string, string])[] = [
  ['RED-01', '//evil.example'],
  ['RED-01', '/\\evil.example'],
  ['RED-02', '/.//evil.example'],
  ['RED-02', '/a/..//evil.example'],
  ['RED-02', '/%2e//evil.example'],
  ['RED-03', '/\t/evil.example'],
  ['RED-03', '/\n/evil.example'],
  ['RED-04', 'http://HOST@evil.example/'],
  ['RED-04', 'http://HOST.evil.example/'],
  ['RED-05', 'javascript:alert(1)'],
  ['RED-06', '/x\r\nSet-Cookie: a=b'],
  ['RED-08', '/_gate/logout'],
  ['RED-09', `/${'a'.repeat(10_000)}`],
];

const NAVIGATION = ['Sec-Fetch-Mode: navigate', 'Sec-Fetch-Dest: document', 'Accept: text/html'];

const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${'A'.repeat(22)}==`,
];

/** Answers every request, handshakes too, with a redirect to where its query says. */
class RefusingApp {
  readonly #server = createServer((request, response) => {
    const location = new URL(request.url!, 'http://app').searchParams.get('location')!;
    response.writeHead(302, { Location: location, 'Content-Length': 0 }).end();
  });

  static async start(): Promise<RefusingApp> {
    const app = new RefusingApp();
    app.#server.listen(0, '127.0.0.1');
    await once(app.#server, 'listening');
    return app;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe('return addresses', () => {
  let gate: TestGate;
  let host: string;
  let refusing: RefusingApp;
  before(async () => {
    refusing = await RefusingApp.start();
    gate = await TestGate.start({
      config: {
        routes: (upstream: string) => [
          { name: 'app', upstream },
          { name: 'refusing', path: '/refusing', upstream: refusing.origin },
        ],
      },
    });
    ({ host } = new URL(gate.addresses.publicUrl));
  });
  after(async () => {
    await gate.close();
    refusing.close();
  });

  for (const [id, link] of LINKS) {
    test(`${id}: return_to=${JSON.stringify(link.slice(0, 40))} ends on our own front page`, async () => {
      const address = link.replace('HOST', host);
      const query = new URLSearchParams({ return_to: address });
      const browser = gate.browser();
      const form = await browser.navigate(gate.url(`/_gate/login?${query}`));
      if (form.status === 414) return;
      const page = await browser.submit(form, { username: 'alice' });
      assert.equal(page.url, gate.url('/'));
      assert.equal(page.status, 200);
      for (const hop of page.hops) assert.doesNotMatch(String(hop.headers.location), /^(?:\/\/|\/\\|.*evil)/);
    });
  }

  test('RED-07: the address of an anonymous visit leads to no other site after sign-in', async () => {
    for (const target of [
      '//evil.example/x',
      '/.//evil.example',
      '/\\evil.example',
      '/%2e//evil.example',
      '///evil.example',
    ]) {
      const head = [`GET ${target} HTTP/1.1`, `Host: ${host}`, ...NAVIGATION];
      const answer = await rawExchange(host, `${head.join('\r\n')}\r\n\r\n`);
      if (/^HTTP\/1\.1 400 /.test(answer)) continue;
      assert.match(answer, /^HTTP\/1\.1 302 /, target);
      const browser = gate.browser();
      const form = await browser.navigate(gate.url('/'), { target });
      const page = await browser.submit(form, { username: 'alice' });
      assert.equal(new URL(page.url).origin, gate.addresses.publicUrl, target);
      for (const hop of page.hops) assert.doesNotMatch(String(hop.headers.location), /^(?:\/\/|\/\\)/);
    }
  });

  test('RED-07: a handshake is never led anywhere', async () => {
    for (const target of ['//evil.example/x', '/.//evil.example', '/ws', '/ws?return_to=//evil.example']) {
      const head = [`GET ${target} HTTP/1.1`, `Host: ${host}`, ...HANDSHAKE, ...NAVIGATION];
      const answer = await rawExchange(host, `${head.join('\r\n')}\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 40[01] /, target);
      assert.doesNotMatch(answer, /^(?:location|refresh|set-cookie):/im, target);
    }
  });

  test('RED-10: what a browser says it came from is on no page', async () => {
    for (const referer of ['//evil.example', 'javascript:alert(1)', 'https://evil.example/']) {
      for (const path of ['/_gate/callback?state=x&code=y', '/_gate/nothing', '/echo']) {
        const lines = [
          `GET ${path} HTTP/1.1`,
          `Host: ${host}`,
          `Referer: ${referer}`,
          'Accept: text/html',
          'Sec-Fetch-Dest: iframe',
        ];
        const answer = await rawExchange(host, `${lines.join('\r\n')}\r\n\r\n`);
        assert.match(answer, /^HTTP\/1\.1 4\d\d /);
        assert.doesNotMatch(answer, /evil|javascript:/, path);
      }
    }
  });

  /** What an application's `Location` becomes; undefined: whatever it is, it is none of another origin's. */
  function locations(origin: string): readonly (readonly [string, string | undefined])[] {
    return [
      [`${origin}/x?y`, `${gate.addresses.publicUrl}/x?y`],
      [`//${new URL(origin).host}/x`, undefined],
      ['//other.example/x', '//other.example/x'],
      ['https://sso.example.com/auth?x=1', 'https://sso.example.com/auth?x=1'],
      [`${origin}@evil.example/`, `${origin}@evil.example/`],
      [`${origin}.evil.example/`, `${origin}.evil.example/`],
      [`${origin}1/`, `${origin}1/`],
      ['http://[broken', 'http://[broken'],
      ['/relative', '/relative'],
    ];
  }

  test("RED-11: nor in an application's answer to a handshake that it refuses", async () => {
    const browser = await gate.signedIn('alice');
    const Cookie = browser.cookies.header(new URL(gate.url('/')))!;
    for (const [location, expected] of locations(refusing.origin)) {
      const query = new URLSearchParams({ location });
      const head = [`GET /refusing?${query} HTTP/1.1`, `Host: ${host}`, `Cookie: ${Cookie}`, ...HANDSHAKE];
      const answer = await rawExchange(host, `${head.join('\r\n')}\r\n\r\n`, { until: 'head' });
      assert.match(answer, /^HTTP\/1\.1 302 /);
      const [, got] = /^location: (.*)\r$/im.exec(answer) ?? [];
      if (expected !== undefined) assert.equal(got, expected, location);
    }
  });

  test("RED-11: of an application's Location only its very origin becomes ours", async () => {
    const browser = await gate.signedIn('alice');
    for (const [location, expected] of locations(gate.app.origin)) {
      const query = new URLSearchParams({ header: `Location: ${location}` });
      const answer = await browser.request(gate.url(`/echo?${query}`));
      assert.equal(answer.status, 200, location);
      if (expected !== undefined) assert.equal(answer.headers.location, expected, location);
    }
  });
});

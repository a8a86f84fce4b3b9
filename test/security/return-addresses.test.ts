// Where a browser is led to (security catalogue 4.4), through the front door: by a link to sign-in, by the address of an
// anonymous visit, and by an application. The inputs one by one are in test/unit/access/return-address.test.ts.

import assert from 'node:assert/strict';
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

describe('return addresses', () => {
  let gate: TestGate;
  let host: string;
  before(async () => {
    gate = await TestGate.start();
    ({ host } = new URL(gate.addresses.publicUrl));
  });
  after(() => gate.close());

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

  test("RED-11: of an application's Location only its very origin becomes ours", async () => {
    const browser = await gate.signedIn('alice');
    const { origin, host: upstreamHost } = new URL(gate.app.origin);
    for (const [location, expected] of [
      [`${origin}/x?y`, `${gate.addresses.publicUrl}/x?y`],
      [`//${upstreamHost}/x`, undefined],
      ['//other.example/x', '//other.example/x'],
      ['https://sso.example.com/auth?x=1', 'https://sso.example.com/auth?x=1'],
      [`${origin}@evil.example/`, `${origin}@evil.example/`],
      [`${origin}.evil.example/`, `${origin}.evil.example/`],
      [`${origin}1/`, `${origin}1/`],
      ['http://[broken', 'http://[broken'],
      ['/relative', '/relative'],
    ] as const) {
      const query = new URLSearchParams({ header: `Location: ${location}` });
      const answer = await browser.request(gate.url(`/echo?${query}`));
      assert.equal(answer.status, 200, location);
      if (expected !== undefined) assert.equal(answer.headers.location, expected, location);
    }
  });
});

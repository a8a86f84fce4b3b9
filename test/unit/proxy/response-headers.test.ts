// The response headers that a client sees.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { privateCacheControl } from '../../../src/proxy/cache-control.ts';
import { type ResponseHead, ResponseHeaderPolicy } from '../../../src/proxy/response-headers.ts';

const OWN = {
  sessionName: '__Host-portcullis',
  lastUserName: '__Host-portcullis-user',
  loginPrefix: '__Secure-portcullis-login-',
};
const plain = new ResponseHeaderPolicy({ ownCookies: OWN, cache: 'as the upstream says' });
const session = new ResponseHeaderPolicy({ ownCookies: OWN, cache: 'private' });
const rewriting = new ResponseHeaderPolicy({
  ownCookies: OWN,
  cache: 'as the upstream says',
  rewrite: { upstreamOrigins: ['http://wiki:3000'], publicOrigin: 'https://wiki.example' },
});

function head(policy: ResponseHeaderPolicy, ...pairs: [string, string][]): ResponseHead {
  const built = policy.build(pairs.flat().map((text) => Buffer.from(text, 'latin1')));
  assert.equal(built.kind, 'head');
  return built as ResponseHead;
}

function seen(policy: ResponseHeaderPolicy, ...pairs: [string, string][]): string[] {
  return head(policy, ...pairs).headers;
}

describe('the response headers that a client sees', () => {
  test('spelling, order, repeats and Latin-1 bytes of what passes are the upstream’s', () => {
    const pairs: [string, string][] = [
      ['x-B', '1'],
      ['X-a', 'caf\u00e9'],
      ['X-b', ''],
      ['Set-Cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['Content-Length', '3'],
    ];
    assert.deepEqual(seen(plain, ...pairs), pairs.flat());
  });

  test('hop-by-hop headers and what Connection names end at the gate', () => {
    const headers = seen(
      plain,
      ['Connection', 'close, X-Hop'],
      ['Keep-Alive', 'timeout=5'],
      ['Transfer-Encoding', 'chunked'],
      ['Trailer', 'X-T'],
      ['Upgrade', 'h2c'],
      ['Proxy-Authenticate', 'Basic'],
      ['TE', 'x'],
      ['x-hop', '1'],
      ['X-Stay', '1'],
    );
    assert.deepEqual(headers, ['X-Stay', '1']);
  });

  test('Connection cannot take away the length, cookies, or what keeps a page private', () => {
    const headers = seen(
      session,
      ['Connection', 'content-length, set-cookie, cache-control, vary'],
      ['Content-Length', '1'],
      ['Set-Cookie', 'a=1'],
      ['Cache-Control', 'public'],
      ['Vary', 'Accept'],
    );
    assert.deepEqual(headers, [
      ...['Content-Length', '1', 'Set-Cookie', 'a=1', 'Cache-Control', 'private', 'Vary', 'Accept', 'Vary', 'Cookie'],
    ]);
  });

  test('the framing of the body is found', () => {
    assert.deepEqual(pick(head(plain, ['content-LENGTH', '17'])), {
      contentLength: 17,
      chunked: false,
      eventStream: false,
    });
    assert.deepEqual(pick(head(plain, ['Transfer-Encoding', 'Chunked'])), {
      contentLength: -1,
      chunked: true,
      eventStream: false,
    });
    assert.deepEqual(pick(head(plain)), { contentLength: -1, chunked: false, eventStream: false });
  });

  test('an event stream is known by its type, parameters or not', () => {
    assert.equal(head(plain, ['content-type', 'text/event-stream']).eventStream, true);
    assert.equal(head(plain, ['Content-Type', ' Text/Event-Stream ; charset=utf-8']).eventStream, true);
    assert.equal(head(plain, ['Content-Type', 'text/event-streams']).eventStream, false);
    assert.equal(head(plain, ['Content-Type', 'text/html']).eventStream, false);
  });

  test('a transfer coding besides chunked is refused, because its body would arrive without its name', () => {
    for (const value of ['gzip, chunked', 'identity', 'chunked, chunked', '']) {
      const built = plain.build(['Transfer-Encoding', value]);
      assert.equal(built.kind === 'refused' && built.code, 'upstream_invalid', value);
    }
  });

  test('a challenge that authenticates the connection is refused', () => {
    for (const value of [
      'NTLM',
      'Negotiate',
      'negotiate YII=',
      'NTLM TlRM',
      'Basic realm="x", NTLM',
      'Digest a=b,Negotiate',
    ]) {
      const built = plain.build(['WWW-Authenticate', value]);
      assert.equal(built.kind === 'refused' && built.code, 'upstream_ntlm', value);
    }
    for (const value of ['Basic realm="NTLM"', 'Bearer error="negotiate"', 'NTLMX', 'Basic realm="say negotiate"']) {
      assert.deepEqual(seen(plain, ['WWW-Authenticate', value]), ['WWW-Authenticate', value]);
    }
  });

  test('the upstream cannot set the gate’s own cookies', () => {
    const headers = seen(
      plain,
      ['Set-Cookie', '__Host-portcullis=evil; Path=/; Secure'],
      ['set-cookie', '__Secure-portcullis-login-x=1'],
      ['Set-Cookie', 'app=1'],
    );
    assert.deepEqual(headers, ['Set-Cookie', 'app=1']);
  });
});

describe('what a signed-in user gets is nobody else’s', () => {
  const cases: [string, string][] = [
    ['public, max-age=60', 'private, max-age=60'],
    ['max-age=60', 'private, max-age=60'],
    ['PUBLIC, S-MaxAge=10, max-age=5', 'private, max-age=5'],
    ['no-store', 'no-store'],
    ['no-cache, no-store, must-revalidate', 'no-cache, no-store, must-revalidate'],
    ['no-store, s-maxage=9', 'no-store'],
    ['private', 'private'],
    ['private="Set-Cookie", max-age=5', 'private, max-age=5'],
    ['private, public', 'private'],
    ['', 'private'],
    ['no-cache="a, public", max-age=1', 'private, no-cache="a, public", max-age=1'],
  ];
  for (const [sent, kept] of cases) {
    test(`Cache-Control: ${sent} becomes ${kept}`, () => assert.equal(privateCacheControl(sent), kept));
  }

  test('without Cache-Control and Vary both are added', () => {
    assert.deepEqual(seen(session, ['A', '1']), ['A', '1', 'Cache-Control', 'private', 'Vary', 'Cookie']);
  });

  test('LOGOUT-06 a page of which the upstream says nothing is kept by no browser', () => {
    for (const type of ['text/html', 'Text/HTML; charset=utf-8', 'application/xhtml+xml']) {
      assert.ok(seen(session, ['Content-Type', type]).includes('private, no-store'), type);
      assert.ok(!seen(plain, ['Content-Type', type]).includes('Cache-Control'));
    }
    const said = seen(session, ['Content-Type', 'text/html'], ['Cache-Control', 'max-age=60']);
    assert.ok(said.includes('private, max-age=60'), 'what it says counts');
    for (const type of ['text/html5', 'image/png', 'application/json']) {
      assert.ok(seen(session, ['Content-Type', type]).includes('private'), type);
    }
  });

  test('every Cache-Control line is made private', () => {
    const headers = seen(
      session,
      ['Cache-Control', 'public'],
      ['cache-control', 's-maxage=3'],
      ['Vary', 'accept, COOKIE'],
    );
    assert.deepEqual(headers, ['Cache-Control', 'private', 'cache-control', 'private', 'Vary', 'accept, COOKIE']);
  });

  test('Vary: * is enough', () => {
    assert.deepEqual(seen(session, ['Vary', '*'], ['Cache-Control', 'private']), [
      'Vary',
      '*',
      'Cache-Control',
      'private',
    ]);
  });

  test('what shared caches obey before Cache-Control is removed', () => {
    const headers = seen(
      session,
      ['CDN-Cache-Control', 'max-age=60'],
      ['Cloudflare-CDN-Cache-Control', 'max-age=60'],
      ['Surrogate-Control', 'max-age=60'],
      ['X-Accel-Expires', '60'],
    );
    assert.deepEqual(headers, ['Cache-Control', 'private', 'Vary', 'Cookie']);
  });

  test('a public route’s caching is the upstream’s affair', () => {
    const pairs = ['Cache-Control', 'public, max-age=60', 'Surrogate-Control', 'max-age=1'];
    assert.deepEqual(seen(plain, ['Cache-Control', 'public, max-age=60'], ['Surrogate-Control', 'max-age=1']), pairs);
  });
});

describe('the upstream’s own address', () => {
  const cases: [string, string][] = [
    ['http://wiki:3000', 'https://wiki.example'],
    ['http://wiki:3000/a?b#c', 'https://wiki.example/a?b#c'],
    ['http://wiki:3000?x', 'https://wiki.example?x'],
    ['http://wiki:30001/', 'http://wiki:30001/'],
    ['http://wiki:3000@evil/', 'http://wiki:3000@evil/'],
    ['http://wiki:3000.evil/', 'http://wiki:3000.evil/'],
    ['http://wiki:3000\\@evil', 'http://wiki:3000\\@evil'],
    ['http://wiki/', 'http://wiki/'],
    ['https://wiki:3000/', 'https://wiki:3000/'],
    ['//other', '//other'],
    ['/path', '/path'],
    ['http://upstream@evil', 'http://upstream@evil'],
    ['http://elsewhere.example/http://wiki:3000/', 'http://elsewhere.example/http://wiki:3000/'],
  ];
  for (const [sent, kept] of cases) {
    test(`Location: ${sent} becomes ${kept}`, () =>
      assert.deepEqual(seen(rewriting, ['Location', sent]), ['Location', kept]));
  }

  test('Content-Location is rewritten too, and nothing where rewriting is off', () => {
    assert.deepEqual(seen(rewriting, ['content-location', 'http://wiki:3000/x']), [
      'content-location',
      'https://wiki.example/x',
    ]);
    assert.deepEqual(seen(plain, ['Location', 'http://wiki:3000/x']), ['Location', 'http://wiki:3000/x']);
  });

  test('the default port may be written out', () => {
    const policy = new ResponseHeaderPolicy({
      ownCookies: OWN,
      cache: 'as the upstream says',
      rewrite: { upstreamOrigins: ['http://wiki'], publicOrigin: 'https://wiki.example', strippedPrefix: '/w' },
    });
    assert.deepEqual(seen(policy, ['Location', 'http://wiki:80/x']), ['Location', 'https://wiki.example/w/x']);
    assert.deepEqual(seen(policy, ['Location', 'http://wiki/x']), ['Location', 'https://wiki.example/w/x']);
    assert.deepEqual(seen(policy, ['Location', 'http://wiki:8080/x']), ['Location', 'http://wiki:8080/x']);
  });

  const mounted = new ResponseHeaderPolicy({
    ownCookies: OWN,
    cache: 'as the upstream says',
    rewrite: { upstreamOrigins: ['http://wiki:3000'], publicOrigin: 'https://wiki.example', strippedPrefix: '/é/w' },
  });

  for (const [name, sent, kept] of [
    ['Location', '/login?next=/a', '/%C3%A9/w/login?next=/a'],
    ['Location', '/', '/%C3%A9/w/'],
    ['Location', 'login', 'login'],
    ['Location', '?page=2', '?page=2'],
    ['Location', '//other/x', '//other/x'],
    ['Location', 'http://wiki:3000', 'https://wiki.example/%C3%A9/w'],
    ['Location', 'http://[::1', 'http://[::1'],
    ['Content-Location', '/a', '/%C3%A9/w/a'],
    ['Refresh', '5', '5'],
    ['Refresh', '0; url=/next', '0; url=/%C3%A9/w/next'],
    ['Refresh', "1.5 ,URL = 'http://wiki:3000/next'", "1.5 ,URL = 'https://wiki.example/%C3%A9/w/next'"],
    ['Refresh', '0;http://wiki:3000/next', '0;https://wiki.example/%C3%A9/w/next'],
    ['Refresh', '0; url=https://other/next', '0; url=https://other/next'],
    ['Refresh', 'soon; url=/next', 'soon; url=/next'],
    ['Set-Cookie', 'a=/; Path=/', 'a=/; Path=/%C3%A9/w'],
    ['Set-Cookie', 'a=1; path=/app/; Secure', 'a=1; path=/%C3%A9/w/app/; Secure'],
    ['Set-Cookie', 'a=1; Domain=wiki; Path=x', 'a=1; Path=x'],
    ['Set-Cookie', '__Host-a=1; Secure; Path=/', '__Host-a=1; Secure; Path=/'],
    ['Set-Cookie', ';;=; path', ';;=; path'],
  ] as const) {
    test(`behind a stripped prefix, ${name}: ${sent} becomes ${kept}`, () =>
      assert.deepEqual(seen(mounted, [name, sent]), [name, kept]));
  }

  test('a Refresh to the upstream’s origin goes to the public one', () => {
    assert.deepEqual(seen(rewriting, ['refresh', '3; url=http://wiki:3000/x']), [
      'refresh',
      '3; url=https://wiki.example/x',
    ]);
    assert.deepEqual(seen(plain, ['refresh', '3; url=http://wiki:3000/x']), ['refresh', '3; url=http://wiki:3000/x']);
  });

  test('a cookie for the upstream’s host name becomes one for the public host', () => {
    assert.deepEqual(seen(rewriting, ['Set-Cookie', 'a=1; Domain=wiki; Path=/']), ['Set-Cookie', 'a=1; Path=/']);
    assert.deepEqual(seen(rewriting, ['Set-Cookie', 'a=1; domain = .WIKI']), ['Set-Cookie', 'a=1']);
    assert.deepEqual(seen(rewriting, ['Set-Cookie', 'a=1; Domain=wiki.example']), [
      'Set-Cookie',
      'a=1; Domain=wiki.example',
    ]);
  });
});

function pick({ contentLength, chunked, eventStream }: ResponseHead): object {
  return { contentLength, chunked, eventStream };
}

// Where a user goes after sign-in: every trick of the catalogue's open-redirect rows (RED-01 to RED-09) and a fuzz whose
// oracle is the WHATWG URL parser (RED-12).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_RETURN_ADDRESS_LENGTH, safeReturnAddress } from '../../../src/access/return-address.ts';

const ORIGIN = 'https://app.example';
const ROOT = `${ORIGIN}/`;
const safe = (raw: string | undefined) => safeReturnAddress(raw, ORIGIN, '/_gate');

const REFUSED: Readonly<Record<string, readonly string[]>> = {
  'RED-01': [
    '//evil.com',
    '/\\evil.com',
    '\\\\evil.com',
    'https:///evil.com',
    '///evil.com',
    '\\/evil.com',
    '/\\/evil.com',
  ],
  'RED-02': [
    '/.//evil.com',
    '/a/..//evil.com',
    '/%2e//evil.com',
    '/%2e%2e//evil.com',
    '/..//evil',
    '/%2f%2fevil.com',
    '/x;/..//evil.com',
  ],
  'RED-03': [
    '/\t/evil.com',
    '/\n/evil.com',
    ' //evil.com',
    '\u0000//evil',
    'ht\ntps://evil',
    '/%09/evil.com',
    '/%0a/evil',
    '/\u2028/evil',
    '/\u0085/evil',
  ],
  'RED-04': [
    'https://app.example@evil.com',
    'https://app.example%2eevil.com',
    'https://app.example.evil.com',
    'https://evil.com#@app.example',
    'https://app.example\\@evil.com',
    'https://app.example:444',
    'https://app.example.',
    'https://user@app.example/',
    'https://user:pw@app.example/x',
    'https://@app.example/x',
    'http://app.example/',
    'https://evil.com/https://app.example',
    'https://xapp.example/',
    'https://app。example/',
  ],
  'RED-05': [
    'javascript:alert(1)',
    'data:text/html,x',
    'https:evil.com',
    'https:/evil.com',
    'blob:https://app.example/x',
    'about:blank',
    'JaVaScRiPt:x',
    'vbscript:x',
    'ftp://app.example/',
    'evil.com',
    '@evil.com',
    '.evil.com',
    'x',
    '?x',
    '#x',
    '',
  ],
  'RED-06': ['/x\r\nSet-Cookie:a=b', '/x%0d%0aSet-Cookie:a=b'],
  'RED-08': [
    '/_gate',
    '/_gate/logout',
    '/_gate/login?return_to=/',
    '/_gate/callback?code=x&state=y',
    'https://app.example/_gate/logout',
    '/x/../_gate/logout',
    '/x/%2e%2e/_gate/logout',
    '/%5fgate/logout',
    '/_gate%2flogout',
    '//_gate/logout',
    '/_gate;x/logout',
    '/./_gate/',
  ],
  'RED-09': [
    `/${'a'.repeat(MAX_RETURN_ADDRESS_LENGTH)}`,
    `/${'é'.repeat(600)}`,
    `/${'a'.repeat(10_000)}`,
    '/%zz',
    '/%c0%ae',
  ],
};

describe('an address that is not plainly our own becomes the root', () => {
  for (const [id, addresses] of Object.entries(REFUSED)) {
    for (const raw of addresses) {
      it(`${id}: ${JSON.stringify(raw.slice(0, 60))}`, () => assert.equal(safe(raw), ROOT));
    }
  }

  it('no address at all', () => assert.equal(safe(undefined), ROOT));

  it('RED-01: a backslash before the query, which browsers take for a slash', () => {
    for (const raw of ['/a\\b', '/a/\\evil.com', 'https://app.example/\\evil.com']) assert.equal(safe(raw), ROOT, raw);
  });

  it('RED-09: one that would be short only after normalisation', () => {
    assert.equal(safe(`/${'a/../'.repeat(1_000)}kept`), ROOT);
  });

  it('a lone surrogate', () => assert.equal(safe('/\ud800'), ROOT));
});

describe('an address of our own is kept, as an absolute URL in ASCII', () => {
  const KEPT: readonly (readonly [string, string])[] = [
    ['/', '/'],
    ['/wiki/Page?a=b&c=%2F%2Fd#part', '/wiki/Page?a=b&c=%2F%2Fd#part'],
    ['https://app.example/x', '/x'],
    ['HTTPS://APP.example:443/x', '/x'],
    ['https://app.example', '/'],
    ['https://app.example?x', '/?x'],
    ['/wiki/Žofie', '/wiki/%C5%BDofie'],
    ['/a/../b', '/b'],
    ['/a//b', '/a//b'],
    ['/%E5%98%8A%E5%98%8D', '/%E5%98%8A%E5%98%8D'],
    ['/search?next=https://evil.com/&text=a%0d%0ab', '/search?next=https://evil.com/&text=a%0d%0ab'],
    ['/x?path=C:\\temp', '/x?path=C:\\temp'],
    ['/_gatehouse', '/_gatehouse'],
    ['/app/_gate/logout', '/app/_gate/logout'],
    ['/app/page;jsessionid=1', '/app/page;jsessionid=1'],
  ];
  for (const [raw, address] of KEPT) {
    it(raw, () => assert.equal(safe(raw), ORIGIN + address));
  }

  it('on an origin with a port', () => {
    assert.equal(safeReturnAddress('/x', 'http://127.0.0.1:8080', '/_gate'), 'http://127.0.0.1:8080/x');
    assert.equal(safeReturnAddress('http://127.0.0.1/x', 'http://127.0.0.1:8080', '/_gate'), 'http://127.0.0.1:8080/');
  });
});

/** A small generator with a seed, so that a failure can be repeated (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296) * below);
  };
}

describe('RED-12', () => {
  const ATOMS = [
    ...[
      '/',
      '//',
      '\\',
      '.',
      '..',
      '@',
      ':',
      '?',
      '#',
      ';',
      '%',
      '%2f',
      '%5c',
      '%2e',
      '%09',
      '%0d%0a',
      '%00',
      '%40',
      '%25',
    ],
    ...[
      '\t',
      '\n',
      '\r',
      ' ',
      '\u0000',
      '\u00a0',
      '\u2028',
      '\u3002',
      '\uff0f',
      '\uff0e',
      '\ud800',
      'é',
      '[',
      ']',
      '|',
      '^',
    ],
    ...[
      'https:',
      'http:',
      'javascript:',
      'data:',
      'app.example',
      'evil.com',
      ':443',
      ':444',
      'user',
      '_gate',
      'logout',
      'a',
      '1',
    ],
  ];
  const SEEDS = ['', '/', 'https://app.example', 'https://app.example/', '/a/', '//evil.com', '/_gate/x', '/a?b#c'];

  it('100 000 mutated addresses: none leaves our origin, enters the gate, or starts with two slashes', () => {
    const random = randomFrom(20_260_101);
    let kept = 0;
    for (let run = 0; run < 100_000; run++) {
      let raw = SEEDS[random(SEEDS.length)]!;
      for (let count = random(7); count > 0; count--) {
        const at = random(raw.length + 1);
        raw = raw.slice(0, at) + ATOMS[random(ATOMS.length)]! + raw.slice(at);
      }
      const address = safe(raw);
      const resolved = new URL(address, ROOT);
      assert.equal(resolved.origin, ORIGIN, raw);
      assert.match(address, /^https:\/\/app\.example\/[\x21-\x7e]*$/, raw);
      assert.doesNotMatch(resolved.pathname, /^\/[/\\]|^\/_gate(?:\/|$)/, raw);
      assert.equal(resolved.href, address, raw);
      if (address !== ROOT) kept++;
    }
    assert.ok(kept > 5_000, `only ${kept} were kept: the fuzz would prove nothing`);
  });
});

// What Set-Cookie lines of an application do to a jar, and what a request to it carries (RFC 6265bis section 5).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  changesBy,
  cookieHeader,
  type SameSiteContext,
  type SetCookiePlace,
} from '../../../src/session/cookie-rules.ts';

const HOSTS = ['wiki', 'wiki.example.com'];
const at = (target: string, scheme: 'http' | 'https' = 'https'): SetCookiePlace => ({ scheme, target, hosts: HOSTS });

/** A jar as a store keeps it. */
class Jar {
  readonly cookies = new Map<string, string>();

  set(lines: string[], place = at('/')): this {
    for (const [key, cookie] of changesBy([...this.cookies.values()], lines, place)) {
      if (cookie === undefined) this.cookies.delete(key);
      else this.cookies.set(key, cookie);
    }
    return this;
  }

  sent(target = '/', options: { scheme?: 'http' | 'https'; sameSite?: SameSiteContext } = {}): string {
    return cookieHeader([...this.cookies.values()], at(target, options.scheme), options.sameSite ?? 'strict');
  }
}

const jar = (...lines: string[]) => new Jar().set(lines);

describe('a jar', () => {
  it('takes no harm from a domain that is no name', () => {
    for (const domain of ['\xe9 a', '\xe9%', 'xn--\xe9', '\xad']) {
      assert.equal(jar(`a=1; Domain=${domain}`, 'b=2').sent(), 'b=2');
    }
  });

  it('keeps no attribute that nobody knows', () => {
    const [cookie] = jar(`a=1; Junk=${'x'.repeat(10_000)}`).cookies.values();
    assert.ok(cookie!.length < 200);
  });

  it('takes a cookie without SameSite for Lax, as browsers do', () => {
    const held = jar('a=1', 'b=2; SameSite=None; Secure');
    assert.equal(held.sent('/', { sameSite: 'lax' }), 'a=1; b=2');
    assert.equal(held.sent('/', { sameSite: 'none' }), 'b=2');
  });

  it('sends what was set, the longest path first', () => {
    const held = jar('a=1; Path=/', 'b=2; Path=/app; HttpOnly', 'c=3').set(['d=4'], at('/app/login?x=/y/z'));
    assert.equal(held.sent('/app/page?q'), 'b=2; d=4; a=1; c=3');
    assert.equal(held.sent('/apple'), 'a=1; c=3');
    assert.equal(held.sent('/'), 'a=1; c=3');
  });

  it('has one cookie of a name and path, and forgets it when it is told to', () => {
    const held = jar('a=1; Path=/', 'a=2; Path=/', 'a=3; Path=/x');
    assert.equal(held.sent('/x'), 'a=3; a=2');
    assert.equal(held.set(['a=; Path=/; Max-Age=0']).sent('/x'), 'a=3');
    assert.equal(held.set(['a=; Path=/x; Expires=Thu, 01 Jan 1970 00:00:00 GMT']).sent('/x'), '');
    assert.equal(held.cookies.size, 0);
  });

  it('forgets a cookie in its time', async () => {
    const held = jar('a=1; Max-Age=1', 'b=2');
    assert.equal(held.sent(), 'a=1; b=2');
    const later = Date.now() + 1_500;
    while (Date.now() < later) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(held.sent(), 'b=2');
  });

  it('sends Secure cookies where the user’s own connection is secure, whatever the one behind is', () => {
    const held = jar('a=1; Secure', 'b=2');
    assert.equal(held.sent('/', { scheme: 'https' }), 'a=1; b=2');
    assert.equal(held.sent('/', { scheme: 'http' }), 'b=2');
  });

  it('holds SameSite cookies back from other sites’ requests, as a browser would', () => {
    const held = jar('n=1; SameSite=None; Secure', 'l=1; SameSite=Lax', 's=1; SameSite=Strict');
    assert.equal(held.sent('/', { sameSite: 'strict' }), 'n=1; l=1; s=1');
    assert.equal(held.sent('/', { sameSite: 'lax' }), 'n=1; l=1');
    assert.equal(held.sent('/', { sameSite: 'none' }), 'n=1');
  });

  it('takes the application’s own host and the public one, and what is above them, for a Domain; nothing else', () => {
    for (const domain of ['wiki', 'wiki.example.com', '.example.com', 'WIKI.EXAMPLE.COM']) {
      assert.equal(jar(`a=1; Domain=${domain}`).sent(), 'a=1', domain);
    }
    for (const domain of ['evil.com', 'evil.example.com', 'xwiki.example.com', 'wiki.example.com.evil.com', 'a.wiki']) {
      assert.equal(jar(`a=1; Domain=${domain}`).sent(), '', domain);
    }
  });

  it('holds __Host- and __Secure- to what they promise', () => {
    assert.equal(jar('__Host-a=1; Path=/', '__Host-a=2; Secure; Path=/x', '__Secure-b=1').cookies.size, 0);
    assert.equal(jar('__Host-a=1; Secure; Path=/', '__Secure-b=1; Secure').sent(), '__Host-a=1; __Secure-b=1');
  });

  it('refuses what is no cookie or too large for one, and is none the worse for it', () => {
    const big = 'x'.repeat(4096);
    const held = jar(
      '',
      ';',
      '=',
      '=v',
      'a',
      'b\u0000=1',
      `c=${big}`,
      `d=1; Path=/${big}`,
      `e=${'y'.repeat(4000)}`,
      'f=1',
    );
    assert.equal(held.sent(), `e=${'y'.repeat(4000)}; f=1`);
  });

  it('is bounded in number and in size; the oldest go, and the answer’s own last ones stay', () => {
    const held = new Jar();
    for (let n = 0; n < 5; n++) held.set(Array.from({ length: 1_000 }, (_, i) => `c${n * 1000 + i}=1`));
    assert.ok(held.cookies.size <= 50);
    assert.ok(held.sent().endsWith('c4999=1'));
    const heavy = new Jar();
    for (let n = 0; n < 50; n++) heavy.set([`h${n}=${'x'.repeat(4000)}`]);
    assert.ok(heavy.sent().length <= 33 * 1024, `${heavy.sent().length}`);
    assert.ok(heavy.sent().includes('h49='));
  });

  it('of thousands of lines takes no long turn', () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `name-${n}=1; Path=/${n}`);
    const held = new Jar();
    const started = process.cpuUsage();
    held.set(lines);
    const { user, system } = process.cpuUsage(started);
    assert.ok((user + system) / 1000 < 100, `${(user + system) / 1000} ms of processor time`);
  });

  it('takes odd targets for what they are: paths', () => {
    const held = jar('a=1; Path=/');
    for (const target of ['//evil.example/x', '/%', '/a\\b', '/?@evil', '/:80/', '/\u00e9'])
      assert.equal(held.sent(target), 'a=1', target);
  });
});

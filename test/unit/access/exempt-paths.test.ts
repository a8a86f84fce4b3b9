// Exempt paths: only what every reader takes for one.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { compileExemptPaths } from '../../../src/access/exempt-paths.ts';

const isExempt = compileExemptPaths(['/api', '/app/feed', '/caf\u00e9']);

describe('exempt paths', () => {
  for (const target of ['/api', '/api/', '/api/a/b?x=/../', '/api?x', '/api/a;b=c/d', '/api//a', '/caf%C3%A9/x']) {
    test(`${target} is one`, () => assert.equal(isExempt(target, {}), true));
  }

  for (const target of [
    ...['/', '/apis', '/API', '/x/api', '/app', '/x/../api', '/api/../x', '/api/..;/x', '/api/%2e%2e/x', '/api%2Fx'],
    ...['/api/a#b', '/api/a%', '/;x/api', '/api/..\\x'],
  ]) {
    test(`${target} is none`, () => assert.equal(isExempt(target, {}), false));
  }

  test('behind a stripped prefix they are read as the application reads them', () => {
    const route = { path: '/app', stripPrefix: true };
    assert.equal(isExempt('/app/feed/a;b', route), true);
    assert.equal(isExempt('/app/feed/a;b', { path: '/app/' }), true);
    assert.equal(isExempt('/%61pp/feed/a', route), false);
    // It ends there as a whole, and at /app/feed/a behind the prefix, which is /app/app/feed/a.
    assert.equal(isExempt('/app/feed/../../app/feed/a', { path: '/app' }), true);
    assert.equal(isExempt('/app/feed/../../app/feed/a', route), false);
    // `new URL('//x/y', base)` has the path /y.
    assert.equal(isExempt('/app//feed/a', route), false);
  });

  test('of which there are none exempt nothing', () => {
    assert.equal(compileExemptPaths([])('/', {}), false);
  });

  test('one of / exempts whatever can be read', () => {
    assert.equal(compileExemptPaths(['/'])('/a/../b', {}), true);
    assert.equal(compileExemptPaths(['/'])('/a%', {}), false);
  });
});

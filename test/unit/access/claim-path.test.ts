// Claims by dotted path (design: config.md, `claims`).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimAt, parseClaimPath, textsOf } from '../../../src/access/claim-path.ts';

describe('claim paths', () => {
  it('a dot separates, a backslash makes it part of the name', () => {
    assert.deepEqual(parseClaimPath('a'), ['a']);
    assert.deepEqual(parseClaimPath('a.b\\.c.d'), ['a', 'b.c', 'd']);
    assert.deepEqual(parseClaimPath('a\\\\.b'), ['a\\', 'b']);
    assert.deepEqual(parseClaimPath('https://x\\.example/roles'), ['https://x.example/roles']);
  });

  for (const text of ['', '.', 'a.', '.a', 'a..b', 'a\\', 'a\\b']) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseClaimPath(text), undefined));
  }

  it('only own properties of objects are claims', () => {
    for (const path of [
      ['__proto__'],
      ['constructor'],
      ['toString'],
      ['a', 'length'],
      ['b', '0'],
      ['b', 'length'],
      ['c', 'x'],
    ]) {
      assert.equal(claimAt({ a: 'text', b: ['x'], c: null }, path), undefined, path.join('.'));
    }
    assert.equal(claimAt(JSON.parse('{"__proto__":{"a":1}}') as Record<string, unknown>, ['__proto__', 'a']), 1);
  });

  it('texts of a claim: its own or those of its entries', () => {
    assert.deepEqual(textsOf('a'), ['a']);
    assert.deepEqual(textsOf(['a', 1, true, null, {}, ['b'], Number.NaN]), ['a', '1', 'true']);
    assert.deepEqual(textsOf(undefined), []);
  });
});

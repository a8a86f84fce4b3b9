// The readings of a path, exactly (design: decided.md, "a path that isn't canonical").

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pathReadings, plainPathEnd, targetBehindPrefix } from '../../../src/access/path-readings.ts';

function readings(target: string): readonly string[] {
  const result = pathReadings(target);
  assert.ok(result.kind === 'readings', result.kind === 'bad' ? result.why : '');
  return [...result.paths].sort();
}

describe('readings', () => {
  const EXACT: readonly (readonly [string, readonly string[]])[] = [
    ['/a/b?c//d', ['/a/b']],
    ['/a%20b/%C3%9C', ['/a b/Ü']],
    ['/\u00c3\u009c', ['/Ü']],
    ['/a//b', ['/a//b', '/a/b']],
    ['/a/./b', ['/a/./b', '/a/b']],
    ['/a/b/..', ['/a/', '/a/b/..']],
    ['/a/b/.', ['/a/b/', '/a/b/.']],
    ['/..', ['/', '/..']],
    ['/a;x=1/b;y', ['/a/b', '/a;x=1/b;y']],
    ['/a\\b', ['/a/b', '/a\\b']],
    ['/%61', ['/%61', '/a']],
    ['/a%40b', ['/a%40b', '/a@b']],
    ['/a%2fb', ['/a%2fb', '/a/b']],
    ['/%2561', ['/%2561', '/%61']],
    ['/a%3fb', ['/a', '/a%3fb', '/a?b']],
    ['/a%23b', ['/a', '/a#b', '/a%23b']],
    ['/a%3Bb', ['/a', '/a%3Bb', '/a;b']],
    ['//a/b', ['//a/b', '/a/b', '/b']],
    ['/a/%2e%2e/b', ['/a/%2e%2e/b', '/a/../b', '/b']],
  ];
  for (const [target, expected] of EXACT) {
    it(`${target} reads as ${expected.join(' ')}`, () => assert.deepEqual(readings(target), [...expected].sort()));
  }

  it('a plain path is found by the quick check exactly when it has one reading and is its own', () => {
    const atoms = [
      '/',
      '.',
      '..',
      'a',
      '%61',
      '%20',
      '%2f',
      ';',
      '\\',
      '//',
      '?',
      '#',
      '-',
      '~',
      'é',
      ' ',
      '@',
      '%',
      '\t',
    ];
    let plain = 0;
    for (const a of atoms) {
      for (const b of atoms) {
        for (const c of atoms) {
          for (const d of atoms) {
            const target = `/${a}${b}${c}${d}`;
            const end = plainPathEnd(target);
            const all = pathReadings(target);
            if (end === -1) continue;
            plain++;
            assert.ok(all.kind === 'readings' && all.canonical, target);
            assert.deepEqual(all.paths, [target.slice(0, end)], target);
          }
        }
      }
    }
    assert.ok(plain > 500);
  });

  it('every reading begins with a slash', () => {
    for (const target of ['/;x/..//a', '/..%2f/x;', '/%2f%2e%2e%5c;']) {
      for (const path of readings(target)) assert.equal(path[0], '/');
    }
  });

  it('a path that can be read in too many ways is refused rather than computed', () => {
    const result = pathReadings('/%2e%2f%5cb;xadmin%5c..;///%3f%2e/../;a\\.%5c//%2f..%3b/x/./%23');
    assert.equal(result.kind, 'bad');
  });

  it('a long path of any shape is read in a few milliseconds', () => {
    for (const part of [
      '//',
      '/..',
      '/;a',
      '/%2e%2e',
      '\\',
      '/%2f',
      '/a/../b;c%2f',
      '/./%61//\\;x',
      '/..;/%5c.%2e',
      '%25',
      '%C3%9C',
    ]) {
      const target = `/${part.repeat(Math.floor(8_000 / part.length))}`;
      const began = performance.now();
      pathReadings(target);
      assert.ok(performance.now() - began < 50, `${part}: ${performance.now() - began} ms`);
    }
  });
});

describe('what strip_prefix forwards', () => {
  const CASES: readonly (readonly [string, string, string])[] = [
    ['/app/x?y=/z', '/app', '/x?y=/z'],
    ['/app', '/app', '/'],
    ['/app?y', '/app', '/?y'],
    ['/app/', '/app', '/'],
    ['/a/b/c', '/a/b', '/c'],
    ['/%C3%9C/x', '/Ü', '/x'],
    ['/app//x', '/app', '//x'],
    ['/x/y', '', '/x/y'],
  ];
  for (const [target, prefix, rest] of CASES) {
    it(`${target} behind ${prefix || '/'} is ${rest}`, () => assert.equal(targetBehindPrefix(target, prefix), rest));
  }
});

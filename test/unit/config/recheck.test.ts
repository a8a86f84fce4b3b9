// `session.recheck` in the file.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BASE, configOf, ROUTES, refuses } from './load-text.ts';

const file = (keys: string) => `${BASE.replace(/ }\n$/, `, ${keys} }\n`)}${ROUTES}`;

describe('session.recheck', () => {
  it('is off, and has defaults where it is on', () => {
    assert.equal(configOf(file('recheck: null')).session.recheck, undefined);
    assert.deepEqual(configOf(file('recheck: {}')).session.recheck, { afterMs: 900_000, exemptPaths: [] });
    assert.deepEqual(configOf(file('recheck: { after: 10s, exempt_paths: [/api/, /feed] }')).session.recheck, {
      afterMs: 10_000,
      exemptPaths: ['/api', '/feed'],
    });
  });

  const rows: [what: string, keys: string, expected: { path: string; message: RegExp; cure: RegExp }][] = [
    [
      'an age at which nearly every page would be sent round',
      'recheck: { after: ▸9s }',
      { path: 'session.recheck.after', message: /at nearly every page/, cure: /at least 10s/ },
    ],
    [
      'an age that no session reaches',
      'recheck: { after: ▸10h }',
      { path: 'session.recheck.after', message: /before it is rechecked/, cure: /less than session.absolute_timeout/ },
    ],
    [
      'a path that is read in several ways',
      'recheck: { exempt_paths: [/api, ▸/a/../b] }',
      { path: 'session.recheck.exempt_paths[1]', message: /dot segment/, cure: /leads to/ },
    ],
  ];
  for (const [what, keys, expected] of rows) it(`refuses ${what}`, () => refuses(file(keys), expected));
});

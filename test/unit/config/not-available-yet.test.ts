// A key whose capability is not built yet is refused, never ignored.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { notAvailableYet } from '../../../src/config/not-available-yet.ts';
import { BASE, configOf, problemsOf, ROUTES, refuses } from './load-text.ts';

const whole = (keys: string) => `${BASE}${ROUTES}${keys}\n`;

/** For each key of the table: what is refused, marked, and what means the same as leaving it out. */
const cases: Readonly<Record<string, { refused: readonly string[]; harmless?: readonly string[] }>> = {
  'server.workers': {
    refused: [whole('server: { workers: ▸2 }'), whole('server: { workers: ▸auto }')],
    harmless: [whole('server: { workers: 1 }')],
  },
};

describe('a key whose capability is not built yet is refused, never ignored', () => {
  for (const { path } of notAvailableYet) {
    it(path, () => {
      const { refused, harmless = [] } = cases[path] ?? assert.fail(`no case for ${path}`);
      for (const marked of refused) {
        const expected = {
          path: path.replaceAll('[]', '[0]'),
          message: /not available yet/,
          cure: /leave this key out/,
        };
        refuses(marked, expected);
      }
      for (const text of harmless) assert.deepEqual(problemsOf(text), [], text);
    });
  }

  it('every case is in the table', () => {
    assert.deepEqual(Object.keys(cases).sort(), notAvailableYet.map(({ path }) => path).sort());
  });

  it('the defaults of everything are available', () => {
    configOf(whole(''));
  });
});

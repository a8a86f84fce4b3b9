// The configurations of the documentation's pages load as they stand there.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { formatProblem } from '../../../src/config/load-config.ts';
import { documentedConfigs } from '../../apps/documented-config.ts';
import { loadText, SECRET } from './load-text.ts';

const env = {
  CLIENT_SECRET: 'client-secret',
  SESSION_SECRET: SECRET,
  WIKI_PASSWORD: 'a password',
  TOMCAT_PASSWORD: 'a password',
  JUPYTER_TOKEN: 'a-token',
};

describe('the configurations of docs/legacy-apps.md', () => {
  const configs = documentedConfigs();

  it('are one for each application', () => {
    assert.deepEqual([...configs.keys()], ['Django', 'DokuWiki', 'Tomcat', 'Jupyter Server']);
  });

  for (const [heading, text] of configs) {
    it(`${heading} loads, without a warning`, () => {
      const loaded = loadText(text, { env });
      assert.ok('config' in loaded, 'problems' in loaded ? loaded.problems.map(formatProblem).join('\n') : '');
      assert.deepEqual(loaded.warnings.map(formatProblem), []);
    });
  }

  it('the code of its own that the page shows for Django is what its test runs', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/legacy-apps.md'), 'utf8');
    const blocks = Array.from(page.matchAll(/^```python\n(.*?)^```$/gms), ([, text]) => text!);
    const site = join(import.meta.dirname, '../../apps/django');
    assert.equal(blocks[0], readFileSync(join(site, 'gate_user.py'), 'utf8'));
    assert.ok(readFileSync(join(site, 'gated.py'), 'utf8').includes(blocks[1]!));
  });
});

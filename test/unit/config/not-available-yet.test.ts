// A key whose capability is not built yet is refused, never ignored.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { notAvailableYet } from '../../../src/config/not-available-yet.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { BASE, configOf, problemsOf, ROUTES, refuses } from './load-text.ts';

const provider = (keys: string) =>
  `${ROUTES}${BASE}`.replace('client_secret: s3cret }', `client_secret: s3cret, ${keys} }`);
const whole = (keys: string) => `${BASE}${ROUTES}${keys}\n`;

/** For each key of the table: what is refused, marked, and what means the same as leaving it out. */
const cases: Readonly<Record<string, { refused: readonly string[]; harmless?: readonly string[] }>> = {
  'server.workers': {
    refused: [whole('server: { workers: ▸2 }'), whole('server: { workers: ▸auto }')],
    harmless: [whole('server: { workers: 1 }')],
  },
  'provider.client_auth': {
    refused: [provider('client_auth: ▸tls_client_auth')],
    harmless: [provider('client_auth: client_secret_post')],
  },
  'provider.tls': {
    refused: [provider('▸tls: { cert_file: a.crt, key_file: a.key }')],
    harmless: [provider('tls: null')],
  },
};

const { certPem, keyPem } = selfSignedCertificate();
const files = { 'a.crt': certPem, 'a.key': keyPem };

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
        refuses(marked, expected, { files });
      }
      for (const text of harmless) assert.deepEqual(problemsOf(text, { files }), [], text);
    });
  }

  it('every case is in the table', () => {
    assert.deepEqual(Object.keys(cases).sort(), notAvailableYet.map(({ path }) => path).sort());
  });

  it('the defaults of everything are available', () => {
    configOf(whole(''));
  });
});

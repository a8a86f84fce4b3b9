// The examples.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { jsonSchema, schemaText } from '../../../src/config/json-schema.ts';
import { formatProblem } from '../../../src/config/load-config.ts';
import { selfSignedCertificate } from '../../support/self-signed-certificate.ts';
import { BASE, loadText, problemsOf, ROUTES, SECRET } from './load-text.ts';
import { violations } from './schema-violations.ts';

const FOLDER = new URL('../../../config/', import.meta.url);
const EXAMPLES = new URL('examples/', FOLDER);
const names = readdirSync(EXAMPLES).filter((name) => name.endsWith('.yaml'));

const { certPem, keyPem } = selfSignedCertificate();
const files = {
  'tls/server.crt': certPem,
  'tls/server.key': keyPem,
  'tls/client.key': keyPem,
  'tls/ca.crt': certPem,
  'tls/session-secret': `${SECRET}\n`,
};
const env = {
  PUBLIC_URL: 'https://wiki.example.com',
  CLIENT_SECRET: 'client-secret',
  SESSION_SECRET: SECRET,
  ADMIN_TOKEN: 'an-admin-token-that-nobody-guesses',
  ARCHIVE_PASSWORD: 'archive-password',
  REDIS_URL: 'rediss://gate:password@valkey:6379/0',
};

describe('the examples', () => {
  for (const name of names) {
    const text = readFileSync(new URL(name, EXAMPLES), 'utf8');

    it(`${name} loads, without a warning`, () => {
      const loaded = loadText(text, { env, files });
      assert.ok('config' in loaded, 'problems' in loaded ? loaded.problems.map(formatProblem).join('\n') : '');
      assert.deepEqual(loaded.warnings.map(formatProblem), []);
    });

    it(`${name} fits the JSON Schema that it names`, () => {
      assert.match(text, /^# yaml-language-server: \$schema=\.\.\/portcullis\.schema\.json\n/);
      assert.deepEqual(violations(parse(text), jsonSchema()), []);
    });

    it(`${name} holds no secret`, () => {
      assert.doesNotMatch(text, /^\s*(?:client_secret|secret|token|password): (?!\$\{)\S/m);
    });
  }
});

describe('the JSON Schema', () => {
  it('config/portcullis.schema.json is the one that the code makes (npm run schema writes it)', () => {
    assert.equal(readFileSync(new URL('portcullis.schema.json', FOLDER), 'utf8'), schemaText());
  });

  it('describes every key', () => {
    const silent: string[] = [];
    const visit = (schema: unknown, path: string): void => {
      if (typeof schema !== 'object' || schema === null) return;
      for (const [key, value] of Object.entries(schema)) {
        if (key === 'properties' && !path.endsWith('endpoints')) {
          for (const [name, property] of Object.entries(value as Record<string, { description?: string }>)) {
            if (!property.description) silent.push(`${path}.${name}`);
            visit(property, `${path}.${name}`);
          }
        } else if (key !== 'default') visit(value, path);
      }
    };
    visit(jsonSchema(), '');
    assert.deepEqual(silent, []);
  });

  it('finds what the gate would refuse for its shape', () => {
    const wrong: readonly [string, RegExp][] = [
      ['publik_url: x\n', /publik_url/],
      ['server: { listen: 8080 }\n', /server\.listen/],
      ['server: { timeouts: { drain: 30 } }\n', /server\.timeouts\.drain/],
      ['log: { level: loud }\n', /log\.level/],
      ['logout: { revoke_tokens: "yes" }\n', /revoke_tokens/],
    ];
    for (const [more, where] of wrong) {
      const text = `${BASE}${ROUTES}${more}`;
      assert.notEqual(problemsOf(text).length, 0, more);
      assert.match(violations(parse(text), jsonSchema()).join('\n'), where);
    }
  });

  it('lets variables stand for anything', () => {
    const text = `${BASE}${ROUTES}server: { listen: "\${A}", allow_http: "\${B}", workers: "\${C}" }\nlog: { level: "\${D}" }\n`;
    assert.deepEqual(violations(parse(text), jsonSchema()), []);
  });

  it('its defaults are what holds where nothing is written', () => {
    const text = `${BASE}${ROUTES}`;
    const bare = loadText(text);
    const spelledOut = loadText(JSON.stringify(filled(parse(text), jsonSchema())));
    assert.ok('config' in bare);
    assert.ok(
      'config' in spelledOut,
      'problems' in spelledOut ? spelledOut.problems.map(formatProblem).join('\n') : '',
    );
    assert.deepEqual(spelledOut.config, bare.config);
  });
});

type Schema = { default?: unknown; properties?: Record<string, Schema>; items?: Schema };

/** `value` with every default of the schema written out. */
function filled(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value) && schema.items) return value.map((item) => filled(item, schema.items!));
  if (typeof value !== 'object' || value === null || !schema.properties) return value;
  const written = Object.entries(schema.properties).flatMap(([name, property]) => {
    const given = (value as Record<string, unknown>)[name] ?? property.default;
    return given === undefined ? [] : [[name, filled(given, property)]];
  });
  return Object.fromEntries(written);
}

// The rights that are tried out at the start are those that the gate goes on to use: one that is not tried would be missed at the
// first sign-in or end only.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROOT } from '../../support/source-files.ts';

const FOLDER = 'src/session/redis';
const RIGHTS = `${FOLDER}/redis-rights.ts`;
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const found = (text: string, pattern: RegExp): string[] => Array.from(text.matchAll(pattern), ([, name]) => name!);

describe('the rights of the gate’s user', () => {
  const tried = new Set(found(read(RIGHTS), /^try\('([A-Z]+)'/gm));

  test('every command of every script is tried', () => {
    const files = globSync(`${FOLDER}/*-scripts.ts`, { cwd: ROOT });
    const called = new Set(files.flatMap((file) => found(read(file), /redis\.p?call\('([A-Z]+)'/g)));
    assert.ok(called.size > 15);
    assert.deepEqual(
      [...called].filter((name) => !tried.has(name)),
      [],
    );
  });

  test('so is every command that is sent alone', () => {
    const files = ['ends-bus', 'redis-parts', 'redis-records'].map((name) => `${FOLDER}/${name}.ts`);
    const sent = new Set(files.flatMap((file) => found(read(file), /\['([A-Z]+)'/g)));
    assert.ok(sent.size > 5);
    assert.deepEqual(
      [...sent].filter((name) => !tried.has(name)),
      [],
    );
  });
});

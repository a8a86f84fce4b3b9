// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the syntax of the configuration file.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { loadText } from './load-text.ts';

const EXAMPLES = new URL('../../../config/examples/', import.meta.url);
const texts = readdirSync(EXAMPLES)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(new URL(name, EXAMPLES), 'utf8'));

/** A small generator of its own, so that a failure can be repeated from its seed (mulberry32). */
function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const SCRAPS = [
  ...[
    ': ',
    '- ',
    '\n',
    '\n  ',
    '\t',
    '{',
    '}',
    '[',
    ']',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '!x ',
    '|\n',
    '>',
    '%',
    '@',
    '?',
    ',',
  ],
  ...[
    '${',
    '${A}',
    '$${',
    '}',
    'null',
    'true',
    '.nan',
    '-1',
    '1e99',
    '0x1F',
    '<<: *a',
    '__proto__: 1',
    'constructor: 1',
  ],
  ...['\u0000', '\uFEFF', '\u2028', '\uD800', '😀', '../', '//', 'https://', '---\n', '...\n', '/dev/null', '.', ' '],
];

function mangle(text: string, random: (below: number) => number): string {
  let mangled = text;
  for (let edits = 1 + random(4); edits > 0; edits--) {
    const at = random(mangled.length + 1);
    const length = random(12);
    const scrap =
      random(3) === 0 ? mangled.slice(random(mangled.length), random(mangled.length)) : SCRAPS[random(SCRAPS.length)]!;
    mangled = mangled.slice(0, at) + scrap + mangled.slice(random(2) === 0 ? at : at + length);
  }
  return mangled;
}

describe('a mangled file', () => {
  it('never throws: it loads, or every problem has a place, a message and a cure', () => {
    for (let seed = 0; seed < 600; seed++) {
      const random = randomFrom(seed);
      const text = mangle(texts[random(texts.length)]!, random);
      const env = { A: ['', 'x', '0', 'true', '{'][random(5)]! };
      let loaded: ReturnType<typeof loadText>;
      try {
        loaded = loadText(text, { env });
      } catch (error) {
        assert.fail(`seed ${seed}: ${(error as Error).stack}\n${text}`);
      }
      if ('config' in loaded) continue;
      assert.notEqual(loaded.problems.length, 0, `seed ${seed}`);
      const lines = text.split('\n').length;
      for (const { line, column, message, cure } of loaded.problems) {
        assert.ok(line >= 1 && line <= lines + 1 && column >= 1, `seed ${seed}: ${line}:${column}`);
        assert.ok(message.length > 0 && cure.length > 0, `seed ${seed}`);
        assert.doesNotMatch(`${message}${cure}`, /undefined|\[object|NaN/, `seed ${seed}`);
      }
    }
  });

  it('cut off anywhere never throws', () => {
    const [text] = texts;
    for (let end = 0; end < text!.length; end += 7) loadText(text!.slice(0, end));
  });
});

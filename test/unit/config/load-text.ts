// Loads configurations from text, and tests that a mistake is reported where it was marked.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { formatProblem, type LoadResult, loadConfig } from '../../../src/config/load-config.ts';
import type { Config } from '../../../src/config/model.ts';
import type { Problem } from '../../../src/config/problem.ts';

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>>;
  /** Files beside the configuration, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export const SECRET = 'a-session-secret-of-32-bytes-or-more';

/** The smallest file, without its routes. */
export const BASE = `public_url: https://wiki.example.com
provider: { issuer: https://sso.example.com/realms/acme, client_id: wiki-gate, client_secret: s3cret }
session: { secret: ${SECRET} }
`;
export const ROUTES = `routes: [{ upstream: http://wiki:3000 }]
`;

/** Loads `text` as the file `portcullis.yaml` of a folder that lives as long as the load. */
export function loadText(text: string | Buffer, { env = {}, files = {} }: Surroundings = {}): LoadResult {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-config-'));
  try {
    for (const [name, content] of Object.entries({ ...files, 'portcullis.yaml': text })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return loadConfig({ file: join(folder, 'portcullis.yaml'), env });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The configuration of a text without mistakes. */
export function configOf(text: string, surroundings?: Surroundings): Config {
  const loaded = loadText(text, surroundings);
  if ('config' in loaded) return loaded.config;
  assert.fail(loaded.problems.map(formatProblem).join('\n'));
}

/** What is wrong with a text, nothing if it is right. */
export function problemsOf(text: string | Buffer, surroundings?: Surroundings): readonly Problem[] {
  const loaded = loadText(text, surroundings);
  return 'problems' in loaded ? loaded.problems : [];
}

/**
 * The text holds exactly one mistake, at the mark `▸`: reported with that line and column, this path, and words that
 * match.
 */
export function refuses(
  marked: string,
  expected: { path: string; message: RegExp; cure: RegExp },
  surroundings?: Surroundings,
): void {
  const problems = problemsOf(marked.replace('▸', ''), surroundings);
  assert.equal(problems.length, 1, `one problem expected:\n${problems.map(formatProblem).join('\n')}`);
  const [problem] = problems;
  assert.deepEqual({ path: problem!.path, ...placeOf(problem!) }, { path: expected.path, ...markedPlace(marked) });
  assert.match(problem!.message, expected.message);
  assert.match(problem!.cure, expected.cure);
}

/** Line and column of the mark. */
export function markedPlace(marked: string): { line: number; column: number } {
  const lines = marked.slice(0, marked.indexOf('▸')).split('\n');
  return { line: lines.length, column: lines.at(-1)!.length + 1 };
}

function placeOf({ line, column }: Problem): { line: number; column: number } {
  return { line, column };
}

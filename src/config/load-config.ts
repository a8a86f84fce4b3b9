// From the file to the frozen configuration, or to everything that is wrong with it at once (design/config.md).

import { dirname, resolve } from 'node:path';
import { buildConfig } from './build-config.ts';
import { checkAvailability } from './check-availability.ts';
import { crossChecks } from './cross-checks.ts';
import type { Environment } from './expand-variables.ts';
import { keyHomes } from './key-homes.ts';
import type { Reading } from './kind.ts';
import { isNothing, type Located } from './located.ts';
import type { Config } from './model.ts';
import type { Finding, Problem, Report, Spot } from './problem.ts';
import { fileReader, readConfigText } from './read-files.ts';
import { readYaml } from './read-yaml.ts';
import { type ConfigDraft, type ConfigFile, configFile } from './sections/config-file.ts';
import { inOrder, spotOf, spotsOf } from './spots.ts';
import { warnings } from './warnings.ts';

/**
 * The configuration with what is allowed and yet worth saying at every start, or everything that is wrong with it.
 * `files`: the file and every file that it names, whether they could be read or not: what a reload watches.
 */
export type LoadResult = { readonly files: readonly string[] } & (
  | { readonly config: Config; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] }
);

/**
 * Reads and checks the configuration. Problems come in the order of the file, each once. Files that the configuration
 * names are looked for from its own folder. Never throws for anything that is in a file or not there.
 */
export function loadConfig({ file, env }: { readonly file: string; readonly env: Environment }): LoadResult {
  const files = [resolve(file)];
  const found: Problem[] = [];
  const report: Report = ({ path, line, column }, message, cure) => {
    found.push({ file, path, line, column, message, cure });
  };
  const homesOf = (name: string) => keyHomes(configFile.schema, name);
  const pathOf = (name: string) => resolve(dirname(file), name);
  const read = readFrom(file, { report, env, homesOf, pathOf, readFile: fileReader(file, files, report) });
  if (read === undefined) return { problems: inOrder(found), files };
  const { draft, located } = read;
  const spots = spotsOf(located);
  const reportAll = (findings: readonly Finding[]) => {
    for (const { path, message, cure } of findings) report(spotOf(spots, path), message, cure);
  };
  const isWritten = (path: string) => {
    const value = spots.get(path);
    return value !== undefined && !isNothing(value);
  };
  reportAll([...checkAvailability(draft), ...crossChecks(draft, isWritten)]);
  if (found.length > 0) return { problems: inOrder(found), files };
  // Without a problem the draft has no holes.
  const whole = draft as ConfigFile;
  reportAll(warnings(whole));
  return { config: buildConfig(whole), warnings: inOrder(found), files };
}

/** The file's values, and where they stand; undefined where there is nothing to check any further. */
function readFrom(file: string, reading: Reading): { draft: ConfigDraft; located: Located } | undefined {
  const whole: Spot = { path: '', line: 1, column: 1 };
  const text = readConfigText(file);
  if ('wrong' in text) {
    reading.report(whole, text.wrong, text.cure);
    return undefined;
  }
  const located = readYaml(text.text, reading.env, reading.report);
  if (located === undefined) return undefined;
  if (located.kind === 'null') {
    const cure = 'begin with public_url, provider, session and routes; config/examples/ has whole files';
    reading.report(whole, 'the file is empty', cure);
    return undefined;
  }
  const draft = configFile.read(located, reading);
  return draft && { draft, located };
}

/** One line: `file:line:column path: message; cure`. */
export function formatProblem(problem: Problem): string {
  const path = problem.path === '' ? '' : `${problem.path}: `;
  return `${problem.file}:${problem.line}:${problem.column} ${path}${problem.message}; ${problem.cure}`;
}

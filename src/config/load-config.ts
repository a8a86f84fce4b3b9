// From the file to the frozen configuration, or to everything that is wrong with it at once (design/config.md).

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildConfig } from './build-config.ts';
import { checkAvailability } from './check-availability.ts';
import { crossChecks } from './cross-checks.ts';
import type { Environment } from './expand-variables.ts';
import { keyHomes } from './key-homes.ts';
import type { Reading } from './kind.ts';
import type { Located } from './located.ts';
import type { Config } from './model.ts';
import { type Finding, type Problem, parentPath, type Spot } from './problem.ts';

export { formatProblem } from './problem.ts';

import { type Report, readYaml } from './read-yaml.ts';
import { type ConfigDraft, type ConfigFile, configFile } from './sections/config-file.ts';
import { warnings } from './warnings.ts';

export type LoadedConfig =
  | { readonly config: Config /** Allowed, and worth saying at every start. */; readonly warnings: readonly Problem[] }
  | { readonly problems: readonly Problem[] };

/** `files`: the file and every file that it names, whether they could be read or not: what a reload watches. */
export type LoadResult = LoadedConfig & { readonly files: readonly string[] };

/** Larger files are something else that was named by mistake. */
const MOST_BYTES = 1024 * 1024;

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
  const read = readFrom(file, { report, env, homesOf, readFile: fileReader(file, files, report) });
  if (read === undefined) return { problems: inOrder(found), files };
  const { draft, located } = read;
  const spots = spotsOf(located);
  const reportAll = (findings: readonly Finding[]) => {
    for (const { path, message, cure } of findings) report(spotOf(spots, path), message, cure);
  };
  reportAll([...checkAvailability(draft), ...crossChecks(draft, (path) => spots.has(path))]);
  if (found.length > 0) return { problems: inOrder(found), files };
  // Without a problem the draft has no holes.
  const whole = draft as ConfigFile;
  reportAll(warnings(whole));
  return { config: buildConfig(whole), warnings: inOrder(found), files };
}

/** The file's values, and where they stand; undefined where there is nothing to check any further. */
function readFrom(file: string, reading: Reading): { draft: ConfigDraft; located: Located } | undefined {
  const whole: Spot = { path: '', line: 1, column: 1 };
  const text = readText(file);
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

function readText(file: string): { text: string } | { wrong: string; cure: string } {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    const where =
      'name it with -c FILE or PORTCULLIS_CONFIG; else ./portcullis.yaml and then /etc/portcullis/portcullis.yaml are read';
    return { wrong: `the configuration file cannot be read: ${reason(error)}`, cure: where };
  }
  if (bytes.length > MOST_BYTES) return { wrong: 'the file is larger than 1 MiB', cure: 'name the configuration file' };
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return { wrong: 'the file is not UTF-8 text', cure: 'save it as UTF-8' };
  }
}

function fileReader(configFile: string, files: string[], report: Report): Reading['readFile'] {
  return (value) => {
    const path = resolve(dirname(configFile), value.text);
    if (!files.includes(path)) files.push(path);
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      report(value, `the file ${JSON.stringify(value.shown)} cannot be read: ${reason(error)}`, fileCure(error));
      return undefined;
    }
  };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'this user may not read it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
};

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  return REASONS[code] ?? `the system says ${code}`;
}

function fileCure(error: unknown): string {
  if ((error as NodeJS.ErrnoException).code === 'EACCES') return 'let the user that runs the gate read it';
  return "write its whole path, or its path from the configuration file's folder";
}

/** Where each path of the file stands. */
function spotsOf(located: Located, spots = new Map<string, Located>()): Map<string, Located> {
  spots.set(located.path, located);
  if (located.kind === 'list') for (const item of located.items) spotsOf(item, spots);
  if (located.kind === 'map') for (const { value } of located.entries) spotsOf(value, spots);
  return spots;
}

/** The place of `path`, or of the nearest section above it where the key itself is not written. */
function spotOf(spots: ReadonlyMap<string, Located>, path: string): Spot {
  let at = path;
  while (at !== '' && !spots.has(at)) at = parentPath(at);
  const { line, column, kind } = spots.get(at) ?? { line: 1, column: 1, kind: 'map' };
  // A single value where a list may stand is its own first item.
  const named = kind === 'map' || kind === 'list' ? path : at;
  return { path: named, line, column };
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return problems
    .filter(({ line, column, path, message }) => {
      const identity = JSON.stringify([line, column, path, message]);
      return !seen.has(identity) && seen.add(identity);
    })
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

// `-c FILE`, the same for every command that reads the configuration.

import { parseArgs } from 'node:util';
import { environment } from '../config/environment.ts';
import { findConfigFile } from '../config/find-config-file.ts';
import { formatProblem, loadConfig } from '../config/load-config.ts';
import type { Config } from '../config/model.ts';
import { UsageError } from './usage-error.ts';

interface ReadConfig {
  readonly file: string;
  readonly config: Config;
  /** The file and every file that it names. */
  readonly files: readonly string[];
}

/** For a command that has no other option. The checked configuration; undefined after printing every problem. */
export function readConfig(args: readonly string[]): ReadConfig | undefined {
  return readConfigFile(configArgument(args));
}

/** The checked configuration; undefined after printing every problem, one line each, to standard error. */
export function readConfigFile(argument: string | undefined): ReadConfig | undefined {
  const file = findConfigFile({ argument, env: environment() });
  if (file === undefined) {
    console.error(
      'portcullis: there is no configuration: give a file with -c, or write ./portcullis.yaml; config/examples has one per common case',
    );
    return undefined;
  }
  const loaded = loadConfig({ file, env: environment() });
  if ('config' in loaded) {
    for (const warning of loaded.warnings) console.error(`warning: ${formatProblem(warning)}`);
    return { file, config: loaded.config, files: loaded.files };
  }
  for (const problem of loaded.problems) console.error(formatProblem(problem));
  const count = loaded.problems.length;
  console.error(`portcullis: ${count} ${count === 1 ? 'problem' : 'problems'} in ${file}`);
  return undefined;
}

function configArgument(args: readonly string[]): string | undefined {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: 'string', short: 'c' } } });
    return values.config;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

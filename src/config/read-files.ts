// The configuration file itself, and the files that it names.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Reading } from './kind.ts';
import type { Report } from './problem.ts';

/** Larger files are something else that was named by mistake. */
const MOST_BYTES = 1024 * 1024;

/** The text of the configuration file, or why there is none. */
export function readConfigText(file: string): { text: string } | { wrong: string; cure: string } {
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

/** Reads the files that the configuration names, from its own folder, and notes each in `files`. */
export function fileReader(configFile: string, files: string[], report: Report): Reading['readFile'] {
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

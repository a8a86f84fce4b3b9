// Where the applications of PyPI are: a virtual environment of their own, made once from requirements.txt.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../support/cache-folder.ts';

const REQUIREMENTS = 'test/apps/requirements.txt';

function folder(): string {
  return join(cacheFolder(), 'python-apps');
}

/** A command of the environment, `python` or an application's own. */
export function pythonCommand(name: string): string {
  return join(folder(), 'bin', name);
}

/** Whether it is there. */
export function hasPythonCommand(name: string): boolean {
  return existsSync(pythonCommand(name));
}

/** How to get them. */
export function pythonAppsCure(): string {
  return `apt-get install python3-venv, then python3 -m venv ${folder()} && ${pythonCommand('pip')} install -r ${REQUIREMENTS}`;
}

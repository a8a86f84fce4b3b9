// One run of the real command line, from start to exit.

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const LAUNCHER = fileURLToPath(new URL('../../src/launch.js', import.meta.url));

export interface RunOptions {
  /** Written to a file that is given with -c. */
  readonly config?: object;
  readonly env?: Record<string, string>;
}

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export async function runCommand(args: readonly string[], { config, env }: RunOptions = {}): Promise<Finished> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-'));
  const file = join(folder, 'portcullis.yaml');
  if (config !== undefined) await writeFile(file, JSON.stringify(config));
  const child = spawn(process.execPath, [LAUNCHER, ...args, ...(config === undefined ? [] : ['-c', file])], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const code = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await rm(folder, { recursive: true });
  return { code: await code, stdout, stderr };
}

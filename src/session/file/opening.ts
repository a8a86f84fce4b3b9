// What comes before a process works with the file of sessions: whether it can be written there, and whether it is nobody's.

import { randomBytes } from 'node:crypto';
import { access, constants, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { GatewayError } from '../../base/gateway-error.ts';
import { type Expected, readSessions } from './read-sessions.ts';
import { QUIET_MS, signOf, untilQuiet } from './sign-of-life.ts';

export interface Opening extends Expected {
  /** How long a gate that works with the file may take for its stop. */
  readonly waitMs: number;
  readonly quietMs?: number;
  readonly onWarning: (message: string) => void;
}

/**
 * What the file holds, once no other gate works with it: an end that one has still to hear of must not be undone here.
 * @throws GatewayError `session_file_unusable` where it cannot be read or written, or another gate goes on working with it
 */
export async function openAlone(path: string, opening: Opening): ReturnType<typeof readSessions> {
  try {
    await tryOut(path);
    const read = await readAlone(path, opening);
    await clearUp(path);
    return read;
  } catch (error) {
    throw error instanceof GatewayError ? error : cannotBeUsed(path, error);
  }
}

/**
 * Looks whether the file could be read and written, and changes nothing.
 * @throws GatewayError `session_file_unusable`
 */
export async function lookAtPlace(path: string): Promise<void> {
  try {
    await access(dirname(path), constants.W_OK | constants.X_OK);
    const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    if (there === undefined) return;
    if (there.isDirectory()) throw Object.assign(new Error('a folder'), { code: 'EISDIR' });
    await access(path, constants.R_OK | constants.W_OK);
  } catch (error) {
    throw cannotBeUsed(path, error);
  }
}

/** A name for what is being written, which `clearUp` finds again, of whatever process. */
export function temporaryBeside(path: string): string {
  return `${path}.${randomBytes(9).toString('base64url')}.new`;
}

/** Of an error of the system, for operators. */
export function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown failure';
}

/** Whether files can be made beside it. */
async function tryOut(path: string): Promise<void> {
  const tried = temporaryBeside(path);
  await (await open(tried, 'wx', 0o600)).close();
  await rm(tried);
}

async function readAlone(path: string, opening: Opening): ReturnType<typeof readSessions> {
  const { waitMs, quietMs = QUIET_MS, onWarning } = opening;
  let isTold = false;
  const onChange = (): void => {
    if (!isTold) onWarning(`Another gate works with session.memory.file ${path}: this one waits for it to stop.`);
    isTold = true;
  };
  for (;;) {
    const sign = await signOf(path);
    const read = await readSessions(path, opening);
    if (read === undefined || ('wasStopped' in read && read.wasStopped)) return read;
    const outcome = await untilQuiet(path, { sign, quietMs, waitMs, onChange });
    if (outcome === 'unchanged') return read;
    if (outcome === 'in use') throw inUse(path);
  }
}

/** What a process that died while writing has left goes. */
async function clearUp(path: string): Promise<void> {
  const folder = dirname(path);
  const before = `${basename(path)}.`;
  const left = (await readdir(folder)).filter(
    (name) => name.startsWith(before) && /^.{12}\.new$/.test(name.slice(before.length)),
  );
  for (const name of left) await rm(join(folder, name), { force: true });
}

function inUse(path: string): GatewayError {
  const cure =
    'stop that one first (a deployment that starts the new one before must recreate it instead), give each gate a file of ' +
    'its own, or keep the sessions of both in session.store: redis';
  return unusable(path, 'another gate works with it', cure);
}

function cannotBeUsed(path: string, error: unknown): GatewayError {
  const folder = dirname(path);
  const code = reasonOf(error);
  const rights = `let the user that runs the gate read it and write into ${folder}`;
  const cures: Readonly<Record<string, string>> = {
    ENOENT: `make the folder ${folder}, and ${rights}`,
    EISDIR: 'that is a folder: write the name of a file in it',
    EROFS: `mount ${folder} for writing`,
    ENOSPC: 'make room on that disk',
  };
  return unusable(path, code, `${cures[code] ?? rights}, or name another file`, error);
}

function unusable(path: string, why: string, cure: string, cause?: unknown): GatewayError {
  const message = `session.memory.file ${path} cannot be used (${why}): ${cure}`;
  return new GatewayError('session_file_unusable', { status: 503, message, cause });
}

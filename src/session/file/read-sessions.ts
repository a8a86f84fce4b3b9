// Reads the file of sessions, and believes it as a whole or not at all.

import { open } from 'node:fs/promises';
import type { ByteSeal } from '../../base/byte-seal.ts';
import type { Beginning, SavedEnd, SavedFrame, SavedSession } from './saved-sessions.ts';
import { FrameReader } from './sealed-frames.ts';

export interface ReadSessions {
  readonly now: number;
  readonly sessions: readonly SavedSession[];
  readonly ends: readonly SavedEnd[];
  /** Whether the process that wrote it has stopped in order. */
  readonly wasStopped: boolean;
  /** Where further frames go. */
  readonly goesOn: { readonly fileId: string; readonly next: number; readonly position: number };
}

export interface Expected {
  readonly seal: ByteSeal;
  readonly issuer: string;
  readonly clientId: string;
}

/**
 * What the file holds, `unusable` and why, or undefined where there is none. An end that was being written when the
 * process died is not there; whoever waited for it has had no answer.
 * @throws the system's error where it cannot be read
 */
export async function readSessions(
  path: string,
  expected: Expected,
): Promise<ReadSessions | { readonly unusable: string } | undefined> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const reader = await FrameReader.open(handle, expected.seal);
    if ('wrong' in reader) return { unusable: reader.wrong };
    return await readAll(reader, expected);
  } finally {
    await handle.close();
  }
}

async function readAll(reader: FrameReader, expected: Expected): Promise<ReadSessions | { unusable: string }> {
  const sessions: SavedSession[] = [];
  const ends: SavedEnd[] = [];
  let beginning: Beginning | undefined;
  let isComplete = false;
  let wasStopped = false;
  for (;;) {
    const read = await reader.next();
    if (read === 'sealed otherwise') {
      return { unusable: reader.count === 0 ? 'was sealed with another session.secret, or is damaged' : 'is damaged' };
    }
    if (typeof read === 'string') {
      if (!isComplete || beginning === undefined) return { unusable: 'is cut off' };
      const { fileId, count: next, position } = reader;
      return { now: beginning.now, sessions, ends, wasStopped, goesOn: { fileId, next, position } };
    }
    const frame = read.content as SavedFrame;
    if ('sessions' in frame) sessions.push(...frame.sessions);
    else if ('ends' in frame) ends.push(...frame.ends);
    else if ('beginning' in frame) {
      beginning = frame.beginning;
      if (beginning.issuer !== expected.issuer || beginning.clientId !== expected.clientId) {
        return { unusable: 'has sessions of another provider.issuer or provider.client_id' };
      }
    } else if (frame.mark === 'complete') isComplete = true;
    wasStopped = 'mark' in frame && frame.mark === 'stopped';
  }
}

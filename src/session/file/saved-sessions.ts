// What the file says: sessions with their cookies, and the memory of ends.

import type { MemoryJarStore, SavedJars } from '../memory-jar-store.ts';
import type { MemorySessionStore } from '../memory-session-store.ts';
import type { SessionRecord } from '../session-record.ts';

export interface SavedSession {
  readonly record: SessionRecord;
  readonly lastSeenAt: number;
  readonly jars: SavedJars;
}

/** Its name, when it arrived, and what it refuses. */
export type SavedEnd = readonly [name: string, arrivedAt: number, issuedBeforeSeconds: number];

/** Whose sessions they are, and the store's time. */
export interface Beginning {
  readonly issuer: string;
  readonly clientId: string;
  readonly now: number;
}

/**
 * `complete`: everything there was at that moment stands before; what follows are the ends that came later. `running`: a process
 * has begun to work with what stands before; `stopped`: it has stopped, and nothing has changed since.
 */
export type SavedFrame =
  | { readonly beginning: Beginning }
  | { readonly sessions: readonly SavedSession[] }
  | { readonly ends: readonly SavedEnd[] }
  | { readonly mark: 'complete' | 'running' | 'stopped' };

/** As much as is made in one go: more would hold other users up. */
const FRAME_CHARACTERS = 256 * 1024;
const ENDS_PER_FRAME = 2_000;

/** A frame as it stands in the file before it is sealed. */
export function frameText(frame: SavedFrame): string {
  return JSON.stringify(frame);
}

/**
 * All that `store` and `jars` hold, as texts of frames: each session is made text once, for its size as for the file. They may
 * change between two frames: ends that come meanwhile are the caller's.
 */
export function* framesOf(store: MemorySessionStore, jars: MemoryJarStore): Generator<string> {
  let sessions: string[] = [];
  let characters = 0;
  for (const session of store.sessions()) {
    const { record, lastSeenAt } = session;
    // A bearer token is shown again; and what the provider cannot be asked about must not come back.
    if (session.ended || record.kind === 'bearer' || record.tokens.refreshToken === undefined) continue;
    const saved: SavedSession = { record, lastSeenAt, jars: jars.all(session) };
    const text = JSON.stringify(saved);
    sessions.push(text);
    characters += text.length;
    if (characters < FRAME_CHARACTERS) continue;
    yield sessionsText(sessions);
    sessions = [];
    characters = 0;
  }
  yield sessionsText(sessions);
  for (const frame of endFrames(savedEnds(store))) yield frameText(frame);
}

/** As `frameText` of `{ sessions }`. */
function sessionsText(sessions: readonly string[]): string {
  return `{"sessions":[${sessions.join(',')}]}`;
}

function* savedEnds(store: MemorySessionStore): Generator<SavedEnd> {
  for (const [name, { arrivedAt, issuedBeforeSeconds }] of store.ends()) yield [name, arrivedAt, issuedBeforeSeconds];
}

/** However many there are: one frame would be too large for whoever reads it. */
export function* endFrames(all: Iterable<SavedEnd>): Generator<SavedFrame> {
  let ends: SavedEnd[] = [];
  for (const end of all) {
    ends.push(end);
    if (ends.length < ENDS_PER_FRAME) continue;
    yield { ends };
    ends = [];
  }
  yield { ends };
}

/**
 * Whether a session may come back. After a stop that was none, its refresh token may have been sent since, and must not be
 * sent again (decided cases: refresh crash); so it comes back only where the provider can be asked without using the token up.
 */
export function mayComeBack({ probe }: SessionRecord, wasStopped: boolean): boolean {
  return wasStopped || probe === 'introspect';
}

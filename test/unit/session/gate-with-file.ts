// A gate as far as its file of sessions goes, for tests of that.

import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, mock } from 'node:test';
import { Secret } from '../../../src/base/secret.ts';
import { SessionFile, type SessionFileOptions } from '../../../src/session/file/session-file.ts';
import { MemoryJarStore } from '../../../src/session/memory-jar-store.ts';
import { MemorySessionStore } from '../../../src/session/memory-session-store.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aRecord, ISSUER } from '../../support/session-records.ts';

export const OLD = new Secret('the session secret of the year before');
export const NEW = new Secret('the session secret that is new and long');

/** The folder of the test that runs, and the file in it. */
export let folder: string;
export let path: string;
export const running: Gate[] = [];
/** Gives every test of the file a folder of its own, and stops the gates of the one before. */
export function useFolder(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'portcullis-file-'));
    path = join(folder, 'sessions');
  });
  afterEach(async () => {
    mock.restoreAll();
    syncBuiltinESMExports();
    for (const gate of running.splice(0)) await gate.file.stop();
    await rm(folder, { recursive: true, force: true });
  });
}

export type GateOptions = Partial<SessionFileOptions> & { readonly wallMs?: number; readonly maxSessions?: number };

/** A timer can be set for no longer. */
const NEVER_MS = 2 ** 31 - 1;

/** Gives signs of life, and waits for those of others. */
export const ALIVE = { beatMs: 5, quietMs: 200 };

/** What of a gate has to do with the file. One that is not stopped has died, but for one that is ALIVE. */
export class Gate {
  readonly store: MemorySessionStore;
  readonly jars = new MemoryJarStore();
  readonly file: SessionFile;
  readonly warnings: string[] = [];
  restored: readonly StoredSession[] = [];
  leftOut = 0;

  constructor({ wallMs, maxSessions, ...options }: GateOptions) {
    this.store = new MemorySessionStore({
      clock: new ManualClock(wallMs),
      maxSessions: maxSessions ?? 1_000,
      maxSessionLifetimeMs: 10 * 60 * 60_000,
      onMarked: (...end) => this.file.mark(...end),
    });
    this.file = new SessionFile({
      ...{
        path,
        secrets: { current: [OLD] },
        issuer: ISSUER,
        clientId: 'wiki-gate',
        store: this.store,
        jars: this.jars,
      },
      onWarning: (message) => this.warnings.push(message),
      ...{ beatMs: NEVER_MS, quietMs: 1, waitMs: 20_000 },
      ...options,
    });
  }

  static async start(options: GateOptions = {}): Promise<Gate> {
    const gate = new Gate(options);
    running.push(gate);
    const { sessions, leftOut } = await gate.file.restore();
    Object.assign(gate, { restored: sessions, leftOut });
    gate.file.begin();
    return gate;
  }

  signIn(overrides: Partial<SessionRecord> = {}): StoredSession {
    const session = this.store.create(aRecord(this.store.now(), overrides));
    assert.ok(session !== 'ended');
    return session;
  }

  end({ record: { handle } }: StoredSession): void {
    this.store.end({ by: 'handle', handle });
  }

  knows({ record: { id } }: StoredSession): boolean {
    return this.store.find(id) !== undefined;
  }
}

/** A file that a gate with these sessions has left when it was stopped. */
export async function left(options: GateOptions = {}): Promise<readonly StoredSession[]> {
  const gate = await Gate.start(options);
  const sessions = [gate.signIn(), gate.signIn()];
  await gate.file.stop();
  return sessions;
}

/** Until the gate has written everything anew, as it does when it begins. */
export async function written(): Promise<void> {
  while ((await stat(path).catch(() => undefined)) === undefined)
    await new Promise((resolve) => setTimeout(resolve, 2));
}

/** Until there is another file than that. */
export async function anew(ino: number): Promise<void> {
  while ((await stat(path)).ino === ino) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** The next process once the file has these sessions. */
export async function untilKnown(...sessions: readonly StoredSession[]): Promise<Gate> {
  for (;;) {
    await written();
    const gate = new Gate({});
    await gate.file.restore();
    if (sessions.every((session) => gate.knows(session))) {
      gate.file.begin();
      running.push(gate);
      return gate;
    }
  }
}

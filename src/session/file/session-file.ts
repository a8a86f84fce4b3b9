// `session.memory.file`: the sessions of one process, kept for the next one. Everything is written anew when the gate begins and
// stops, and in between once a minute; each end is added in the tick of its mark, before anybody is told of it, so that no
// session that has ended comes back, however the process dies.

import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ByteSeal } from '../../base/byte-seal.ts';
import { GatewayError } from '../../base/gateway-error.ts';
import type { Secret } from '../../base/secret.ts';
import type { Tombstone } from '../end-names.ts';
import type { MemoryJarStore } from '../memory-jar-store.ts';
import type { MemorySessionStore } from '../memory-session-store.ts';
import type { StoredSession } from '../session-record.ts';
import { type ReadSessions, readSessions } from './read-sessions.ts';
import { endFrames, framesOf, frameText, mayComeBack, type SavedEnd, type SavedFrame } from './saved-sessions.ts';
import { FrameSealer } from './sealed-frames.ts';

/** After a crash so much of the users' activity, and so many sign-ins, are missing. */
const EVERY_MS = 60_000;

/** Writing a hundred thousand sessions takes its time: never more than this share of a core. */
const SHARE = 1 / 20;

export interface SessionFileOptions {
  readonly path: string;
  /** The first seals, all open. */
  readonly secrets: readonly Secret[];
  readonly issuer: string;
  readonly clientId: string;
  readonly store: MemorySessionStore;
  readonly jars: MemoryJarStore;
  readonly onWarning: (message: string) => void;
  readonly everyMs?: number;
}

/** What came of the file at the start. */
export interface Restored {
  readonly sessions: readonly StoredSession[];
  /** Sessions of the file that do not come back. */
  readonly leftOut: number;
}

/** The file that ends are added to now. */
interface Journal {
  readonly fd: number;
  readonly frames: FrameSealer;
}

/** One gate's file. */
export class SessionFile {
  readonly #options: SessionFileOptions;
  readonly #seal: ByteSeal;
  #former: ReadSessions['goesOn'] | undefined;
  #isUnusable = false;
  #journal: Journal | undefined;
  /** Ends since the writing of a new file began. */
  #meanwhile: SavedEnd[] | undefined;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasBegun = false;
  #isGone = false;

  constructor(options: SessionFileOptions) {
    this.#options = options;
    this.#seal = new ByteSeal(options.secrets, 'session file');
  }

  /**
   * Puts what the file holds into the store. A file that cannot be used is told of, and the store is empty.
   * @throws GatewayError `session_file_unusable` where it cannot be read or written
   */
  async restore(): Promise<Restored> {
    const { path, store, jars, onWarning } = this.#options;
    let read: Awaited<ReturnType<typeof readSessions>>;
    try {
      await this.#tryOut();
      read = await readSessions(path, { ...this.#options, seal: this.#seal });
    } catch (error) {
      throw cannotBeUsed(path, error);
    }
    if (read === undefined) return { sessions: [], leftOut: 0 };
    if ('unusable' in read) {
      this.#isUnusable = true;
      onWarning(
        `session.memory.file ${path} ${read.unusable}: everybody signs in again; it is kept as ${path}.unusable.`,
      );
      return { sessions: [], leftOut: 0 };
    }
    const { sessions: saved, wasStopped, goesOn } = read;
    this.#former = goesOn;
    const wanted = saved.filter(({ record }) => mayComeBack(record, wasStopped));
    const sessions = store.restore({ ...read, sessions: wanted });
    const jarsOf = new Map(saved.map((session) => [session.record.handle, session.jars]));
    for (const session of sessions) jars.restore(session, jarsOf.get(session.record.handle) ?? []);
    return { sessions, leftOut: saved.length - sessions.length };
  }

  /** From now on it is this process's file: ends are added to it, and it is written anew. */
  begin(): void {
    const { path } = this.#options;
    this.#hasBegun = true;
    try {
      if (this.#former !== undefined) {
        const fd = openSync(path, 'r+');
        ftruncateSync(fd, this.#former.position);
        closeSync(fd);
        this.#journal = { fd: openSync(path, 'a'), frames: new FrameSealer(this.#seal, this.#former) };
        append(this.#journal, { mark: 'running' });
      }
    } catch (error) {
      this.#giveUp(error);
    }
    this.#nextRound(0);
  }

  /** Adds an end, in the tick in which it is marked. Never throws: nothing may hold up an end. */
  mark(name: string, { arrivedAt, issuedBeforeSeconds }: Tombstone): void {
    const end: SavedEnd = [name, arrivedAt, issuedBeforeSeconds];
    this.#meanwhile?.push(end);
    if (this.#journal === undefined) return;
    try {
      append(this.#journal, { ends: [end] });
    } catch (error) {
      this.#giveUp(error);
    }
  }

  /**
   * Writes everything for the next process, where `begin` was called; with `running` where a refresh is under way whose
   * answer will not be in it. Never rejects.
   */
  async stop(mark: 'running' | 'stopped' = 'stopped'): Promise<void> {
    await this.#writing;
    // Only now: a round that ends sets the next one.
    clearTimeout(this.#timer);
    if (this.#hasBegun && !this.#isGone) await this.#write(mark);
    this.#isGone = true;
    this.#close();
  }

  #nextRound(delayMs: number): void {
    if (this.#isGone) return;
    this.#timer = setTimeout(() => {
      const since = performance.now();
      this.#writing = this.#write('running').then(() => {
        this.#writing = undefined;
        this.#nextRound(Math.max(this.#options.everyMs ?? EVERY_MS, (performance.now() - since) / SHARE));
      });
    }, delayMs).unref();
  }

  async #write(mark: 'running' | 'stopped'): Promise<void> {
    const { path, store, jars, issuer, clientId, onWarning } = this.#options;
    const temporary = temporaryBeside(path);
    this.#meanwhile = [];
    try {
      const frames = new FrameSealer(this.#seal, undefined);
      const handle = await open(temporary, 'wx', 0o600);
      try {
        await handle.appendFile(frames.head());
        await handle.appendFile(frames.frame(frameText({ beginning: { issuer, clientId, now: store.now() } })));
        for (const text of framesOf(store, jars)) await handle.appendFile(frames.frame(text));
        await handle.sync();
      } finally {
        await handle.close();
      }
      if (this.#isTakenOver()) {
        this.#isGone = true;
        onWarning(`Another process writes session.memory.file ${path}: this one does not any more. Give each its own.`);
        await rm(temporary, { force: true });
        return;
      }
      this.#put(temporary, frames, mark);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      onWarning(
        `session.memory.file ${path} cannot be written: ${reasonOf(error)}. After a restart users sign in again.`,
      );
    } finally {
      this.#meanwhile = undefined;
    }
  }

  /** In one tick: what came meanwhile, the new file in the place of the old one, and from then on ends go there. */
  #put(temporary: string, frames: FrameSealer, mark: 'running' | 'stopped'): void {
    const { path } = this.#options;
    const journal = { fd: openSync(temporary, 'a'), frames };
    try {
      for (const frame of endFrames(this.#meanwhile ?? [])) append(journal, frame);
      append(journal, { mark: 'complete' });
      append(journal, { mark });
      if (this.#isUnusable) renameSync(path, `${path}.unusable`);
      this.#isUnusable = false;
      renameSync(temporary, path);
    } catch (error) {
      closeSync(journal.fd);
      throw error;
    }
    this.#close();
    this.#journal = journal;
  }

  /** Whether the file in its place is not the one that this process has written last. */
  #isTakenOver(): boolean {
    if (this.#journal === undefined) return false;
    const own = fstatSync(this.#journal.fd);
    const there = statSync(this.#options.path, { throwIfNoEntry: false });
    return there !== undefined && (there.ino !== own.ino || there.dev !== own.dev);
  }

  /** An end could not be added: a file that does not know of it must not be read again. Never throws. */
  #giveUp(error: unknown): void {
    const { path, onWarning } = this.#options;
    const outcome = this.#remove();
    this.#close();
    onWarning(`session.memory.file ${path} ${outcome}, as an end could not be written to it: ${reasonOf(error)}.`);
  }

  /** What became of the file. */
  #remove(): string {
    try {
      if (!this.#isTakenOver()) rmSync(this.#options.path, { force: true });
      return 'was removed';
    } catch (error) {
      try {
        // A folder that nothing can be taken out of; what is open can be emptied still.
        ftruncateSync(this.#journal!.fd);
        return 'was emptied';
      } catch {
        return `must be removed by hand before the next start (${reasonOf(error)})`;
      }
    }
  }

  /** Never throws: what was written before is with the system already. */
  #close(): void {
    const fd = this.#journal?.fd;
    this.#journal = undefined;
    if (fd === undefined) return;
    try {
      closeSync(fd);
    } catch {
      // It is closed all the same.
    }
  }

  /** Whether files can be made beside it; and what a process that died while writing left there goes. */
  async #tryOut(): Promise<void> {
    const { path } = this.#options;
    const folder = dirname(path);
    const before = `${basename(path)}.`;
    const left = (await readdir(folder)).filter(
      (name) => name.startsWith(before) && /^.{12}\.new$/.test(name.slice(before.length)),
    );
    for (const name of left) await rm(join(folder, name), { force: true });
    const tried = temporaryBeside(path);
    await (await open(tried, 'wx', 0o600)).close();
    await rm(tried);
  }
}

/** What `#tryOut` finds again, of whatever process. */
function temporaryBeside(path: string): string {
  return `${path}.${randomBytes(9).toString('base64url')}.new`;
}

function append({ fd, frames }: Journal, frame: SavedFrame): void {
  const bytes = frames.frame(frameText(frame));
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

function reasonOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown failure';
}

function cannotBeUsed(path: string, error: unknown): GatewayError {
  const cure = `let the user that runs the gate read it and write into ${dirname(path)}, or name another file`;
  const message = `session.memory.file ${path} cannot be used (${reasonOf(error)}): ${cure}`;
  return new GatewayError('session_file_unusable', { status: 503, message, cause: error });
}

// `session.memory.file`: the sessions of one process, kept for the next one. Everything is written anew when the gate begins and
// stops, and in between once a minute; each end is added in the tick of its mark, before anybody is told of it, so that no
// session that has ended comes back, however the process dies.

import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { ByteSeal } from '../../base/byte-seal.ts';
import type { SecretsInForce } from '../../base/secret.ts';
import type { Tombstone } from '../end-names.ts';
import type { MemoryJarStore } from '../memory-jar-store.ts';
import type { MemorySessionStore } from '../memory-session-store.ts';
import type { StoredSession } from '../session-record.ts';
import { openAlone, reasonOf, temporaryBeside } from './opening.ts';
import type { ReadSessions } from './read-sessions.ts';
import { endFrames, framesOf, frameText, mayComeBack, type SavedEnd, type SavedFrame } from './saved-sessions.ts';
import { FrameSealer } from './sealed-frames.ts';
import { BEAT_MS, giveSign } from './sign-of-life.ts';

/** After a crash so much of the users' activity, and so many sign-ins, are missing. */
const EVERY_MS = 60_000;

/** Writing a hundred thousand sessions takes its time: never more than this share of a core. */
const SHARE = 1 / 20;

export interface SessionFileOptions {
  readonly path: string;
  readonly secrets: SecretsInForce;
  readonly issuer: string;
  readonly clientId: string;
  readonly store: MemorySessionStore;
  readonly jars: MemoryJarStore;
  readonly onWarning: (message: string) => void;
  /** How long a gate that works with the file may take for its stop. */
  readonly waitMs: number;
  readonly everyMs?: number;
  readonly beatMs?: number;
  readonly quietMs?: number;
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
  #beats: NodeJS.Timeout | undefined;
  /** The secret has changed during a round. */
  #isStale = false;
  #hasBegun = false;
  #isGone = false;

  constructor(options: SessionFileOptions) {
    this.#options = options;
    this.#seal = new ByteSeal(options.secrets, 'session file');
  }

  /**
   * Puts what the file holds into the store. A file that cannot be used is told of, and the store is empty. One that a gate
   * still works with is waited for.
   * @throws GatewayError `session_file_unusable` where it cannot be read or written, or another gate goes on working with it
   */
  async restore(): Promise<Restored> {
    const { path, store, jars, onWarning } = this.#options;
    const read = await openAlone(path, { ...this.#options, seal: this.#seal });
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
    this.#beats = setInterval(() => this.#beat(), this.#options.beatMs ?? BEAT_MS).unref();
    this.#nextRound(0);
  }

  /** Writes everything soon, with the secret that is the first now: what the former sealed may not open tomorrow. */
  writeAnew(): void {
    if (!this.#hasBegun) return;
    this.#isStale = this.#writing !== undefined;
    if (this.#isStale) return;
    clearTimeout(this.#timer);
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
    clearInterval(this.#beats);
    this.#isGone = true;
    this.#close();
  }

  #nextRound(delayMs: number): void {
    if (this.#isGone) return;
    this.#timer = setTimeout(() => {
      const since = performance.now();
      this.#writing = this.#write('running').then(() => {
        this.#writing = undefined;
        const soonMs = Math.max(this.#options.everyMs ?? EVERY_MS, (performance.now() - since) / SHARE);
        this.#nextRound(this.#isStale ? 0 : soonMs);
        this.#isStale = false;
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
      if (this.#isGone || this.#isTakenOver()) {
        this.#yield();
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

  #beat(): void {
    if (this.#journal === undefined) return;
    try {
      if (this.#isTakenOver()) this.#yield();
      else giveSign(this.#journal.fd);
    } catch {
      // Whatever is wrong there, the next end or the next round says so.
    }
  }

  /** Leaves the file to whoever has it now. */
  #yield(): void {
    const { path, onWarning } = this.#options;
    clearInterval(this.#beats);
    if (this.#isGone) return;
    this.#isGone = true;
    onWarning(`Another process writes session.memory.file ${path}: this one does not any more. Give each its own.`);
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
}

function append({ fd, frames }: Journal, frame: SavedFrame): void {
  const bytes = frames.frame(frameText(frame));
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

// The jars of one process. They hang on the session itself, so that none can outlive it.

import type { JarChanges, JarStore } from './jar-store.ts';
import type { StoredSession } from './session-record.ts';

const NONE: readonly string[] = [];

/** The jars of one session as the file keeps them: names, and cookies by name and path. */
export type SavedJars = readonly (readonly [jar: string, cookies: readonly (readonly [string, string])[]])[];

/** Jars in memory. Nothing here waits or fails. */
export class MemoryJarStore implements JarStore {
  readonly #jars = new WeakMap<StoredSession, Map<string, Map<string, string>>>();

  read(session: StoredSession, jar: string): readonly string[] {
    const cookies = session.ended ? undefined : this.#jars.get(session)?.get(jar);
    return cookies === undefined ? NONE : [...cookies.values()];
  }

  write(session: StoredSession, jar: string, changes: JarChanges): void {
    if (session.ended) return;
    let jars = this.#jars.get(session);
    if (jars === undefined) {
      jars = new Map();
      this.#jars.set(session, jars);
    }
    const cookies = jars.get(jar) ?? new Map<string, string>();
    for (const [key, cookie] of changes) {
      if (cookie === undefined) cookies.delete(key);
      else cookies.set(key, cookie);
    }
    if (cookies.size > 0) jars.set(jar, cookies);
    else jars.delete(jar);
  }

  takeOut(session: StoredSession): ReadonlyMap<string, readonly string[]> {
    const jars = this.#jars.get(session) ?? new Map<string, Map<string, string>>();
    this.#jars.delete(session);
    return new Map(Array.from(jars, ([jar, cookies]) => [jar, [...cookies.values()]]));
  }

  /** All jars of a session, for the file. */
  all(session: StoredSession): SavedJars {
    return Array.from(this.#jars.get(session) ?? [], ([jar, cookies]) => [jar, [...cookies]] as const);
  }

  /** The other way round. */
  restore(session: StoredSession, jars: SavedJars): void {
    for (const [jar, cookies] of jars) this.write(session, jar, new Map(cookies));
  }
}

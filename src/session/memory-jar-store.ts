// The jars of one process. They hang on the session itself, so that none can outlive it.

import type { JarChanges, JarStore } from './jar-store.ts';
import type { StoredSession } from './session-record.ts';

const NONE: readonly string[] = [];

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
}

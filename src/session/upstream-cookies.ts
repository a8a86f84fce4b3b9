// An application's cookies of one session, which its user's browser never sees (design: `cookies: jar`).

import type { MaybePromise } from '../base/maybe-promise.ts';
import {
  type CookiePlace,
  changesBy,
  cookieHeader,
  type SameSiteContext,
  type SetCookiePlace,
} from './cookie-rules.ts';
import type { JarStore } from './jar-store.ts';
import type { StoredSession } from './session-record.ts';

/** A request to the application, and the jar that goes with it. */
export interface CookieRequest extends CookiePlace {
  readonly jar: string;
  readonly sameSite: SameSiteContext;
}

/** The answer to one. */
export interface CookieAnswer extends SetCookiePlace {
  readonly jar: string;
}

export class UpstreamCookies {
  readonly #store: JarStore;

  constructor(store: JarStore) {
    this.#store = store;
  }

  /**
   * The Cookie header of a request, '' where none goes with it.
   * @throws GatewayError `store_unavailable`
   */
  header(session: StoredSession, request: CookieRequest): MaybePromise<string> {
    const cookies = this.#store.read(session, request.jar);
    const headerOf = (held: readonly string[]) => cookieHeader(held, request, request.sameSite);
    return cookies instanceof Promise ? cookies.then(headerOf) : headerOf(cookies);
  }

  /**
   * Keeps what the `Set-Cookie` lines of an answer say; undefined: it is done.
   * @throws GatewayError `store_unavailable`
   */
  keep(session: StoredSession, answer: CookieAnswer, lines: readonly string[]): Promise<void> | undefined {
    const cookies = this.#store.read(session, answer.jar);
    const write = (held: readonly string[]) => this.#store.write(session, answer.jar, changesBy(held, lines, answer));
    if (cookies instanceof Promise) return cookies.then(write);
    const written = write(cookies);
    return written instanceof Promise ? written : undefined;
  }
}

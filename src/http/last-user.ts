// Who was signed in last in this browser, once the session is over: a cookie that only the gate can read. It lets nobody in;
// a form is kept for that user alone, and for nobody where it is missing.

import type { Clock } from '../base/clock.ts';
import { type CookieScope, lastUserCookie, readCookie } from './cookies.ts';
import type { TextSeal } from './sealed-text.ts';

/** Somebody who left a form open in the evening sends it in the morning. */
const GOOD_AFTER_SESSION_MS = 24 * 3_600_000;

export interface LastUserOptions {
  readonly seal: TextSeal;
  readonly clock: Clock;
  /** A `sub` means something only beside it. */
  readonly issuer: string;
  readonly absoluteTimeoutMs: number;
}

export class LastUser {
  readonly #options: LastUserOptions;

  constructor(options: LastUserOptions) {
    this.#options = options;
  }

  /** The `Set-Cookie` for whoever has just signed in. */
  remember(scope: CookieScope, sub: string): string {
    const { seal, clock, issuer } = this.#options;
    return lastUserCookie(scope, seal.seal(JSON.stringify([Math.floor(clock.now() / 1000), sub]), issuer));
  }

  /** The `sub` that this browser was signed in as, a session's longest life and a day ago at most. */
  read(scope: CookieScope, header: string | undefined): string | undefined {
    const { seal, clock, issuer, absoluteTimeoutMs } = this.#options;
    const value = readCookie(header, scope.lastUserName);
    const text = value === undefined ? undefined : seal.open(value, issuer);
    if (text === undefined) return undefined;
    const [atSeconds, sub] = JSON.parse(text) as [number, string];
    return clock.now() - atSeconds * 1000 > absoluteTimeoutMs + GOOD_AFTER_SESSION_MS ? undefined : sub;
  }
}

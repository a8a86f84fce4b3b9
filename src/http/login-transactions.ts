// One login attempt: state, nonce, verifier and return address, kept in an encrypted cookie of its own, so that ten
// tabs opened at once all arrive and an anonymous visitor costs the gate no memory.

import type { Clock } from '../base/clock.ts';
import type { SessionHandle, SessionId } from '../base/ids.ts';
import type { MaybePromise } from '../base/maybe-promise.ts';
import { type CookieScope, cookieNames, loginCookie, readCookie } from './cookies.ts';
import type { TextSeal } from './sealed-text.ts';
import type { UsedStates } from './used-states.ts';

export interface LoginTransaction {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
  /** Absolute URL on our own origin. */
  readonly returnTo: string;
  readonly redirectUri: string;
  readonly issuer: string;
  /** How often this sign-in was already restarted by the gate itself. */
  readonly restarts: number;
  /** Any of these is what the provider was asked for. */
  readonly acr?: readonly string[] | undefined;
  /** The session that was asked about, and since when it was unproven; undefined: somebody signs in. */
  readonly recheck?: RecheckedSession | undefined;
}

export interface RecheckedSession {
  readonly id: SessionId;
  readonly handle: SessionHandle;
  readonly provenAt: number;
}

/** As long as a person may take at the provider's form; the provider's own limit (Keycloak: 30 min) is not ours. */
const LIFETIME_SECONDS = 600;
/** Used states are remembered as long as their cookie could be sent again. */
export const TRANSACTION_LIFETIME_MS = LIFETIME_SECONDS * 1000;
/** More than anybody has tabs waiting; the browser sends them all to the callback, so their number must be bounded. */
const MOST_KEPT = 10;
/** Makes, reads and consumes login transactions. A state is good once, whatever the browser sends in parallel. */
export class LoginTransactions {
  readonly #seal: TextSeal;
  readonly #clock: Clock;
  readonly #used: UsedStates;

  constructor({ seal, clock, used }: { seal: TextSeal; clock: Clock; used: UsedStates }) {
    this.#seal = seal;
    this.#clock = clock;
    this.#used = used;
  }

  /** The `Set-Cookie` of a new transaction. */
  begin(scope: CookieScope, transaction: LoginTransaction): string {
    const atSeconds = Math.floor(this.#clock.now() / 1000);
    const name = cookieName(scope, transaction.state, atSeconds);
    const sealed = this.#seal.seal(JSON.stringify({ ...transaction, atSeconds }), name);
    return loginCookie(scope, name, sealed, LIFETIME_SECONDS);
  }

  /** The transaction that `state` names, if this browser began it less than 10 min ago; used or not, `consume` knows. */
  read(scope: CookieScope, header: string | undefined, state: string): LoginTransaction | undefined {
    const name = this.#nameOf(scope, header, state);
    const value = name === undefined ? undefined : readCookie(header, name);
    const text = value === undefined ? undefined : this.#seal.open(value, name!);
    if (text === undefined) return undefined;
    const transaction = JSON.parse(text) as LoginTransaction & { atSeconds: number };
    const ageSeconds = this.#clock.now() / 1000 - transaction.atSeconds;
    if (transaction.state !== state || ageSeconds > LIFETIME_SECONDS || ageSeconds < -LIFETIME_SECONDS)
      return undefined;
    return transaction;
  }

  /**
   * Marks the state as used; false when it was already: exactly one of parallel callbacks goes on, on all replicas.
   * @throws GatewayError `store_unavailable`
   */
  consume(state: string): MaybePromise<boolean> {
    return this.#used.add(state);
  }

  /** `Set-Cookie`s that remove this state's cookie and, beyond ten, the oldest ones. */
  tidy(scope: CookieScope, header: string | undefined, state: string | undefined): string[] {
    const names = cookieNames(header, scope.loginPrefix).sort();
    const own = state === undefined ? undefined : this.#nameOf(scope, header, state);
    const kept = names.filter((name) => name !== own);
    const gone = kept.slice(0, Math.max(0, kept.length - MOST_KEPT));
    if (own !== undefined) gone.push(own);
    return gone.map((name) => loginCookie(scope, name, '', 0));
  }

  #nameOf(scope: CookieScope, header: string | undefined, state: string): string | undefined {
    const ending = `-${state.slice(0, 12)}`;
    const names = cookieNames(header, scope.loginPrefix).filter((name) => name.endsWith(ending));
    return names.length === 1 ? names[0] : undefined;
  }
}

/** Sortable by age: seconds in fixed-width base 36, then what tells the state. */
function cookieName(scope: CookieScope, state: string, atSeconds: number): string {
  return `${scope.loginPrefix}${atSeconds.toString(36).padStart(8, '0')}-${state.slice(0, 12)}`;
}

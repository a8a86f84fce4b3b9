// The `state` of a logout: what the gate wants to know when the browser is back at <prefix>/logged-out. Sealed, so that no
// link can lead anywhere by it or make the page say what is not so; good for an hour, and for nothing else.

import type { Clock } from '../base/clock.ts';
import type { TextSeal } from './sealed-text.ts';

/** What the page after logout has to tell. */
export type LogoutOutcome =
  /** The provider was asked to end its session too. */
  | 'sent'
  /** So it was, although there was no session here any more. */
  | 'no session'
  /** The provider did not answer. */
  | 'unreachable'
  /** The provider has no logout. */
  | 'not offered';

export interface LogoutState {
  readonly outcome: LogoutOutcome;
  /** Absolute URL on the origin where the logout began, already checked. */
  readonly returnTo?: string | undefined;
}

/** Longer than anybody hesitates at the provider's "do you want to log out?" (Keycloak's own limit is 30 minutes). */
const LIFETIME_MS = 3_600_000;
const LABEL = 'logout state';

/** Makes and reads the states of logouts. */
export class LogoutStates {
  readonly #seal: TextSeal;
  readonly #clock: Clock;

  constructor(seal: TextSeal, clock: Clock) {
    this.#seal = seal;
    this.#clock = clock;
  }

  seal(state: LogoutState): string {
    return this.#seal.seal(JSON.stringify({ ...state, until: this.#clock.now() + LIFETIME_MS }), LABEL);
  }

  /** Undefined for any text that was not sealed here for this, or an hour ago. May be read as often as it comes. */
  open(text: string): LogoutState | undefined {
    const opened = this.#seal.open(text, LABEL);
    if (opened === undefined) return undefined;
    const { until, ...state } = JSON.parse(opened) as LogoutState & { until: number };
    return this.#clock.now() < until ? state : undefined;
  }
}

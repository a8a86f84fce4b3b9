// A browser that used its application's own logout, between the application's answer and the gate's.

import type { EndCause } from '../logout/end-cause.ts';
import type { StoredSession } from '../session/session-record.ts';

/** What the gate's answer needs: the browser goes on to the provider. */
export interface Leaving {
  readonly session: StoredSession;
  /** What the application set and removed on the way out. */
  readonly setCookies: readonly string[];
  /** Where the application led, if that is an address to come back to after the logout. */
  readonly returnTo: string | undefined;
  readonly cause: EndCause;
}

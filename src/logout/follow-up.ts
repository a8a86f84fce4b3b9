// What is done after sessions have ended and nobody waits for (design: what happens at the end of a session, step 6).

import type { StoredSession } from '../session/session-record.ts';
import type { EndCause } from './end-cause.ts';

/** Begins with the stop, beside the closes. Bounds its own work, tells its own failures, and never rejects. */
export type FollowUp = (sessions: readonly StoredSession[], cause: EndCause) => Promise<void>;

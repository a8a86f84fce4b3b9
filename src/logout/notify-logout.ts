// `logout.notify`: one more URL that hears when a user logs out.

import type { Emit, EndReason } from '../base/events.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { FollowUp } from './follow-up.ts';
import type { UrlCaller } from './url-caller.ts';

export interface NotifyLogoutOptions {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly caller: UrlCaller;
  readonly emit: Emit;
}

/**
 * A user's own wish at this gate: the gate's logout, and the logout of the application behind it. Not a timeout, an
 * operator or a notice: whoever must hear of those is a client of the provider and hears it there.
 */
const WISHES: ReadonlySet<EndReason> = new Set<EndReason>(['logout', 'app_logout']);

/**
 * Builds the call of one URL when a user logs out: once for a sign-on, however many sessions hang on it; with a shared
 * store once more where another gate held some of them. A POST says who, as the form `iss`, `sub` and (where there is one)
 * `sid`; a GET says nothing, so that nobody's name gets into a log of addresses. Never a token or a cookie. A call that is
 * given up is `relay.failed`.
 */
export function createNotifyLogout(options: NotifyLogoutOptions): FollowUp {
  return async (sessions, { reason }) => {
    if (!WISHES.has(reason)) return;
    const leavers = new Map(sessions.map((session) => [nameOf(session), session]));
    await Promise.all(Array.from(leavers.values(), (session) => notify(options, session)));
  };
}

function nameOf({ record: { issuer, sub, sid } }: StoredSession): string {
  return JSON.stringify([issuer, sub, sid]);
}

async function notify({ url, method, caller, emit }: NotifyLogoutOptions, { record }: StoredSession): Promise<void> {
  const { issuer, sub, sid, user, handle } = record;
  const form = { iss: issuer, sub, ...(sid !== undefined && { sid }) };
  const outcome = await caller.call({ url, method, ...(method === 'POST' && { form }) });
  if (outcome === 'answered') return;
  const { gaveUp, attempts } = outcome;
  emit({ event: 'relay.failed', call: 'notify', route: undefined, user, sub, session: handle, attempts, why: gaveUp });
}

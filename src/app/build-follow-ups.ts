// What follows the end of a session and nobody waits for, as the configuration asks for it: calls of other URLs.

import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import type { FollowUp } from '../logout/follow-up.ts';
import { createNotifyLogout } from '../logout/notify-logout.ts';
import { UrlCaller } from '../logout/url-caller.ts';
import { createOutboundFetch } from '../proxy/outbound-fetch.ts';

/** Nobody waits for the answer, but a place in the queue is taken while it lasts. */
const CALL_TIMEOUT_MS = 5_000;

export interface FollowUps {
  readonly followUps: readonly FollowUp[];
  /** Waits a moment for what is under way. */
  stop(): Promise<void>;
}

export function buildFollowUps(config: Config, parts: { clock: Clock; timers: Timers; emit: Emit }): FollowUps {
  const { notify } = config.logout;
  if (notify === undefined) return { followUps: [], stop: async () => {} };
  const { caPem } = config.provider;
  const fetch = createOutboundFetch({
    // Such URLs are mostly the provider's neighbours, with a certificate of the same authority.
    ...(caPem === undefined ? {} : { caPem }),
    timeoutMs: CALL_TIMEOUT_MS,
    failure: { code: 'call_failed', callee: 'The URL' },
  });
  const caller = new UrlCaller({ ...parts, fetch });
  return { followUps: [createNotifyLogout({ ...notify, caller, emit: parts.emit })], stop: () => caller.stop() };
}

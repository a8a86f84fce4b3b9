// What follows the end of a session and nobody waits for, as the configuration asks for it: the provider's part, and calls
// of other URLs.

import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import { createEndAtProvider } from '../logout/end-at-provider.ts';
import type { FollowUp } from '../logout/follow-up.ts';
import { createNotifyLogout } from '../logout/notify-logout.ts';
import { Pauses } from '../logout/pauses.ts';
import { UrlCaller } from '../logout/url-caller.ts';
import { endProviderSession } from '../oidc/end-provider-session.ts';
import type { Provider } from '../oidc/provider.ts';
import { revokeRefreshToken } from '../oidc/revoke-refresh-token.ts';
import { createOutboundFetch } from '../proxy/outbound-fetch.ts';

/** Nobody waits for the answer, but a place in the queue is taken while it lasts. */
const CALL_TIMEOUT_MS = 5_000;

export interface FollowUps {
  readonly followUps: readonly FollowUp[];
  /** The first of them, for an end whose cause did not know yet whether the provider can be reached. */
  readonly endAtProvider: FollowUp;
  /** Waits a moment for what is under way. */
  stop(): Promise<void>;
}

interface FollowUpParts {
  readonly provider: Provider;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly emit: Emit;
}

export function buildFollowUps(config: Config, parts: FollowUpParts): FollowUps {
  const { provider, emit, clock, timers } = parts;
  const pauses = new Pauses(timers);
  const { notify } = config.logout;
  const endAtProvider = createEndAtProvider({
    revokeToken: (refreshToken) => revokeRefreshToken(provider, refreshToken),
    endSession: (refreshToken) => endProviderSession(provider, refreshToken),
    clock,
    pauses,
    emit,
  });
  if (notify === undefined) return { followUps: [endAtProvider], endAtProvider, stop: async () => pauses.stop() };
  const { caPem } = config.provider;
  const fetch = createOutboundFetch({
    // Such URLs are mostly the provider's neighbours, with a certificate of the same authority.
    ...(caPem === undefined ? {} : { caPem }),
    timeoutMs: CALL_TIMEOUT_MS,
    failure: { code: 'call_failed', callee: 'The URL' },
  });
  const caller = new UrlCaller({ ...parts, fetch });
  const followUps = [endAtProvider, createNotifyLogout({ ...notify, caller, emit })];
  return {
    followUps,
    endAtProvider,
    stop: () => {
      pauses.stop();
      return caller.stop();
    },
  };
}

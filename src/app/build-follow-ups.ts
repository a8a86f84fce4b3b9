// What follows the end of a session and nobody waits for, as the configuration asks for it: the provider's part, and calls
// of other URLs.

import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import { createEndAtProvider } from '../logout/end-at-provider.ts';
import type { FollowUp } from '../logout/follow-up.ts';
import { createNotifyLogout } from '../logout/notify-logout.ts';
import { Pauses } from '../logout/pauses.ts';
import { createRelayLogout } from '../logout/relay-logout.ts';
import { UrlCaller } from '../logout/url-caller.ts';
import { endProviderSession } from '../oidc/end-provider-session.ts';
import type { Provider } from '../oidc/provider.ts';
import { revokeRefreshToken } from '../oidc/revoke-refresh-token.ts';
import { createOutboundFetch } from '../proxy/outbound-fetch.ts';
import type { JarStore } from '../session/jar-store.ts';
import { buildRelays } from './build-relays.ts';
import { cookieScope } from './cookie-scope.ts';
import { isSame } from './until-restart.ts';

/** Nobody waits for the answer, but a place in the queue is taken while it lasts. */
const CALL_TIMEOUT_MS = 5_000;

export interface FollowUps {
  readonly followUps: readonly FollowUp[];
  /** The first of them, for an end whose cause did not know yet whether the provider can be reached. */
  readonly endAtProvider: FollowUp;
  /** Takes over another configuration; what is under way by the former one and still wanted goes on. */
  reconfigure(former: Config, next: Config): void;
  /** Waits a moment for what is under way. */
  stop(): Promise<void>;
}

interface FollowUpParts {
  readonly provider: Provider;
  readonly jars: JarStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly emit: Emit;
}

export function buildFollowUps(config: Config, parts: FollowUpParts): FollowUps {
  const { provider, emit, clock, timers } = parts;
  const pauses = new Pauses(timers);
  const endAtProvider = createEndAtProvider({
    revokeToken: (refreshToken) => revokeRefreshToken(provider, refreshToken),
    endSession: (refreshToken) => endProviderSession(provider, refreshToken),
    clock,
    pauses,
    emit,
  });
  let notices = buildNotices(config, parts);
  let relays = buildRelayCalls(config, parts);
  return {
    followUps: [endAtProvider, (...end) => notices.followUp(...end), (...end) => relays.followUp(...end)],
    endAtProvider,
    reconfigure(former, next) {
      if (!isSame(noticeSettings(former), noticeSettings(next))) {
        void notices.stop();
        notices = buildNotices(next, parts);
      }
      if (!isSame(relaySettings(former), relaySettings(next))) {
        void relays.stop();
        relays = buildRelayCalls(next, parts);
      }
    },
    stop: async () => {
      pauses.stop();
      await Promise.all([notices.stop(), relays.stop()]);
    },
  };
}

function noticeSettings({ logout, provider }: Config): unknown {
  return [logout.notify, provider.caPem];
}

/** A new rule of some route is no reason to give up a call that waits for its next attempt. */
function relaySettings({ routes, publicUrls }: Config): unknown {
  const relayed = routes.filter(({ logout }) => logout.relay !== undefined);
  return [relayed, hasJars(routes), routes.map(({ headers }) => headers), publicUrls];
}

interface Calls {
  readonly followUp: FollowUp;
  stop(): Promise<void>;
}

const NO_CALLS: Calls = { followUp: async () => {}, stop: async () => {} };

/** The calls of `logout.notify`. */
function buildNotices({ logout: { notify }, provider: { caPem } }: Config, parts: FollowUpParts): Calls {
  if (notify === undefined) return NO_CALLS;
  const fetch = createOutboundFetch({
    // Such URLs are mostly the provider's neighbours, with a certificate of the same authority.
    ...(caPem === undefined ? {} : { caPem }),
    timeoutMs: CALL_TIMEOUT_MS,
    failure: { code: 'call_failed', callee: 'The URL' },
  });
  const caller = new UrlCaller({ ...parts, fetch });
  return { followUp: createNotifyLogout({ ...notify, caller, emit: parts.emit }), stop: () => caller.stop() };
}

function hasJars(routes: Config['routes']): boolean {
  return routes.some(({ cookies }) => cookies === 'jar');
}

/** The calls of each route's `logout.relay`; jars go with their session also where nobody is called. */
function buildRelayCalls(config: Config, parts: FollowUpParts): Calls {
  const relays = buildRelays(config, { ...parts, cookies: cookieScope(config) });
  const jars = hasJars(config.routes) ? parts.jars : undefined;
  if (relays.length === 0 && jars === undefined) return NO_CALLS;
  return {
    followUp: createRelayLogout({ ...parts, jars, relays }),
    stop: async () => void (await Promise.all(relays.map((relay) => relay.stop()))),
  };
}

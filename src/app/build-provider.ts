// The provider as the configuration describes it.

import { neededClaims } from '../access/identity-headers.ts';
import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import { Provider } from '../oidc/provider.ts';
import { createOutboundFetch } from '../proxy/outbound-fetch.ts';
import { headerOptionsOf, ruleOptionsOf } from './build-routes.ts';

/** Longer than a provider takes under load; a user is waiting for the answer. */
const CALL_TIMEOUT_MS = 10_000;
/** Key sets, metadata and token answers are a few KiB; Keycloak's metadata is 7. */
const MOST_BYTES = 1024 * 1024;

export function buildProvider(config: Config, parts: { clock: Clock; timers: Timers; emit: Emit }): Provider {
  const { provider, routes } = config;
  return new Provider(
    {
      ...provider,
      neededClaims: neededClaims(routes.map((route) => ({ ...headerOptionsOf(route), access: ruleOptionsOf(route) }))),
      clockToleranceSeconds: provider.clockToleranceMs / 1000,
      logoutToken: { ...provider.logoutToken, maxAgeSeconds: provider.logoutToken.maxAgeMs / 1000 },
      fetch: createOutboundFetch({
        ...(provider.caPem === undefined ? {} : { caPem: provider.caPem }),
        timeoutMs: CALL_TIMEOUT_MS,
        maxBytes: MOST_BYTES,
      }),
    },
    parts,
  );
}

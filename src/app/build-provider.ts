// The provider as the configuration describes it.

import { neededClaims } from '../access/identity-headers.ts';
import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import { Provider, type ProviderOptions } from '../oidc/provider.ts';
import { headerOptionsOf, ruleOptionsOf } from './build-routes.ts';
import { providerFetch } from './provider-fetch.ts';

export function buildProvider(config: Config, parts: { clock: Clock; timers: Timers; emit: Emit }): Provider {
  return new Provider(providerOptions(config), parts);
}

/** The provider's settings as its room takes them. */
export function providerOptions(config: Config): ProviderOptions {
  const { provider, routes, logout } = config;
  return {
    ...provider,
    neededClaims: neededClaims(routes.map((route) => ({ ...headerOptionsOf(route), access: ruleOptionsOf(route) }))),
    clockToleranceSeconds: provider.clockToleranceMs / 1000,
    logoutToken: { ...provider.logoutToken, maxAgeSeconds: provider.logoutToken.maxAgeMs / 1000 },
    clientSessionState: logout.keycloakAdminUrl === 'off' ? 'left out' : 'sent',
    fetch: providerFetch(config),
  };
}

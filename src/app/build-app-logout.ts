// What a route's `logout` settings mean for its exchanges.

import { compileLogoutPaths } from '../access/logout-paths.ts';
import type { Emit } from '../base/events.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import type { AppLogoutRules } from '../http/app-logout-rules.ts';
import { clearSiteDataHeader } from '../http/clear-site.ts';
import { type CookieScope, farewellCookies } from '../http/cookies.ts';

export interface AppLogoutOptions {
  readonly cookies: CookieScope;
  readonly strippedPrefix: string;
  readonly emit: Emit;
}

/** Undefined where the application has no say: such a route pays nothing for it. */
export function buildAppLogout(
  config: Config,
  route: RouteConfig,
  options: AppLogoutOptions,
): AppLogoutRules | undefined {
  const { paths, responseHeader } = route.logout;
  if (paths.length === 0 && responseHeader === undefined) return undefined;
  const { cookies, strippedPrefix, emit } = options;
  const clearing = clearSiteDataHeader(config.logout.clearSiteData);
  let told = false;
  return {
    route: route.name,
    isLogoutPath: compileLogoutPaths({ paths, strippedPrefix }),
    isLogoutOnly: compileLogoutPaths({ paths, strippedPrefix }, 'every way'),
    farewellHeaders: [
      ...farewellCookies(cookies).flatMap((cookie) => ['Set-Cookie', cookie]),
      ...(clearing === undefined ? [] : ['Clear-Site-Data', clearing]),
    ],
    tellUnknownWord() {
      if (told) return;
      told = true;
      const message = `Route ${route.name}: the application's ${responseHeader} says neither redirect nor backchannel.`;
      emit({ event: 'gate.warning', code: 'logout_header_unknown', message });
    },
  };
}

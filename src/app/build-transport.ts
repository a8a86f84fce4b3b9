// A route as transport knows it: its upstreams, and what travels to and from them.

import { targetBehindPrefix } from '../access/path-readings.ts';
import type { Emit } from '../base/events.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import type { CookieScope } from '../http/cookies.ts';
import { RouteJar } from '../http/route-jar.ts';
import type { RouteTransport } from '../http/snapshot.ts';
import { RequestHeaderPolicy } from '../proxy/request-headers.ts';
import { ResponseHeaderPolicy } from '../proxy/response-headers.ts';
import { Upstream } from '../proxy/upstream.ts';
import { UpstreamGroup } from '../proxy/upstream-group.ts';
import type { UpstreamCookies } from '../session/upstream-cookies.ts';
import { buildAppLogout } from './build-app-logout.ts';
import { identityNamesOf, strippedPrefixOf, takes } from './build-routes.ts';
import { upstreamTls } from './upstream-tls.ts';

export interface TransportParts {
  readonly cookies: CookieScope;
  readonly emit: Emit;
  readonly jars: UpstreamCookies;
}

/** One route's; its pools of connections are the caller's to close. */
export function buildTransport(
  config: Config,
  route: RouteConfig,
  { cookies, emit, jars }: TransportParts,
): RouteTransport {
  const origins = route.upstreams.map((each) => new URL(each));
  // Cookies and the like are the application's, whichever of them answers.
  const origin = origins[0]!;
  const strippedPrefix = strippedPrefixOf(route);
  const responsePolicies = new Map(
    config.publicUrls.map(({ origin: publicOrigin }) => [
      publicOrigin,
      new ResponseHeaderPolicy({
        ownCookies: cookies,
        cache: route.auth === 'public' ? 'as the upstream says' : 'private',
        cookies: route.cookies === 'jar' ? 'keep' : 'pass',
        ...(route.logout.responseHeader === undefined ? {} : { logoutHeader: route.logout.responseHeader }),
        ...(takes(route, 'bearer') ? { alsoVariesBy: 'Authorization' } : {}),
        ...(route.rewriteLocation
          ? {
              rewrite: {
                upstreamOrigins: route.upstreams,
                aliases: aliasesOf(route, publicOrigin),
                publicOrigin,
                strippedPrefix,
              },
            }
          : {}),
      }),
    ]),
  );
  const upstreamTarget =
    strippedPrefix === '' ? (target: string) => target : (target: string) => targetBehindPrefix(target, strippedPrefix);
  return {
    upstreams: new UpstreamGroup(
      origins.map((each) => new Upstream({ origin: each, timeouts: route.timeouts, ...upstreamTls(route) })),
      route.balance,
    ),
    requestHeaders: new RequestHeaderPolicy({
      identityNames: identityNamesOf(config, route),
      ownCookies: cookies,
      upstreamHost: origin.host,
      preserveHost: route.preserveHost,
      strippedPrefix,
    }),
    responseHeaders: (publicOrigin) => responsePolicies.get(publicOrigin)!,
    upstreamTarget,
    jar:
      route.cookies === 'pass'
        ? undefined
        : new RouteJar({
            cookies: jars,
            upstreams: origins,
            preserveHost: route.preserveHost,
            strippedPrefix,
            upstreamTarget,
          }),
    websocketIdleMs: route.websocket.idleMs,
    maxFormBytes: route.maxFormBytes,
    appLogout: buildAppLogout(config, route, { cookies, strippedPrefix, emit }),
  };
}

/**
 * What an application takes its own origin for that is asked under the public host: it sees plain http, and may believe
 * X-Forwarded-Proto and -Port or not.
 */
function aliasesOf({ preserveHost }: RouteConfig, publicOrigin: string): string[] {
  if (!preserveHost) return [];
  const { host, port } = new URL(publicOrigin);
  const hosts = port === '' ? [host, `${host}:80`, `${host}:443`] : [host];
  return hosts.flatMap((each) => [new URL(`http://${each}`).origin, new URL(`https://${each}`).origin]);
}

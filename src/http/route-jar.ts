// A route whose application's cookies stay at the gate (`cookies: jar`): the jar is what the application gets, whatever
// cookies the browser sends, and the browser gets none of the application's.

import type { MaybePromise } from '../base/maybe-promise.ts';
import { withoutCookiePrefix } from '../proxy/origin-rewrite.ts';
import type { SameSiteContext } from '../session/cookie-rules.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { UpstreamCookies } from '../session/upstream-cookies.ts';
import type { PublicOrigin } from './public-origins.ts';
import type { PublicRequest } from './public-request.ts';

export interface RouteJarOptions {
  readonly cookies: UpstreamCookies;
  /** Of the same application. */
  readonly upstreams: readonly URL[];
  /** The application is asked under the public host, and may be another one for each. */
  readonly preserveHost: boolean;
  /** What is taken off the path of its requests; '' for nothing. */
  readonly strippedPrefix: string;
  /** The target as the upstream is asked for it. */
  readonly upstreamTarget: (target: string) => string;
}

/** The jars of one route, one for each host that its application is asked under. Routes to the same application share them. */
export class RouteJar {
  readonly #options: RouteJarOptions;

  constructor(options: RouteJarOptions) {
    this.#options = options;
  }

  /**
   * The Cookie header of an admitted request, '' for none: nobody's request has a jar.
   * @throws GatewayError `store_unavailable`
   */
  header(entry: PublicRequest, session: StoredSession | undefined): MaybePromise<string> {
    if (session === undefined) return '';
    return this.#options.cookies.header(session, { ...this.#placeOf(entry), sameSite: sameSiteContext(entry) });
  }

  /**
   * Keeps what an answer sets; undefined: it is done. Nobody's cookies are kept.
   * @throws GatewayError `store_unavailable`
   */
  keep(entry: PublicRequest, session: StoredSession | undefined, lines: readonly string[]): Promise<void> | undefined {
    if (session === undefined) return undefined;
    const hosts = [...this.#options.upstreams.map(({ hostname }) => hostname), new URL(entry.publicOrigin).hostname];
    const { strippedPrefix } = this.#options;
    const own = strippedPrefix === '' ? lines : lines.map((line) => withoutCookiePrefix(line, strippedPrefix));
    return this.#options.cookies.keep(session, { ...this.#placeOf(entry), hosts }, own);
  }

  #placeOf({ publicUrl, target }: PublicRequest) {
    return {
      jar: jarName(this.#options, publicUrl),
      scheme: publicUrl.scheme,
      target: this.#options.upstreamTarget(target),
    };
  }
}

/** The name of the jar for requests to this public origin. */
export function jarName(
  { upstreams: [upstream], preserveHost }: Pick<RouteJarOptions, 'upstreams' | 'preserveHost'>,
  { host }: Pick<PublicOrigin, 'host'>,
): string {
  return `${upstream!.origin} ${preserveHost ? host : upstream!.host}`;
}

/**
 * Who asks, as the browser tells it: `SameSite` guards the application against other sites' requests, and must go on doing
 * so where the gate holds the cookie (RFC 6265bis section 5.8.3).
 */
function sameSiteContext(entry: PublicRequest): SameSiteContext {
  const { 'sec-fetch-site': site, origin } = entry.request.headers;
  if (site === undefined) return origin === undefined || origin === entry.publicOrigin ? 'strict' : 'none';
  if (site !== 'cross-site') return 'strict';
  return entry.isNavigation() ? 'lax' : 'none';
}

// The calls of applications' logout URLs, as the routes describe them: what a forwarded request of the session carries.

import { compileIdentityHeaders } from '../access/identity-headers.ts';
import type { Clock, Timers } from '../base/clock.ts';
import type { Config, PublicUrl, RouteConfig } from '../config/model.ts';
import type { CookieScope } from '../http/cookies.ts';
import { jarName } from '../http/route-jar.ts';
import type { Jars, Relay } from '../logout/relay-logout.ts';
import { UrlCaller } from '../logout/url-caller.ts';
import type { AssertionSigner } from '../oidc/assertion-signer.ts';
import { RequestHeaderPolicy } from '../proxy/request-headers.ts';
import { Upstream } from '../proxy/upstream.ts';
import { createUpstreamFetch } from '../proxy/upstream-fetch.ts';
import { homeOf } from '../proxy/upstream-group.ts';
import { cookieHeader } from '../session/cookie-rules.ts';
import type { StoredSession } from '../session/session-record.ts';
import { assertionSigner, buildAssertion } from './build-assertion.ts';
import { headerOptionsOf, identityNamesOf, identityOf, strippedPrefixOf } from './build-routes.ts';
import { upstreamTls } from './upstream-tls.ts';

/** Nobody waits for the answer, but a place in the queue is taken while it lasts. */
const CALL_TIMEOUT_MS = 5_000;

export interface BuiltRelay extends Relay {
  stop(): Promise<void>;
}

export interface RelayParts {
  readonly cookies: CookieScope;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** What the relays of one configuration share. */
interface SharedParts extends RelayParts {
  readonly signer: AssertionSigner | undefined;
}

export function buildRelays(config: Config, parts: RelayParts): readonly BuiltRelay[] {
  const signer = assertionSigner(config);
  return config.routes.flatMap((route) => (route.logout.relay ? relaysOf(config, route, { ...parts, signer }) : []));
}

/** One; where a session has its home at one of several upstreams, one for each, because no other knows the user there. */
function relaysOf(config: Config, route: RouteConfig, parts: SharedParts): BuiltRelay[] {
  const { origin, pathname, search } = new URL(route.logout.relay!.url);
  const { upstreams, balance } = route;
  const path = pathname + search;
  const named = upstreams.indexOf(origin);
  if (named === -1) return [buildRelay(config, route, { ...parts, path, origins: [origin], serves: () => true })];
  const fromHere = (place: number): [string, ...string[]] => [
    upstreams[place]!,
    ...upstreams.slice(place + 1),
    ...upstreams.slice(0, place),
  ];
  if (balance === 'round_robin') {
    return [buildRelay(config, route, { ...parts, path, origins: fromHere(named), serves: () => true })];
  }
  return upstreams.map((_, place) =>
    buildRelay(config, route, {
      ...parts,
      path,
      origins: fromHere(place),
      serves: ({ record }) => homeOf(record.handle, upstreams.length) === place,
    }),
  );
}

interface Destination extends SharedParts, Pick<Relay, 'serves'> {
  readonly path: string;
  /** Who is called; and where that one cannot be connected to the next one, as with the route's requests. */
  readonly origins: readonly [string, ...string[]];
}

function buildRelay(config: Config, route: RouteConfig, destination: Destination): BuiltRelay {
  const { method } = route.logout.relay!;
  const { origins, path, serves } = destination;
  const isOwn = route.upstreams.includes(origins[0]);
  // One that swallows connections must leave time for the others.
  const connectMs = Math.min(route.timeouts.connectMs, CALL_TIMEOUT_MS / origins.length);
  const members = origins.map(
    (origin) =>
      new Upstream({
        origin: new URL(origin),
        timeouts: { ...route.timeouts, connectMs },
        ...(isOwn ? upstreamTls(route) : {}),
      }),
  );
  const policy = headerPolicy(config, route, { ...destination, isOwn });
  const fetch = createUpstreamFetch({
    upstream: members[0]!,
    others: members.slice(1),
    readdress: (headers, { host }) => policy.readdress(headers, host),
    timeoutMs: CALL_TIMEOUT_MS,
  });
  const caller = new UrlCaller({ ...destination, fetch });
  const headers = relayHeaders(config, route, { ...destination, policy });
  return {
    route: route.name,
    hasJar: route.cookies === 'jar',
    url: origins[0] + path,
    method,
    caller,
    serves,
    headersFor: async (session, jars) => (await headers(session, jars)).map((each) => ({ ...each, ...LENGTH[method] })),
    async stop() {
      await caller.stop();
      await Promise.all(members.map((member) => member.close()));
    },
  };
}

const LENGTH = { GET: {}, POST: { 'Content-Length': '0' } };

/** As for the route's requests; an application elsewhere knows neither the public host nor the route's path. */
function headerPolicy(
  config: Config,
  route: RouteConfig,
  { cookies, origins, isOwn }: Destination & { readonly isOwn: boolean },
): RequestHeaderPolicy {
  return new RequestHeaderPolicy({
    identityNames: identityNamesOf(config, route),
    ownCookies: cookies,
    upstreamHost: new URL(origins[0]).host,
    preserveHost: isOwn && route.preserveHost,
    strippedPrefix: isOwn ? strippedPrefixOf(route) : '',
  });
}

function relayHeaders(
  config: Config,
  route: RouteConfig,
  { clock, signer, path, policy }: Destination & { readonly policy: RequestHeaderPolicy },
) {
  const identityHeaders = compileIdentityHeaders(headerOptionsOf(route).headers);
  const places = placesOf(config, route);
  const assertion = buildAssertion(config, route, { clock, signer, onLeftOut: () => {} });
  return async (session: StoredSession, jars: Jars): Promise<Record<string, string>[]> => {
    const { address, userAgent } = session.record;
    const signed = await assertion?.(session.record);
    const identity = [...identityHeaders(identityOf(session.record)), ...(signed?.headers ?? [])];
    const raw = ['User-Agent', userAgent, 'Accept', '*/*'];
    return places.flatMap(({ publicUrl, jar }) => {
      const place = { scheme: publicUrl.scheme, target: path };
      const cookie = jar === undefined ? '' : cookieHeader(jars.get(jar) ?? [], place, 'strict');
      // Without its cookie the application has no session of this user that a call could end.
      if (jar !== undefined && cookie === '') return [];
      const forwarded = { for: address, host: publicUrl.host, proto: publicUrl.scheme, port: String(publicUrl.port) };
      return [asRecord(policy.build(raw, { forwarded, identity, cookie }))];
    });
  };
}

/** One public origin for each jar that the route's application may have; without a jar the first origin stands for all. */
function placesOf({ publicUrls }: Config, route: RouteConfig): { publicUrl: PublicUrl; jar: string | undefined }[] {
  const served = publicUrls.filter(({ hostname }) => route.host === undefined || route.host === hostname);
  if (route.cookies === 'pass') return served.slice(0, 1).map((publicUrl) => ({ publicUrl, jar: undefined }));
  const upstreams = route.upstreams.map((each) => new URL(each));
  const byJar = new Map<string, PublicUrl>();
  for (const publicUrl of served.toReversed()) {
    byJar.set(jarName({ upstreams, preserveHost: route.preserveHost }, publicUrl), publicUrl);
  }
  return Array.from(byJar, ([jar, publicUrl]) => ({ publicUrl, jar }));
}

function asRecord(pairs: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let i = 0; i < pairs.length; i += 2) record[pairs[i]!] = pairs[i + 1]!;
  return record;
}

// One route of the file as the rooms get it.

import { buildClientTls } from './build-store.ts';
import type { AccessRule, RouteConfig } from './model.ts';
import type { ConfigFile } from './sections/config-file.ts';

type RouteFile = ConfigFile['routes'][number];

/** The model of one route. Its name, where the file has none, is its host and path: unique, since no two share them. */
export function buildRoute(route: RouteFile): RouteConfig {
  const { timeouts, headers, websocket, logout, preserve_post, upstream_tls: tls } = route;
  const host = route.host?.hostname;
  return {
    name: route.name ?? `${host ?? ''}${route.path}`,
    host,
    path: route.path,
    upstreams: route.upstream.map(({ origin }) => origin),
    balance: route.balance,
    stripPrefix: route.strip_prefix,
    preserveHost: route.preserve_host,
    rewriteLocation: route.rewrite_location,
    ambiguousPaths: route.ambiguous_paths,
    caseInsensitivePaths: route.case_insensitive_paths,
    upstreamTls: tls && buildClientTls(tls),
    timeouts: { connectMs: timeouts.connect, responseHeadMs: timeouts.response_head, idleMs: timeouts.idle },
    auth: buildAuth(route.auth),
    authorizationParams: Object.fromEntries(route.authorization_params),
    unauthenticated: route.unauthenticated,
    accessDefault: route.access_default,
    access: route.access.map(buildRule),
    cookies: route.cookies,
    logout: { paths: logout.paths, responseHeader: logout.response_header, relay: logout.relay },
    headers: {
      preset: headers.preset,
      set: Object.fromEntries(headers.set),
      basicAuth: headers.basic_auth && buildBasicAuth(headers.basic_auth),
      encoding: headers.encoding,
      accessToken: headers.access_token,
      signedAssertion: headers.signed_assertion,
    },
    maxFormBytes: preserve_post.enabled ? preserve_post.max_bytes : undefined,
    websocket: {
      enabled: websocket.enabled,
      origins: websocket.origins.map(({ origin }) => origin),
      idleMs: websocket.idle,
    },
  };
}

function buildBasicAuth({
  username,
  password,
  password_file,
  password_claim,
}: NonNullable<RouteFile['headers']['basic_auth']>): RouteConfig['headers']['basicAuth'] {
  return {
    username,
    password: password_claim === undefined ? (password ?? password_file)! : { claim: password_claim },
  };
}

function buildAuth(ways: RouteFile['auth']): RouteConfig['auth'] {
  const [first, second] = new Set(ways);
  return second === undefined ? first! : 'session or bearer';
}

function buildRule({ path, methods, auth, roles, groups, claims, acr }: RouteFile['access'][number]): AccessRule {
  return {
    path,
    methods,
    auth,
    roles,
    groups,
    claims: claims && Object.fromEntries(claims),
    acr,
  };
}

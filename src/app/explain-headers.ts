// The headers that a forwarded request would carry besides the client's own, with what is secret left out, and those of the
// client's that it would not.

import type { Identity } from '../access/header-presets.ts';
import { compileIdentityHeaders } from '../access/identity-headers.ts';
import type { Claims } from '../base/tokens.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import type { PublicOrigin } from '../http/public-origins.ts';
import { escapedPath } from '../proxy/escaped-path.ts';
import { untrustedNames } from '../proxy/header-names.ts';
import { userName } from '../session/new-session-record.ts';
import { headerOptionsOf, identityNamesOf, strippedPrefixOf } from './build-routes.ts';

export interface ExplainedHeaders {
  /** Name and value pairs, in the order in which they are sent. */
  readonly sent: readonly (readonly [string, string])[];
  /** Names whose copies from a client are removed in any spelling, besides those that no proxy forwards; `*`: whatever follows. */
  readonly removed: readonly string[];
  /** What becomes of the client's cookies. */
  readonly cookies: string;
  readonly left_out: readonly { readonly name: string; readonly why: string }[];
}

export interface HeadersToExplain {
  readonly route: RouteConfig;
  readonly origin: PublicOrigin;
  /** undefined: nobody is known. */
  readonly claims: Claims | undefined;
}

/** In the place of what only a session has, only a connection, or only the upstream that was chosen. */
const TOKEN = 'ACCESS-TOKEN';
const ADDRESS = 'CLIENT-ADDRESS';
const HOST = 'UPSTREAM-HOST';

export function explainHeaders(config: Config, { route, origin, claims }: HeadersToExplain): ExplainedHeaders {
  const leftOut: { name: string; why: string }[] = [];
  const sent: [string, string][] = [
    ['Host', route.preserveHost ? origin.host : upstreamHost(route)],
    ['X-Forwarded-For', ADDRESS],
    ['X-Forwarded-Host', origin.host],
    ['X-Forwarded-Proto', origin.scheme],
    ['X-Forwarded-Port', origin.port],
  ];
  const prefix = escapedPath(strippedPrefixOf(route));
  if (prefix !== '') sent.push(['X-Forwarded-Prefix', prefix]);
  const removed = untrustedNames(identityNamesOf(config, route));
  const cookies =
    route.cookies === 'jar'
      ? "none of the client's; the application's own, which the gate keeps (cookies: jar)"
      : "the client's, without the gate's";
  const rest = { removed, cookies, left_out: leftOut };
  if (claims === undefined) return { sent, ...rest };
  const headers = compileIdentityHeaders(headerOptionsOf(route).headers);
  const pairs = headers(identity(claims), (name, why) => leftOut.push({ name, why }));
  for (let i = 0; i < pairs.length; i += 2) sent.push([pairs[i]!, shown(pairs[i + 1]!)]);
  if (route.headers.signedAssertion) sent.push(['X-Portcullis-Assertion', `a signed JWT with aud ${route.name}`]);
  return { sent, ...rest };
}

function upstreamHost({ upstreams: [first, ...others] }: RouteConfig): string {
  return others.length === 0 ? new URL(first!).host : HOST;
}

function identity(claims: Claims): Identity {
  const sub = typeof claims['sub'] === 'string' ? claims['sub'] : '';
  return { sub, user: userName(claims, sub), claims, accessToken: TOKEN };
}

/** Raw header text as a person reads it; of HTTP Basic credentials only the user. */
function shown(value: string): string {
  const credentials = /^Basic ([A-Za-z0-9+/]+=*)$/.exec(value);
  if (credentials === null) return Buffer.from(value, 'latin1').toString();
  const user = Buffer.from(credentials[1]!, 'base64').toString().split(':', 1)[0];
  return `Basic, of ${user} and the password`;
}

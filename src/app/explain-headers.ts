// The headers that a forwarded request would carry besides the client's own, with what is secret left out.

import type { Identity } from '../access/header-presets.ts';
import { compileIdentityHeaders } from '../access/identity-headers.ts';
import type { Claims } from '../base/tokens.ts';
import type { RouteConfig } from '../config/model.ts';
import type { PublicOrigin } from '../http/public-origins.ts';
import { escapedPath } from '../proxy/escaped-path.ts';
import { userName } from '../session/new-session-record.ts';
import { headerOptionsOf, strippedPrefixOf } from './build-routes.ts';

export interface ExplainedHeaders {
  /** Name and value pairs, in the order in which they are sent. */
  readonly sent: readonly (readonly [string, string])[];
  readonly left_out: readonly { readonly name: string; readonly why: string }[];
}

export interface HeadersToExplain {
  readonly route: RouteConfig;
  readonly origin: PublicOrigin;
  /** undefined: nobody is known. */
  readonly claims: Claims | undefined;
}

/** In the place of a token, which only a session has. */
const TOKEN = 'ACCESS-TOKEN';

export function explainHeaders({ route, origin, claims }: HeadersToExplain): ExplainedHeaders {
  const leftOut: { name: string; why: string }[] = [];
  const sent: [string, string][] = [
    ['Host', route.preserveHost ? origin.host : new URL(route.upstreams[0]!).host],
    ['X-Forwarded-Host', origin.host],
    ['X-Forwarded-Proto', origin.scheme],
    ['X-Forwarded-Port', origin.port],
  ];
  const prefix = escapedPath(strippedPrefixOf(route));
  if (prefix !== '') sent.push(['X-Forwarded-Prefix', prefix]);
  if (claims === undefined) return { sent, left_out: leftOut };
  const headers = compileIdentityHeaders(headerOptionsOf(route).headers);
  const pairs = headers(identity(claims), (name, why) => leftOut.push({ name, why }));
  for (let i = 0; i < pairs.length; i += 2) sent.push([pairs[i]!, shown(pairs[i + 1]!)]);
  if (route.headers.signedAssertion) sent.push(['X-Portcullis-Assertion', `a signed JWT with aud ${route.name}`]);
  return { sent, left_out: leftOut };
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

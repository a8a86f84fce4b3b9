// What a route makes of a request besides letting it through: where it goes, what a sign-in asks for, whether a form is kept, and
// whether the path is the application's logout.

import { compileLogoutPaths } from '../access/logout-paths.ts';
import { targetBehindPrefix } from '../access/path-readings.ts';
import type { RouteMatch } from '../access/route-match.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import { strippedPrefixOf } from './build-routes.ts';

export interface ExplainedRoute {
  readonly name: string;
  readonly why: string;
  /** The first address to which it would be forwarded. */
  readonly upstream: string;
  /** All of them. */
  readonly upstreams: readonly string[];
  /** How one of several is chosen. */
  readonly choice: string | undefined;
}

export interface ExplainedParameter {
  readonly name: string;
  readonly value: string;
  /** The setting that says so. */
  readonly from: string;
}

export interface ExplainedForm {
  readonly kept: boolean;
  readonly why: string;
}

export function explainRoute(route: RouteConfig, target: string): ExplainedRoute {
  const { name, host, path, upstreams, balance } = route;
  const prefix = strippedPrefixOf(route);
  const there = prefix === '' ? target : targetBehindPrefix(target, prefix);
  return {
    name,
    why: `the longest path of ${host ?? 'any host'} that fits: ${path}`,
    upstream: upstreams[0]! + there,
    upstreams: upstreams.map((each) => each + there),
    choice: upstreams.length === 1 ? undefined : CHOICES[balance],
  };
}

const CHOICES: Readonly<Record<RouteConfig['balance'], string>> = {
  round_robin: 'each in turn (balance: round_robin), but for those that cannot be connected to',
  session: 'always the same one for a session (balance: session), while it can be connected to',
};

/** What the provider is asked for besides when somebody signs in on the way there. */
export function explainParameters(
  { provider }: Config,
  { needs, acr }: RouteMatch<unknown>,
  route: RouteConfig,
): readonly ExplainedParameter[] {
  if (needs === 'public' || needs === 'bearer') return [];
  const wishes = [
    { from: 'provider.authorization_params', parameters: provider.authorizationParams },
    { from: "the route's authorization_params", parameters: route.authorizationParams },
    { from: 'the rule', parameters: acr?.length ? { acr_values: acr.join(' ') } : {} },
  ];
  const all = new Map<string, ExplainedParameter>();
  for (const { from, parameters } of wishes) {
    for (const [name, value] of Object.entries(parameters)) all.set(name, { name, value, from });
  }
  return [...all.values()];
}

/** What becomes of a form that is sent there by somebody whose session is over or too weak; undefined: no sign-in plays a part. */
export function explainForm(
  { needs }: RouteMatch<unknown>,
  route: RouteConfig,
  target: string,
): ExplainedForm | undefined {
  if (needs === 'public' || needs === 'bearer') return undefined;
  const { maxFormBytes, unauthenticated } = route;
  const not = (why: string): ExplainedForm => ({ kept: false, why });
  if (maxFormBytes === undefined) return not('preserve_post is off');
  if (unauthenticated === 'deny') return not('nobody is sent to sign in (unauthenticated: deny)');
  if (isLogoutPath(route, target)) return not("nobody signs in to use the application's logout");
  const why = `up to ${maxFormBytes} bytes, from a page of the same origin, until its user has signed in`;
  return { kept: true, why };
}

/** That the path is the application's logout, and what that does; undefined where it is none. */
export function explainLogout({ needs }: RouteMatch<unknown>, route: RouteConfig, target: string): string | undefined {
  if (!isLogoutPath(route, target)) return undefined;
  if (needs === 'public') return 'logout.paths has this path, but on a public one nobody is known, so nothing ends';
  return "the application's own logout (logout.paths): when it has answered, the session ends here and at the provider";
}

function isLogoutPath(route: RouteConfig, target: string): boolean {
  const { paths } = route.logout;
  return paths.length > 0 && compileLogoutPaths({ paths, strippedPrefix: strippedPrefixOf(route) })(target);
}

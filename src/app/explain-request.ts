// What the gate would do with a request, and why, without a gate: the same route table, rules and headers as the real one
// (design: surface.md, `explain`).

import { textsOf } from '../access/claim-path.ts';
import { decidedBy, judge, type RouteMatch } from '../access/route-match.ts';
import { compileRouteTable, type RouteTable } from '../access/route-table.ts';
import type { Claims } from '../base/tokens.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import { isSentToSignIn } from '../gate/decide.ts';
import type { GateRoute } from '../gate/gate-route.ts';
import { ownPath } from '../http/own-path.ts';
import { type PublicOrigin, PublicOrigins } from '../http/public-origins.ts';
import { buildRoutes } from './build-routes.ts';
import { type ExplainedHeaders, explainHeaders } from './explain-headers.ts';
import {
  type ExplainedForm,
  type ExplainedParameter,
  type ExplainedRoute,
  explainForm,
  explainLogout,
  explainParameters,
  explainRoute,
} from './explain-route.ts';

export interface ExplainedOutcome {
  readonly kind:
    | 'allowed'
    | 'sign_in'
    | 'step_up'
    | 'forbidden'
    | 'own_endpoint'
    | 'not_found'
    | 'bad_request'
    | 'misdirected';
  /** What is answered where the request is not forwarded, undefined otherwise. */
  readonly status: number | undefined;
  readonly why: string;
}

export interface ExplainedRequest {
  readonly outcome: ExplainedOutcome;
  readonly route?: ExplainedRoute;
  readonly rule?: { readonly decided_by: string; readonly asks: readonly string[] };
  /** What proves a user there. */
  readonly needs?: string;
  /** What a sign-in on the way there asks the provider for, besides the usual. */
  readonly sign_in?: readonly ExplainedParameter[];
  /** Of a POST. */
  readonly form?: ExplainedForm;
  /** Of the application's own logout. */
  readonly logout?: string;
  readonly headers?: ExplainedHeaders;
}

export interface RequestToExplain {
  readonly method: string;
  /** As a Host header has it. */
  readonly host: string;
  /** As it would be sent: path and query, not changed in any way. */
  readonly target: string;
  /** Of the user who is signed in; undefined: nobody is. */
  readonly claims: Claims | undefined;
}

/** Reads the configuration only: nobody is asked, nothing is sent. */
export function explainRequest(config: Config, request: RequestToExplain): ExplainedRequest {
  const origin = new PublicOrigins(config.publicUrls.map((url) => new URL(url.origin))).find(request.host);
  if (origin === undefined) {
    return { outcome: { kind: 'misdirected', status: 421, why: `no public_url has the host ${request.host}` } };
  }
  if (ownPath(request.target, config.proxyPrefix) !== undefined) {
    const why = `paths under ${config.proxyPrefix} are the gate's own and are never forwarded`;
    return { outcome: { kind: 'own_endpoint', status: undefined, why } };
  }
  if (request.method === 'TRACE' || request.method === 'CONNECT') {
    return { outcome: { kind: 'bad_request', status: 405, why: `${request.method} is not served` } };
  }
  const match = routeTable(config).match(origin.host, request.target, request.method);
  if (match.kind === 'none') {
    return { outcome: { kind: 'not_found', status: 404, why: 'no route is for this host and path' } };
  }
  if (match.kind === 'bad_path') return { outcome: { kind: 'bad_request', status: 400, why: match.why } };
  const route = config.routes.find(({ name }) => name === match.route.name);
  if (route === undefined) {
    const why = `another spelling of a path under ${config.proxyPrefix}, which is the gate's own`;
    return { outcome: { kind: 'forbidden', status: 403, why } };
  }
  return explainMatch(config, request, { match, route, origin });
}

function routeTable(config: Config): RouteTable<GateRoute> {
  const noSigner = { signer: undefined, clock: { now: () => 0, monotonicMs: () => 0 }, onLeftOut: () => {} };
  return compileRouteTable(buildRoutes(config, noSigner));
}

interface Matched {
  readonly match: RouteMatch<GateRoute>;
  readonly route: RouteConfig;
  readonly origin: PublicOrigin;
}

function explainMatch(config: Config, request: RequestToExplain, matched: Matched): ExplainedRequest {
  const { match, route, origin } = matched;
  const { method, target } = request;
  const outcome = judgeRequest(match, request);
  const signIn = explainParameters(config, match, route);
  const form = method === 'POST' ? explainForm(match, route, target) : undefined;
  const logout = explainLogout(match, route, target);
  return {
    outcome,
    route: explainRoute(route, target),
    rule: {
      decided_by: decidedBy(match),
      asks: [
        ...match.rules.flatMap(({ conditions }) => conditions.map(({ text }) => text)),
        ...(match.acr === undefined ? [] : [`acr any of ${match.acr.join(', ')}`]),
        ...(match.closed ? ['that a rule matches (access_default: deny)'] : []),
      ],
    },
    needs: match.needs,
    ...(signIn.length > 0 && { sign_in: signIn }),
    ...(form && { form }),
    ...(logout !== undefined && { logout }),
    ...(outcome.kind === 'allowed' && {
      headers: explainHeaders(config, { route, origin, claims: userOf(match, request) }),
    }),
  };
}

/** On a public path nobody is known, whoever is signed in. */
function userOf({ needs }: RouteMatch<GateRoute>, { claims }: RequestToExplain): Claims | undefined {
  return needs === 'public' ? undefined : claims;
}

function judgeRequest(match: RouteMatch<GateRoute>, { method, claims }: RequestToExplain): ExplainedOutcome {
  if (match.needs === 'public') {
    return { kind: 'allowed', status: undefined, why: `${decidedBy(match)} is public: nobody is asked who they are` };
  }
  if (claims === undefined) return anonymous(match, method);
  const verdict = judge(match, claims);
  if (verdict === 'allowed') {
    const why =
      match.rules.length === 0 ? 'no rule matches, and every signed-in user may' : `${decidedBy(match)} holds`;
    return { kind: 'allowed', status: undefined, why };
  }
  if (verdict.acr !== undefined) {
    const why = `${acrOf(claims)}, and ${decidedBy(match)} asks for ${verdict.acr.join(' or ')}: ${whoSignsIn(match, ' with it, once')}`;
    return { kind: 'step_up', status: signInStatus(match, method), why };
  }
  const unmet = match.rules.flatMap(({ conditions }) => conditions.filter(({ holds }) => !holds(claims)));
  const why = match.closed
    ? 'no rule matches, and access_default is deny'
    : `${decidedBy(match)} asks for ${unmet.map(({ text }) => text).join(' and ')}, which the user's claims do not have`;
  return { kind: 'forbidden', status: 403, why };
}

function acrOf({ acr }: Claims): string {
  const texts = textsOf(acr);
  return texts.length === 0 ? "this user's sign-in has no acr" : `this user signed in with acr ${texts.join(', ')}`;
}

function anonymous(match: RouteMatch<GateRoute>, method: string): ExplainedOutcome {
  const { needs, route, acr } = match;
  if (needs === 'bearer')
    return { kind: 'sign_in', status: 401, why: 'an access token is needed: Authorization: Bearer' };
  if (route.unauthenticated === 'deny') {
    return { kind: 'sign_in', status: 401, why: 'nobody is signed in, and unauthenticated is deny' };
  }
  const how = acr === undefined ? '' : `, with acr_values ${acr.join(' ')}`;
  return {
    kind: 'sign_in',
    status: signInStatus(match, method),
    why: `nobody is signed in: ${whoSignsIn(match, how)}`,
  };
}

/** As the gate answers a browser that opens the address as a page, or sends a form there. */
function signInStatus({ needs, route }: RouteMatch<GateRoute>, method: string): number {
  const facts = { method, websocket: false, isNavigation: () => method === 'GET' || method === 'HEAD' };
  return needs !== 'bearer' && isSentToSignIn(route, facts) ? 302 : 401;
}

function whoSignsIn({ needs, route }: RouteMatch<GateRoute>, how: string): string {
  if (needs === 'bearer' || route.unauthenticated === 'deny') return 'nobody is sent to sign in, everything gets 401';
  const who = route.unauthenticated === 'login' ? 'every GET' : 'a page that a browser opens';
  return `${who} is sent to sign in${how}; everything else gets 401`;
}

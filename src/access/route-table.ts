// Which route and rule decide a request: the most specific host, then the longest path prefix, then the first rule.
// Paths that can be read in several ways are decided under all of them (design: decided.md; catalogue PATH-01 to PATH-26).

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { type CompiledRule, compilePrefix, compileRule, firstRule, type RuleOptions } from './access-rules.ts';
import { textsOf } from './claim-path.ts';
import { type PathReadings, pathReadings, plainPathEnd, readingsBehindPrefix } from './path-readings.ts';
import { RouteIndex } from './route-index.ts';

export interface RouteOptions {
  readonly name: string;
  /** Host names in lower case; absent: every host that reaches the gate. */
  readonly hosts?: readonly string[];
  /** Segment-wise prefix; default `/`. */
  readonly path?: string;
  readonly stripPrefix?: boolean;
  /** The application takes `/Admin` for `/admin`: rules compare without case, and so does the choice of this route. */
  readonly caseInsensitivePaths?: boolean;
  readonly ambiguousPaths?: 'refuse' | 'forward';
  /** What proves a user; a rule may say otherwise. `public`: nobody is asked where no rule matches. Default: session. */
  readonly auth?: Needs;
  readonly accessDefault?: 'signed_in' | 'deny';
  readonly access?: readonly RuleOptions[];
}

/** What a request must bring: nothing, the cookie of a session, a bearer access token, or one of these two. */
export type Needs = 'public' | 'session' | 'bearer' | 'session or bearer';

/** What decides a request. Made at compile time and shared: compare by identity, change nothing. */
export interface RouteMatch<R> {
  readonly kind: 'route';
  /** The very object that was compiled. */
  readonly route: R;
  readonly needs: Needs;
  /** The rules a signed-in user must pass, all of them; empty: `access_default` decided. */
  readonly rules: readonly CompiledRule[];
  /** `access_default: deny` and no rule: nobody passes. */
  readonly closed: boolean;
  /** What satisfies the `acr` of all rules; undefined: none has any. */
  readonly acr: readonly string[] | undefined;
}

export type Match<R> =
  | RouteMatch<R>
  | { readonly kind: 'none' }
  | { readonly kind: 'bad_path' /** For operators; quotes nothing of the request. */; readonly why: string };

export interface RouteTable<R> {
  /**
   * The route and rule for a request. `host`: the request's host, whose port and case do not matter; `target`: its raw
   * origin-form target, the query included (it never decides); `method`: as received.
   */
  match(host: string, target: string, method: string): Match<R>;
}

/** `acr`: allowed, had the user signed in so that the provider says one of these; undefined: nothing helps. */
export type Verdict = 'allowed' | { readonly acr: readonly string[] | undefined };

const REFUSED: Verdict = { acr: undefined };

/** Whether a user with these claims may have what was matched. A public match admits everybody; an evaluator's error nobody. */
export function judge(match: RouteMatch<unknown>, claims: Claims): Verdict {
  if (match.needs === 'public') return 'allowed';
  if (match.closed) return REFUSED;
  try {
    if (!match.rules.every((rule) => rule.permits(claims))) return REFUSED;
  } catch {
    return REFUSED;
  }
  const wanted = match.acr;
  if (wanted === undefined || hasAcr(claims['acr'], wanted)) return 'allowed';
  // Rules that no one class satisfies.
  return wanted.length === 0 ? REFUSED : { acr: wanted };
}

/** Whether a user's `acr`, one or several, is among those that are wanted. */
export function hasAcr(claim: unknown, wanted: readonly string[]): boolean {
  return typeof claim === 'string' ? wanted.includes(claim) : textsOf(claim).some((acr) => wanted.includes(acr));
}

/** The same, where a stronger sign-in is out of the question. */
export function allowed(match: RouteMatch<unknown>, claims: Claims): boolean {
  return judge(match, claims) === 'allowed';
}

/** What decided, for events: `access[1] /admin`, or `access_default`. */
export function decidedBy(match: RouteMatch<unknown>): string {
  return match.rules.length === 0 ? 'access_default' : match.rules.map((rule) => rule.label).join(' and ');
}

/** One rule of a route, or its default, with the two matches it can lead to made ready. */
interface Decision<R> {
  /** Canonical path. */
  readonly match: RouteMatch<R>;
  /** Any other path: never public. */
  readonly matchSignedIn: RouteMatch<R>;
}

interface CompiledRoute<R> {
  readonly options: R;
  readonly prefix: string;
  /** The prefix as the index without case has it. */
  readonly foldedPrefix: string;
  readonly rules: readonly CompiledRule[];
  readonly decisions: ReadonlyMap<CompiledRule | undefined, Decision<R>>;
}

const NONE = { kind: 'none' } as const;
const AMBIGUOUS = { kind: 'bad_path', why: 'an ambiguous path: its readings lead to different rules' } as const;

/** @throws GatewayError `route_invalid` for a path or claim that is none, or two routes at one host and path. */
export function compileRouteTable<R extends RouteOptions>(routes: readonly R[]): RouteTable<R> {
  const index = new RouteIndex<CompiledRoute<R>>();
  const folded = routes.some((route) => route.caseInsensitivePaths) ? new RouteIndex<CompiledRoute<R>>() : undefined;
  for (const options of routes) {
    const route = compileRoute(options);
    folded?.add(options.hosts, route.foldedPrefix, route);
    if (!index.add(options.hosts, route.prefix, route)) {
      throw new GatewayError('route_invalid', {
        status: 500,
        message: `route ${options.name}: another route already has this host and path ${options.path ?? '/'}`,
      });
    }
  }
  const find: FindRoute<R> = (host, path) => {
    const exact = index.find(host, path);
    return folded === undefined ? exact : ignoringCase(exact, folded.find(host, foldCase(path)));
  };
  return {
    match(host, target, method) {
      const end = plainPathEnd(target);
      if (end === -1) return matchReadings(find, host, target, method);
      const path = end === target.length ? target : target.slice(0, end);
      const route = find(host, path);
      if (route === undefined) return NONE;
      return route === 'torn' ? AMBIGUOUS : decide(route, path, method).match;
    },
  };
}

/** `torn`: a route takes the path as it is written, and another one as the first one's application reads it. */
type FindRoute<R> = (host: string, path: string) => CompiledRoute<R> | undefined | 'torn';

/** `exact` has the path as it is written, `other` without case: its prefix counts where it is the longer one. */
function ignoringCase<R extends RouteOptions>(
  exact: CompiledRoute<R> | undefined,
  other: CompiledRoute<R> | undefined,
): CompiledRoute<R> | undefined | 'torn' {
  if (other === undefined || (exact !== undefined && exact.foldedPrefix.length >= other.foldedPrefix.length))
    return exact;
  if (other.options.caseInsensitivePaths) return other;
  return exact?.options.caseInsensitivePaths ? 'torn' : exact;
}

function compileRoute<R extends RouteOptions>(options: R): CompiledRoute<R> {
  const fold = (rule: CompiledRule) =>
    options.caseInsensitivePaths ? { ...rule, prefix: foldCase(rule.prefix) } : rule;
  const rules = (options.access ?? []).map((rule, at) => fold(compileRule(rule, at)));
  const decisions = new Map<CompiledRule | undefined, Decision<R>>();
  // For rules that say nothing of their own, and for paths that are not canonical: those are never public.
  const ofUser = options.auth === undefined || options.auth === 'public' ? 'session' : options.auth;
  for (const rule of [undefined, ...rules]) {
    const auth = rule === undefined ? (options.auth ?? 'session') : (rule.auth ?? ofUser);
    const signedIn: RouteMatch<R> = {
      kind: 'route',
      route: options,
      needs: auth === 'public' ? ofUser : auth,
      rules: rule === undefined ? [] : [rule],
      closed: rule === undefined && options.accessDefault === 'deny',
      acr: rule?.acr,
    };
    const isPublic = auth === 'public' && !signedIn.closed;
    decisions.set(rule, { match: isPublic ? { ...signedIn, needs: 'public' } : signedIn, matchSignedIn: signedIn });
  }
  const prefix = compilePrefix(options.path ?? '/');
  return { options, prefix, foldedPrefix: foldCase(prefix), rules, decisions };
}

/** Both ways, because lower case alone leaves letters apart that an application may take for one (`ſ` and `s`). */
function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase();
}

function decide<R extends RouteOptions>(route: CompiledRoute<R>, path: string, method: string): Decision<R> {
  const folded = route.options.caseInsensitivePaths ? foldCase(path) : path;
  return route.decisions.get(firstRule(route.rules, folded, method))!;
}

/** Every reading must lead to the same route and rule; a route that forwards ambiguous paths asks for all of them. */
function matchReadings<R extends RouteOptions>(
  find: FindRoute<R>,
  host: string,
  target: string,
  method: string,
): Match<R> {
  const readings = pathReadings(target);
  if (readings.kind === 'bad') return { kind: 'bad_path', why: readings.why };
  const first = find(host, readings.paths[0]!);
  if (first === 'torn') return AMBIGUOUS;
  const decisions = new Set<Decision<R>>();
  let missed = false;
  for (const path of allPaths(readings, target, first)) {
    const route = find(host, path);
    if (route === 'torn') return AMBIGUOUS;
    if (route === undefined) missed = true;
    else decisions.add(decide(route, path, method));
  }
  if (decisions.size === 0) return NONE;
  // One reading outside every route is the way out of what was meant to be reachable: no setting forwards that.
  if (missed || first === undefined) return AMBIGUOUS;
  if (decisions.size > 1) return strictest(first, [...decisions]);
  const [only] = decisions;
  return readings.canonical ? only!.match : only!.matchSignedIn;
}

function allPaths(
  readings: PathReadings,
  target: string,
  route: CompiledRoute<RouteOptions> | undefined,
): readonly string[] {
  if (route?.options.stripPrefix !== true) return readings.paths;
  const behind = readingsBehindPrefix(target, route.prefix);
  return behind.kind === 'bad' ? readings.paths : [...readings.paths, ...behind.paths];
}

/**
 * `ambiguous_paths: forward`, said by every route concerned: what proves a user to all of them, and all rules of all
 * readings. Never public.
 */
function strictest<R extends RouteOptions>(first: CompiledRoute<R>, decisions: readonly Decision<R>[]): Match<R> {
  const matches = decisions.map((decision) => decision.matchSignedIn);
  if (matches.some((match) => match.route.ambiguousPaths !== 'forward')) return AMBIGUOUS;
  const needs = matches.map((match) => match.needs).reduce<Needs | undefined>(bothNeeds, 'session or bearer');
  if (needs === undefined) return AMBIGUOUS;
  return {
    kind: 'route',
    route: first.options,
    needs,
    rules: matches.flatMap((match) => match.rules),
    closed: matches.some((match) => match.closed),
    acr: matches.map((match) => match.acr).reduce(bothAcr),
  };
}

function bothAcr(
  one: readonly string[] | undefined,
  other: readonly string[] | undefined,
): readonly string[] | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.filter((acr) => other.includes(acr));
}

/** What satisfies both; undefined: nothing does. */
function bothNeeds(one: Needs | undefined, other: Needs): Needs | undefined {
  if (one === 'session or bearer') return other;
  return other === 'session or bearer' || other === one ? one : undefined;
}

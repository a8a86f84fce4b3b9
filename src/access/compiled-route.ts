// A route made ready to be looked up: the prefix that was found and the method alone tell which rule decides.

import { type CompiledRule, compilePrefix, compileRule, isBelow } from './access-rules.ts';
import { hostName } from './host-map.ts';
import { PrefixMap } from './prefix-map.ts';
import type { RouteMatch, RouteOptions } from './route-match.ts';

/**
 * A rule, or the route's default, as it decides at one prefix. What every request reads comes first and in one object: of
 * many thousands nearly each is in memory that the processor has to wait for.
 */
export interface Candidate<R> extends RouteMatch<R> {
  /** undefined: every method. */
  readonly methods: ReadonlySet<string> | undefined;
  /** What decides for other methods. */
  readonly otherwise: Candidate<R> | undefined;
  /** What decides for a path that is not canonical: never public. */
  readonly signedIn: RouteMatch<R>;
  readonly compiled: CompiledRoute<R>;
}

export interface CompiledRoute<R> {
  readonly options: R;
  /** undefined: all. */
  readonly hosts: readonly (string | undefined)[];
  readonly prefix: string;
  /** The prefix as the index without case has it. */
  readonly foldedPrefix: string;
  /** By prefix what decides there first, the route's own and those of its rules below it; folded where case is ignored. */
  readonly candidates: PrefixMap<Candidate<R>>;
}

/** What the routes of one table have in common. */
export class SharedByRoutes {
  #matches = 0;
  readonly #methods = new Map<string, ReadonlySet<string>>();

  countMatch(): number {
    return this.#matches++;
  }

  /** One set for all that are equal: a thousand rules say `GET`. */
  methods(methods: ReadonlySet<string> | undefined): ReadonlySet<string> | undefined {
    if (methods === undefined) return undefined;
    const key = JSON.stringify([...methods].sort());
    const known = this.#methods.get(key) ?? methods;
    this.#methods.set(key, known);
    return known;
  }
}

/** @throws GatewayError `route_invalid` for a path or claim that is none. */
export function compileRoute<R extends RouteOptions>(options: R, shared: SharedByRoutes): CompiledRoute<R> {
  const prefix = compilePrefix(options.path ?? '/');
  const compiled: CompiledRoute<R> = {
    options,
    hosts: options.hosts?.map(hostName) ?? [undefined],
    prefix,
    foldedPrefix: foldCase(prefix),
    candidates: new PrefixMap<Candidate<R>>(),
  };
  const read = (path: string) => (options.caseInsensitivePaths ? foldCase(path) : path);
  const own = read(prefix);
  const rules = (options.access ?? []).map((access, at) => {
    const rule = compileRule(access, at);
    return {
      prefix: read(rule.prefix),
      methods: shared.methods(rule.methods),
      ...compileMatch(options, rule, shared.countMatch()),
    };
  });
  const byDefault = { methods: undefined, ...compileMatch(options, undefined, undefined) };
  // A path outside the route is never looked up here, whatever its rules say of it.
  for (const at of [own, ...rules.map((rule) => rule.prefix)]) {
    const holding = [...rules.filter((rule) => isBelow(at, rule.prefix)), byDefault];
    const first = holding.reduceRight<Candidate<R> | undefined>(
      (next, rule) => candidate(compiled, rule, next),
      undefined,
    );
    compiled.candidates.add(at, first!);
  }
  return compiled;
}

interface RuleOfRoute<R> extends Pick<Candidate<R>, 'methods' | 'signedIn'> {
  readonly isPublic: boolean;
}

function compileMatch<R extends RouteOptions>(
  options: R,
  rule: CompiledRule | undefined,
  number: number | undefined,
): Omit<RuleOfRoute<R>, 'methods'> {
  // For rules that say nothing of their own, and for paths that are not canonical: those are never public.
  const ofUser = options.auth === undefined || options.auth === 'public' ? 'session' : options.auth;
  const auth = rule === undefined ? (options.auth ?? 'session') : (rule.auth ?? ofUser);
  const signedIn: RouteMatch<R> = {
    kind: 'route',
    route: options,
    needs: auth === 'public' ? ofUser : auth,
    number,
    rules: rule === undefined ? [] : [rule],
    closed: rule === undefined && options.accessDefault === 'deny',
    acr: rule?.acr,
  };
  return { signedIn, isPublic: auth === 'public' && !signedIn.closed };
}

function candidate<R>(
  compiled: CompiledRoute<R>,
  { methods, signedIn, isPublic }: RuleOfRoute<R>,
  otherwise: Candidate<R> | undefined,
): Candidate<R> {
  const { kind, route, needs, number, rules, closed, acr } = signedIn;
  return {
    methods,
    kind,
    needs: isPublic ? 'public' : needs,
    route,
    number,
    otherwise,
    rules,
    closed,
    acr,
    signedIn,
    compiled,
  };
}

/** The one that decides a request of this method. */
export function forMethod<R>(first: Candidate<R>, method: string): Candidate<R> {
  let candidate = first;
  while (candidate.methods !== undefined && !candidate.methods.has(method)) candidate = candidate.otherwise!;
  return candidate;
}

/** Both ways, because lower case alone leaves letters apart that an application may take for one (`ſ` and `s`). */
export function foldCase(path: string): string {
  return path.toUpperCase().toLowerCase();
}

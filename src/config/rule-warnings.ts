// `routes[].access`: rules that never match. They do no harm by themselves, but as a rule somebody meant something else by
// them, and believes a path to be protected. Pure.

import { isBelow } from './kinds/paths.ts';
import { childPath, type Finding } from './problem.ts';
import type { ConfigFile } from './sections/config-file.ts';

type Route = ConfigFile['routes'][number];
type Rule = Route['access'][number];

/** One finding for each rule of `route` that takes no request. */
export function ruleWarnings(route: Route, file: ConfigFile, at: string): Finding[] {
  const read = (path: string) => (route.case_insensitive_paths ? path.toLowerCase() : path);
  const rules = route.access.map((rule) => ({ ...rule, path: read(rule.path) }));
  return rules.flatMap((rule, i) => {
    const why = outside(rule, route, read) ?? taken(rule, route, file, read) ?? hidden(rule, rules.slice(0, i));
    return why === undefined ? [] : [{ path: childPath(`${at}.access`, i), ...why }];
  });
}

type Why = Omit<Finding, 'path'>;

function outside(rule: Rule, { path }: Route, read: (path: string) => string): Why | undefined {
  if (isBelow(rule.path, read(path)) || isBelow(read(path), rule.path)) return undefined;
  return {
    message: `this rule never matches: its route is for ${path}`,
    cure: `write the whole path as the browser sends it, beginning with ${path}`,
  };
}

/** Another route, or the gate itself, has all of the rule's paths. */
function taken(
  rule: Rule,
  route: Route,
  { routes, proxy_prefix: prefix }: ConfigFile,
  read: (path: string) => string,
): Why | undefined {
  if (isBelow(rule.path, read(prefix))) {
    return { message: `this rule never matches: paths under ${prefix} are the gate's own`, cure: 'remove it' };
  }
  const other = routes.findIndex(
    ({ host, path }) =>
      host?.hostname === route.host?.hostname &&
      path !== route.path &&
      isBelow(read(path), read(route.path)) &&
      isBelow(rule.path, read(path)),
  );
  if (other === -1) return undefined;
  const { path } = routes[other]!;
  return {
    message: `this rule never matches: routes[${other}] is for ${path} and takes all its requests`,
    cure: `write it among the rules of routes[${other}]`,
  };
}

function hidden(rule: Rule, earlier: readonly Rule[]): Why | undefined {
  const hiding = earlier.findIndex((first) => hides(first, rule));
  if (hiding === -1) return undefined;
  return {
    message: `this rule never matches: the first that matches decides, and access[${hiding}] takes all its requests`,
    cure: 'write the narrower rule first; for "either of two", list both in one rule',
  };
}

function hides(first: Rule, second: Rule): boolean {
  if (!isBelow(second.path, first.path)) return false;
  return first.methods === undefined || (second.methods?.every((method) => first.methods!.includes(method)) ?? false);
}

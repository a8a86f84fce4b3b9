// `routes[].access`: rules that contradict their route or themselves.

import { isBelow } from '../kinds/paths.ts';
import { childPath, type Finding } from '../problem.ts';
import type { RouteDraft } from '../sections/config-file.ts';

type RuleDraft = NonNullable<NonNullable<RouteDraft['access']>[number]>;

/** What a rule can ask of a user. */
const CONDITIONS = ['roles', 'groups', 'claims', 'acr'] as const;

/** A route's access rules: none may contradict the route or be unreachable. */
export function checkRules(path: string, route: RouteDraft): Finding[] {
  const rules = route.access ?? [];
  const findings: Finding[] = [];
  const isPublic = route.auth?.includes('public') === true;
  if (isPublic && route.auth!.length > 1) {
    const message = 'public means that nobody has to sign in, whatever else is listed';
    findings.push({ path: `${path}.auth`, message, cure: 'write public alone, or remove it' });
  } else if (isPublic && (rules.length > 0 || route.access_default === 'deny')) {
    const message = 'the route is public, so its access rules would protect nothing';
    const cure =
      'remove auth: public and write rules with auth: public for the paths that need no sign-in, or remove the rules';
    findings.push({ path: `${path}.auth`, message, cure });
  }
  if (route.unauthenticated === 'login' && takesOnlyTokens(route)) {
    const message = 'only programs with an access token come through here, and sign-in gives them none';
    const cure = 'remove unauthenticated: login, or write auth: [session, bearer]';
    findings.push({ path: `${path}.unauthenticated`, message, cure });
  }
  rules.forEach((rule, i) => {
    if (rule !== undefined) findings.push(...checkRule(childPath(`${path}.access`, i), rule, route));
  });
  return findings;
}

/** The whole route, whatever its rules say: none of them lets a browser in. */
function takesOnlyTokens({ auth, access }: RouteDraft): boolean {
  const isBearer = auth?.length === 1 && auth[0] === 'bearer';
  return isBearer && (access ?? []).every((rule) => rule?.auth !== 'session');
}

function checkRule(at: string, rule: RuleDraft, route: RouteDraft): Finding[] {
  const findings: Finding[] = [];
  const conditions = CONDITIONS.filter((key) => rule[key] !== undefined);
  if (rule.auth === 'public' && conditions.length > 0) {
    const message = `a public rule asks nobody for ${conditions.join(', ')}`;
    findings.push({ path: `${at}.auth`, message, cure: `remove auth: public, or remove ${conditions.join(', ')}` });
  }
  for (const [i, acr] of (rule.acr ?? []).entries()) {
    // What acr_values and a challenge can carry (OpenID Connect Core 3.1.2.1, RFC 9470 section 3).
    if (acr === undefined || /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(acr)) continue;
    const message = 'no provider can be asked for this class: spaces separate classes, and quotes end the list';
    findings.push({ path: childPath(`${at}.acr`, i), message, cure: 'write each class as an item of a list' });
  }
  if (rule.path === undefined || route.path === undefined) return findings;
  if (rule.auth === 'public' && isBelow(route.path, rule.path) && route.access!.length > 1) {
    const message =
      'a public rule for the whole route, beside rules that protect parts of it: one slip in their order and everything is open';
    const cure = 'write the public paths one by one, or give the public part a route of its own with auth: public';
    findings.push({ path: `${at}.auth`, message, cure });
  }
  return findings;
}

// One route's access rules: first match by path and method; any-of within a key, all-of across keys
// (design: config.md, `access`).

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { claimAt, parseClaimPath, textsOf } from './claim-path.ts';
import { plainPathEnd } from './path-readings.ts';
import { hasRole, parseRole } from './roles.ts';

/** A claim's value as the configuration writes it; a list means any of it. */
export type ClaimValue = string | number | boolean;

export interface RuleOptions {
  /** Segment-wise prefix of the path on the public host, the route's own prefix included; default: the whole route. */
  readonly path?: string;
  /** Exactly these methods (GET does not include HEAD); default: every method. */
  readonly methods?: readonly string[] | undefined;
  /** Instead of the route's own. */
  readonly auth?: 'public' | 'session' | 'bearer';
  /** `name` is a realm role, `client:name` a client's. */
  readonly roles?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  /** By claim path (`a.b`, `\.` for a dot in a name). */
  readonly claims?: Readonly<Record<string, ClaimValue | readonly ClaimValue[]>> | undefined;
  /** Any of these authentication context classes; unlike the other conditions a stronger sign-in can fulfil it. */
  readonly acr?: readonly string[] | undefined;
}

export interface CompiledRule {
  /** For operators: `access[1] /admin`. */
  readonly label: string;
  /** Without a trailing slash; '' matches every path. */
  readonly prefix: string;
  readonly methods: ReadonlySet<string> | undefined;
  /** undefined: the route's own. */
  readonly auth: 'public' | 'session' | 'bearer' | undefined;
  /** Whether a signed-in user with these claims may pass, `acr` aside. */
  readonly permits: (claims: Claims) => boolean;
  readonly conditions: readonly Condition[];
  /** undefined: however the user signed in. */
  readonly acr: readonly string[] | undefined;
}

/** One key of a rule. */
export interface Condition {
  /** For operators: `any of the roles wiki-admin, account:manage`. */
  readonly text: string;
  readonly holds: (claims: Claims) => boolean;
}

/** @throws GatewayError `route_invalid` naming the mistake and its cure. */
export function compileRule(options: RuleOptions, index: number): CompiledRule {
  const prefix = compilePrefix(options.path ?? '/');
  const conditions = compileConditions(options);
  return {
    label: `access[${index}] ${options.path ?? '/'}`,
    prefix,
    methods: options.methods === undefined ? undefined : new Set(options.methods.map((name) => name.toUpperCase())),
    // Public and a condition contradict each other; the condition wins.
    auth: options.auth === 'public' && (conditions.length > 0 || options.acr !== undefined) ? undefined : options.auth,
    permits: (claims) => conditions.every(({ holds }) => holds(claims)),
    conditions,
    acr: options.acr,
  };
}

/**
 * A configured path as the decoded segment-wise prefix it stands for, '' for `/`.
 * @throws GatewayError `route_invalid` for a path that is no plain prefix: `/a//b`, `/a/../b`, `/public/*`.
 */
export function compilePrefix(path: string): string {
  const decoded = decodeConfigured(path);
  // Only ASCII is left to the plain check; other letters have one reading.
  const ascii = decoded?.replace(/[^\u0000-\u007f]| /g, 'x');
  if (ascii === undefined || plainPathEnd(ascii) !== ascii.length || path.includes('*')) {
    throw new GatewayError('route_invalid', {
      status: 500,
      message: `path ${JSON.stringify(path)} is not a plain path: write it as "/segment/segment", without //, dot segments, ; ? # \\ or *; it covers everything below it`,
    });
  }
  return decoded!.replace(/\/$/, '');
}

function decodeConfigured(path: string): string | undefined {
  if (/%(?:2f|5c|2e|25|3b|3f|23|2a)/i.test(path)) return undefined;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** Whether the decoded `path` is `prefix` or below it, by whole segments. */
export function isBelow(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

function compileConditions(options: RuleOptions): readonly Condition[] {
  const conditions: Condition[] = [];
  if (options.roles !== undefined) {
    const roles = options.roles.map(parseRole);
    const text = `any of the roles ${options.roles.join(', ')}`;
    conditions.push({ text, holds: (claims) => roles.some((role) => hasRole(claims, role)) });
  }
  if (options.groups !== undefined) {
    conditions.push({
      text: `any of the groups ${options.groups.join(', ')}`,
      holds: anyOf(['groups'], options.groups),
    });
  }
  for (const [text, wanted] of Object.entries(options.claims ?? {})) {
    const path = parseClaimPath(text);
    if (path === undefined) {
      throw new GatewayError('route_invalid', {
        status: 500,
        message: `claim ${JSON.stringify(text)} is not a claim path: write name.name, with \\. for a dot inside a name`,
      });
    }
    const values = Array.isArray(wanted) ? wanted : [wanted as ClaimValue];
    conditions.push({ text: `${text} any of ${values.join(', ')}`, holds: anyOf(path, values) });
  }
  return conditions;
}

/** Values are compared as text: YAML's `2` and a claim `"2"` are the same, and so are `true` and `"true"`. */
function anyOf(path: readonly string[], wanted: readonly ClaimValue[]): Condition['holds'] {
  const texts = new Set(wanted.map(String));
  return (claims) => {
    const claim = claimAt(claims, path);
    // Nearly always texts: no list is made of them for each request.
    if (typeof claim === 'string') return texts.has(claim);
    if (Array.isArray(claim) && claim.some((entry) => texts.has(entry))) return true;
    return textsOf(claim).some((text) => texts.has(text));
  };
}

/** Top-level claims that a rule refers to. */
export function claimsOfRule(options: RuleOptions): readonly string[] {
  const names = (options.roles ?? []).map((role) => parseRole(role).path[0]!);
  if (options.groups !== undefined) names.push('groups');
  for (const text of Object.keys(options.claims ?? {})) names.push(...(parseClaimPath(text)?.slice(0, 1) ?? []));
  return names;
}

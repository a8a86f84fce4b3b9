// What a route says, what it comes to for one request, and whether a user may have that (design: config.md, `routes`).

import type { Claims } from '../base/tokens.ts';
import type { CompiledRule, RuleOptions } from './access-rules.ts';
import { textsOf } from './claim-path.ts';

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
  /** Counts the matches of a table that ask something of the user; undefined: asks nothing, or made for one request alone. */
  readonly number: number | undefined;
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

// What the signed assertion says of a user to one application (design: config.md, `headers.signed_assertion`).

import type { Claims } from '../base/tokens.ts';
import { textsOf } from './claim-path.ts';
import { allRoles } from './roles.ts';

/** Who the assertion is about, for whom it is, and when. */
export interface AssertionFacts {
  /** The gate: its first public origin. */
  readonly issuer: string;
  /** The route's name: an assertion for one application is worth nothing to another. */
  readonly audience: string;
  readonly sub: string;
  readonly sid: string | undefined;
  /** The session by the operators' name for it. */
  readonly session: string;
  readonly claims: Claims;
  readonly jti: string;
  readonly nowSeconds: number;
}

/** From its making to its `exp`. */
export const ASSERTION_LIFETIME_SECONDS = 120;

/** Top-level claims of the user that go into it. */
export const ASSERTED_CLAIMS = ['preferred_username', 'name', 'email', 'groups', 'realm_access', 'resource_access'];

const NAMES = ['preferred_username', 'name', 'email'] as const;

/** The claims of a JWT (RFC 7519); those of the user that have no text are left out. Roles are in the words of the rules. */
export function assertionClaims(facts: AssertionFacts): Claims {
  const { issuer, audience, sub, sid, session, claims, jti, nowSeconds } = facts;
  const names = NAMES.filter((name) => typeof claims[name] === 'string').map((name) => [name, claims[name]]);
  return {
    iss: issuer,
    aud: audience,
    sub,
    ...(sid === undefined ? {} : { sid }),
    session,
    ...Object.fromEntries(names),
    groups: textsOf(claims['groups']),
    roles: allRoles(claims),
    iat: nowSeconds,
    exp: nowSeconds + ASSERTION_LIFETIME_SECONDS,
    jti,
  };
}

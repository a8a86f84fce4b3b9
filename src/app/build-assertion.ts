// A route's signed assertion, from the record of a session to the header.

import { ASSERTION_LIFETIME_SECONDS, assertionClaims } from '../access/assertion-claims.ts';
import { MAX_TOKEN_LENGTH } from '../access/header-text.ts';
import type { OnLeftOut } from '../access/identity-headers.ts';
import type { Clock } from '../base/clock.ts';
import { newRequestId } from '../base/ids.ts';
import type { Config, RouteConfig } from '../config/model.ts';
import type { GateRoute } from '../gate/gate-route.ts';
import { AssertionSigner } from '../oidc/assertion-signer.ts';

const HEADER = 'X-Portcullis-Assertion';
/** So an application always gets one that is good for as long again, however slow the way to it is. */
const RENEW_AFTER_MS = (ASSERTION_LIFETIME_SECONDS * 1000) / 2;

/** What signs the assertions of this configuration; undefined where no route sends any. */
export function assertionSigner({ routes, session }: Config): AssertionSigner | undefined {
  return routes.some(({ headers }) => headers.signedAssertion) ? new AssertionSigner(session.secrets) : undefined;
}

export interface AssertionParts {
  readonly signer: AssertionSigner | undefined;
  readonly clock: Clock;
  /** Hears of one that is too long for a header. */
  readonly onLeftOut: OnLeftOut;
}

/** Undefined where the route sends none. */
export function buildAssertion(
  config: Config,
  route: RouteConfig,
  { signer, clock, onLeftOut }: AssertionParts,
): GateRoute['assertion'] {
  if (!route.headers.signedAssertion || signer === undefined) return undefined;
  return async ({ sub, sid, handle, claims }) => {
    const renewAtMs = clock.monotonicMs() + RENEW_AFTER_MS;
    const assertion = await signer.sign(
      assertionClaims({
        issuer: config.publicUrls[0].origin,
        audience: route.name,
        sub,
        sid,
        session: handle,
        claims,
        jti: newRequestId(),
        nowSeconds: Math.floor(clock.now() / 1000),
      }),
    );
    if (assertion.length <= MAX_TOKEN_LENGTH) return { headers: [HEADER, assertion], renewAtMs };
    onLeftOut(HEADER, `it is longer than ${MAX_TOKEN_LENGTH / 1024} KiB`);
    return { headers: [], renewAtMs };
  };
}

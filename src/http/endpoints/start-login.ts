// The first leg of sign-in (OpenID Connect Core section 3.1.2.1): a transaction for this browser, then off to the
// provider. Only for top-level navigations and for people who asked to sign in; nothing else gets a cookie.

import { hasAcr } from '../../access/route-match.ts';
import { beginLogin } from '../../oidc/begin-login.ts';
import type { StoredSession } from '../../session/session-record.ts';
import type { GateContext } from '../gate-context.ts';
import { addressBehind } from '../own-pages.ts';

/** Longer addresses are forgotten: the cookies of many tabs must fit into one request's header. */
const MAX_KEPT_ADDRESS = 1024;
/** What is not to be seen must not lose anything either; such a cookie is there for a moment, and is what a browser takes. */
const MAX_KEPT_UNSEEN = 2048;

export interface LoginStart {
  /** Absolute URL on our own origin, already checked. */
  readonly returnTo: string;
  /** How often the gate itself restarted this sign-in: bounded, so that nothing loops. */
  readonly restarts: number;
  /** What the address asks for; the callback looks whether the provider gave it. */
  readonly acr?: readonly string[] | undefined;
  /** The browser's session: the provider is asked whether it lives, and shows its user nothing. */
  readonly unproven?: StoredSession | undefined;
}

/** @throws GatewayError `provider_unavailable`, `store_unavailable` on the way to a kept form (503). */
export async function startLogin(ctx: GateContext, start: LoginStart): Promise<void> {
  const { provider, transactions, entry } = ctx.state;
  const { snapshot, publicUrl } = entry;
  const redirectUri = `${publicUrl.origin}${snapshot.prefix}/callback`;
  const behind = await addressBehind(ctx, start.returnTo);
  const acr =
    start.acr ?? (behind === undefined ? snapshot.acrFor(start.returnTo, 'GET') : snapshot.acrFor(behind, 'POST'));
  // Whoever signed in too weakly for the page is asked anyway.
  const isAsked = acr !== undefined && !hasAcr(start.unproven?.record.claims['acr'], acr);
  const unproven = isAsked ? undefined : start.unproven?.record;
  const { url, transaction } = await beginLogin(provider, {
    redirectUri,
    parameters: snapshot.authorizationParams(behind ?? start.returnTo),
    acrValues: acr,
    confirming: unproven?.tokens.idToken,
  });
  const cookie = transactions.begin(snapshot.cookies, {
    ...transaction,
    restarts: start.restarts,
    acr,
    recheck: unproven && { id: unproven.id, handle: unproven.handle, provenAt: unproven.provenAt },
    returnTo:
      start.returnTo.length > (unproven ? MAX_KEPT_UNSEEN : MAX_KEPT_ADDRESS) ? `${publicUrl.origin}/` : start.returnTo,
    redirectUri,
    issuer: provider.options.issuer,
  });
  ctx.append('Set-Cookie', cookie);
  ctx.status = 302;
  ctx.set('Location', url);
  ctx.body = '';
}

// The first leg of sign-in (OpenID Connect Core section 3.1.2.1): a transaction for this browser, then off to the
// provider. Only for top-level navigations and for people who asked to sign in; nothing else gets a cookie.

import { beginLogin } from '../../oidc/begin-login.ts';
import type { GateContext } from '../gate-context.ts';
import { addressBehind } from '../own-pages.ts';

/** Longer addresses are forgotten: the cookies of many tabs must fit into one request's header. */
const MAX_KEPT_ADDRESS = 1024;

export interface LoginStart {
  /** Absolute URL on our own origin, already checked. */
  readonly returnTo: string;
  /** How often the gate itself restarted this sign-in: bounded, so that nothing loops. */
  readonly restarts: number;
  /** What the address asks for; the callback looks whether the provider gave it. */
  readonly acr?: readonly string[] | undefined;
}

/** @throws GatewayError `provider_unavailable`, `store_unavailable` on the way to a kept form (503). */
export async function startLogin(ctx: GateContext, start: LoginStart): Promise<void> {
  const { provider, transactions, entry } = ctx.state;
  const { snapshot, publicUrl } = entry;
  const redirectUri = `${publicUrl.origin}${snapshot.prefix}/callback`;
  const behind = await addressBehind(ctx, start.returnTo);
  const acr =
    start.acr ?? (behind === undefined ? snapshot.acrFor(start.returnTo, 'GET') : snapshot.acrFor(behind, 'POST'));
  const { url, transaction } = await beginLogin(provider, {
    redirectUri,
    parameters: snapshot.authorizationParams(behind ?? start.returnTo),
    acrValues: acr,
  });
  const cookie = transactions.begin(snapshot.cookies, {
    ...transaction,
    ...start,
    acr,
    returnTo: start.returnTo.length > MAX_KEPT_ADDRESS ? `${publicUrl.origin}/` : start.returnTo,
    redirectUri,
    issuer: provider.options.issuer,
  });
  ctx.append('Set-Cookie', cookie);
  ctx.status = 302;
  ctx.set('Location', url);
  ctx.body = '';
}

// GET <prefix>/login?return_to= : starts a sign-in. Nothing else in the query is looked at, so that no link can change
// what is asked of the provider.

import { safeReturnAddress } from '../../access/return-address.ts';
import { GatewayError } from '../../base/gateway-error.ts';
import type { GateContext } from '../gate-context.ts';
import { startLogin } from './start-login.ts';

/** @throws GatewayError `not_a_navigation` for images, frames and prefetches: they must not plant cookies. */
export async function login(ctx: GateContext): Promise<void> {
  if (ctx.get('Sec-Fetch-Dest') !== '' && !ctx.state.entry.isNavigation()) {
    throw new GatewayError('not_a_navigation', {
      status: 403,
      message: 'sign-in was asked for by something else than a page',
    });
  }
  await startLogin(ctx, { returnTo: returnAddress(ctx), restarts: 0 });
}

/** Where to go afterwards: `return_to` if it is on our own origin, else the front page. */
function returnAddress(ctx: GateContext): string {
  const asked = new URLSearchParams(ctx.querystring).getAll('return_to');
  const { publicUrl, snapshot } = ctx.state.entry;
  return safeReturnAddress(asked.length === 1 ? asked[0]! : '/', publicUrl.origin, snapshot.prefix);
}

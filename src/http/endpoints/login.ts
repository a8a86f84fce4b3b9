// GET <prefix>/login?return_to= : starts a sign-in. Nothing else in the query is looked at, so that no link can change
// what is asked of the provider.

import { safeReturnAddress } from '../../access/return-address.ts';
import { GatewayError } from '../../base/gateway-error.ts';
import type { StoredSession } from '../../session/session-record.ts';
import type { GateContext } from '../gate-context.ts';
import { presentedSession } from '../koa-session.ts';
import { ownPage } from '../own-pages.ts';
import { startLogin } from './start-login.ts';

/** @throws GatewayError `not_a_navigation` for images, frames and prefetches: they must not plant cookies. */
export async function login(ctx: GateContext): Promise<void> {
  if (ctx.get('Sec-Fetch-Dest') !== '' && !ctx.state.entry.isNavigation()) {
    throw new GatewayError('not_a_navigation', {
      status: 403,
      message: 'sign-in was asked for by something else than a page',
    });
  }
  await startLogin(ctx, { returnTo: returnAddress(ctx), restarts: 0, unproven: await unprovenSession(ctx) });
}

/**
 * The session of the browser, where the provider has to confirm it: its user need not see that.
 * @throws GatewayError `store_unavailable`
 */
async function unprovenSession(ctx: GateContext): Promise<StoredSession | undefined> {
  const { recheck } = ctx.state;
  const session = recheck && (await presentedSession(ctx));
  return session !== undefined && recheck?.isDue(session) ? session : undefined;
}

/** Where to go afterwards: `return_to` if it is the application's on our own origin, or one of two pages of ours; else the front page. */
function returnAddress(ctx: GateContext): string {
  const all = new URLSearchParams(ctx.querystring).getAll('return_to');
  const asked = all.length === 1 ? all[0]! : '/';
  const { publicUrl, snapshot } = ctx.state.entry;
  return (
    ownPage(asked, publicUrl.origin, snapshot.prefix) ?? safeReturnAddress(asked, publicUrl.origin, snapshot.prefix)
  );
}

// The answer to a browser that has used the application's own logout: the application has ended its session, the gate ends
// its own, and the provider is next (OpenID Connect RP-Initiated Logout 1.0).

import type { GateContext } from '../gate-context.ts';
import { signOnOf } from '../sign-on-of.ts';
import { goToProvider, keepable } from './logout.ts';

/** @throws GatewayError `store_unavailable` (503): the session could not be ended, and the user is told so. */
export async function appLogout(ctx: GateContext): Promise<void> {
  const { leaving, endSessions } = ctx.state;
  if (leaving === undefined) throw new Error('only an answer of an application leads here');
  await endSessions(signOnOf(leaving.session), leaving.cause);
  for (const cookie of leaving.setCookies) ctx.append('Set-Cookie', cookie);
  await goToProvider(ctx, leaving.session, { returnTo: keepable(leaving.returnTo), uiLocales: undefined });
}

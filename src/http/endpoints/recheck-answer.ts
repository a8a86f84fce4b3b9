// The provider's answer about a session, brought back by the browser (OpenID Connect Core section 3.1.2.6). It belongs to a
// question of this very browser: whoever makes one up ends nobody's session but their own.

import { errorCode } from '../../base/gateway-error.ts';
import type { GateContext } from '../gate-context.ts';
import type { LoginTransaction, RecheckedSession } from '../login-transactions.ts';
import { goOn } from './go-on.ts';
import { startLogin } from './start-login.ts';

/** Whether the browser still has the session that was asked about. */
export function isStillThere({ state }: GateContext, asked: RecheckedSession): boolean {
  return state.session?.record.handle === asked.handle;
}

/**
 * Where it has not, no answer counts: nobody was asked anything, so it neither takes the place of who has signed in meanwhile
 * nor undoes that the user has left. Whoever has no session signs in as anybody.
 */
export async function overtaken(ctx: GateContext, { returnTo, acr }: LoginTransaction): Promise<void> {
  if (ctx.state.session !== undefined) goOn(ctx, returnTo);
  else await startLogin(ctx, { returnTo, restarts: 0, acr });
}

/** Whoever signs in after one of these may be let through by the provider; a code is refused where another window was faster. */
const REFUSALS: ReadonlySet<string> = new Set(['interaction_required', 'login_refused', 'code_refused']);

/**
 * What follows from an answer that confirms nothing. Where the provider would have to ask its user something, the session is
 * over, and its user signs in as anybody; at another refusal the user signs in too, and goes on with the session. Nothing
 * here asks silently again, so nothing goes round.
 * @throws `error` itself where it says nothing about the user: the session stays, and waits for the next answer.
 */
export async function notConfirmed(ctx: GateContext, transaction: LoginTransaction, error: unknown): Promise<void> {
  const { session, endSessions } = ctx.state;
  const { recheck, returnTo, acr } = transaction;
  const code = errorCode(error);
  if (!REFUSALS.has(code)) throw error;
  // Confirmed in another window meanwhile: the answer is not about what there is now.
  if (session !== undefined && session.record.provenAt !== recheck?.provenAt) return goOn(ctx, returnTo);
  if (session !== undefined && code === 'interaction_required') {
    await endSessions({ by: 'handle', handle: session.record.handle }, { reason: 'revalidation' });
  }
  await startLogin(ctx, { returnTo, restarts: 0, acr });
}

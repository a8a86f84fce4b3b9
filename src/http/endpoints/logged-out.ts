// GET <prefix>/logged-out : the page after logout, and the return leg of RP-initiated logout. It checks nothing and
// breaks on nothing: a `state` that is ours leads on to the address asked for, every other one is ignored.

import { loggedOutPage } from '../../pages/logged-out-page.ts';
import { answerPage } from '../answer-page.ts';
import type { GateContext } from '../gate-context.ts';
import { clearSiteData, openLogoutState } from './logout.ts';

export function loggedOut(ctx: GateContext): void {
  const query = new URLSearchParams(ctx.querystring);
  const returnTo = openLogoutState(ctx, query.get('state') ?? '');
  if (returnTo !== undefined) {
    ctx.status = 303;
    ctx.set('Location', returnTo);
    ctx.body = '';
    return;
  }
  clearSiteData(ctx);
  const { prefix } = ctx.state.entry.snapshot;
  const providerUnreachable = query.get('provider') === 'unreachable';
  answerPage(ctx, 200, loggedOutPage({ signInUrl: `${prefix}/login`, providerUnreachable }));
}

// GET <prefix>/logged-out : the page after logout, and the return leg of RP-initiated logout. It checks nothing and
// breaks on nothing: a `state` that is ours leads on to the address asked for, every other one is ignored.

import { loggedOutPage } from '../../pages/logged-out-page.ts';
import { answerPage } from '../answer-page.ts';
import type { GateContext } from '../gate-context.ts';
import { clearSiteData, queryOf } from './logout.ts';

export function loggedOut(ctx: GateContext): void {
  const { logoutStates, logoutOptions, entry } = ctx.state;
  const { outcome, returnTo } = logoutStates.open(new URLSearchParams(ctx.querystring).get('state') ?? '') ?? {};
  // Anybody's link or picture can ask for this page, so it takes nothing away that somebody could miss.
  clearSiteData(
    ctx,
    logoutOptions.clearSiteData.filter((kind) => kind === 'cache'),
  );
  // Where the provider did not hear of the logout, the user does, before anything else.
  if (returnTo !== undefined && (outcome === 'sent' || outcome === 'no session')) {
    ctx.status = 303;
    ctx.set('Location', returnTo);
    ctx.body = '';
    return;
  }
  const { prefix } = entry.snapshot;
  const page = loggedOutPage({
    signInUrl: `${prefix}/login`,
    tryAgainUrl: `${prefix}/logout${queryOf({ returnTo })}`,
    continueUrl: returnTo,
    outcome,
  });
  answerPage(ctx, 200, page);
}

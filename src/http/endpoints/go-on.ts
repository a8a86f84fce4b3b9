// Where the callback leads a browser that is signed in.

import { signedInPage } from '../../pages/signed-in-page.ts';
import { answerPage } from '../answer-page.ts';
import type { GateContext } from '../gate-context.ts';

/**
 * To the page that was wanted. A SameSite=Strict cookie does not travel along a chain of redirects that began at the
 * provider, and its user would be asked to sign in again for ever; a page of our own ends the chain.
 */
export function goOn(ctx: GateContext, returnTo: string): void {
  if (ctx.state.entry.snapshot.cookies.sameSite === 'strict') {
    ctx.set('Refresh', `0; url=${returnTo}`);
    answerPage(ctx, 200, signedInPage({ continueUrl: returnTo }));
    return;
  }
  ctx.status = 303;
  ctx.set('Location', returnTo);
  ctx.body = '';
}

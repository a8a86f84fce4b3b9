// <prefix>/sign-in-again.js : for pages of applications that want their user to sign in again without leaving the page;
// <prefix>/signed-in : where such a sign-in ends, in the other window.

import { signInAgainScript } from '../../pages/sign-in-again-script.ts';
import { signedInBesidePage } from '../../pages/signed-in-beside-page.ts';
import { answerPage } from '../answer-page.ts';
import type { GateContext } from '../gate-context.ts';

export function signInAgain(ctx: GateContext): void {
  ctx.type = 'text/javascript; charset=utf-8';
  ctx.set('Cache-Control', 'no-cache');
  ctx.set('Cross-Origin-Resource-Policy', 'same-origin');
  ctx.body = signInAgainScript;
}

/** It checks nothing: the page that waits asks `/session`. */
export function signedIn(ctx: GateContext): void {
  answerPage(ctx, 200, signedInBesidePage());
}

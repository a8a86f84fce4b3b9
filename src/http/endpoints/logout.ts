// <prefix>/logout : ends the session here first, then at the provider (OpenID Connect RP-Initiated Logout 1.0).
// A link on another site must not be able to log anybody out: POST from our own pages, or a GET that the browser says
// was started here or typed in; every other GET gets a page with a button.

import { safeReturnAddress } from '../../access/return-address.ts';
import type { EndCause } from '../../logout/end-cause.ts';
import { endSessionUrl } from '../../oidc/end-session-url.ts';
import { logoutConfirmPage } from '../../pages/logout-confirm-page.ts';
import type { StoredSession } from '../../session/session-record.ts';
import { answerPage } from '../answer-page.ts';
import { expiredSessionCookie } from '../cookies.ts';
import type { GateContext } from '../gate-context.ts';
import { isForeign } from '../is-foreign.ts';

const SEAL_LABEL = 'logout state';

export async function logout(ctx: GateContext): Promise<void> {
  const { entry } = ctx.state;
  const returnTo = requestedReturn(ctx);
  // A picture, a frame or a prefetch of our own pages is nobody's wish to leave either.
  if (isForeign(entry) || (ctx.method === 'GET' && !entry.isNavigation())) {
    answerPage(
      ctx,
      200,
      logoutConfirmPage({
        action: `${entry.snapshot.prefix}/logout${returnTo ? `?return_to=${encodeURIComponent(returnTo)}` : ''}`,
      }),
      'form',
    );
    return;
  }
  const { session, endSessions } = ctx.state;
  // The local end comes first and needs nobody, so it holds with the provider down.
  if (session) {
    await endSessions({ by: 'handle', handle: session.record.handle }, { reason: 'logout', ...revocation(ctx) });
  }
  goToProvider(ctx, session, returnTo);
}

/** What the provider is asked for beside the browser's own visit: many never arrive there. */
function revocation({ state: { logoutOptions } }: GateContext): Pick<EndCause, 'atProvider'> {
  return logoutOptions.revokeTokens ? { atProvider: 'revoke_token' } : {};
}

/** The answer of a browser that has left `session`: no cookie any more, and on to the provider, from there to `returnTo`. */
function goToProvider(ctx: GateContext, session: StoredSession | undefined, returnTo: string | undefined): void {
  const { entry, provider, logoutOptions } = ctx.state;
  ctx.append('Set-Cookie', expiredSessionCookie(entry.snapshot.cookies));
  clearSiteData(ctx);
  const ownPage = `${entry.publicUrl.origin}${entry.snapshot.prefix}/logged-out`;
  const landing = logoutOptions.postLogoutRedirectUri ?? ownPage;
  const state = ctx.state.seal.seal(returnTo ?? '', SEAL_LABEL);
  const providerUrl = endSessionUrl(provider, {
    postLogoutRedirectUri: landing,
    state,
    ...(session ? { idToken: session.record.tokens.idToken } : {}),
  });
  ctx.status = 303;
  // Without the provider's address the local end still holds, and our page tells the user the truth.
  ctx.set('Location', providerUrl ?? `${ownPage}?provider=unreachable`);
  ctx.body = '';
}

/** What the browser keeps of the pages behind the gate goes with the session (`logout.clear_site_data`). */
export function clearSiteData(ctx: GateContext): void {
  const kinds = ctx.state.logoutOptions.clearSiteData;
  if (kinds.length > 0) ctx.set('Clear-Site-Data', kinds.map((kind) => `"${kind}"`).join(', '));
}

/** Where the user asked to go after logout; undefined: nowhere in particular. */
function requestedReturn(ctx: GateContext): string | undefined {
  const asked = new URLSearchParams(ctx.querystring).getAll('return_to');
  const { publicUrl, snapshot } = ctx.state.entry;
  return asked.length === 1 ? safeReturnAddress(asked[0]!, publicUrl.origin, snapshot.prefix) : undefined;
}

/** The return address in a logout's `state`, or undefined for any other text. */
export function openLogoutState(ctx: GateContext, state: string): string | undefined {
  return ctx.state.seal.open(state, SEAL_LABEL) || undefined;
}

// <prefix>/logout : ends the session here first, then at the provider (OpenID Connect RP-Initiated Logout 1.0).
// A link on another site must not be able to log anybody out: POST from our own pages, or a GET that the browser says
// was started here or typed in; every other GET gets a page with a button.

import { safeReturnAddress } from '../../access/return-address.ts';
import { finishLogoutPage } from '../../pages/finish-logout-page.ts';
import { logoutConfirmPage } from '../../pages/logout-confirm-page.ts';
import type { StoredSession } from '../../session/session-record.ts';
import { answerPage } from '../answer-page.ts';
import { clearSiteDataHeader } from '../clear-site.ts';
import { farewellCookies } from '../cookies.ts';
import type { GateContext } from '../gate-context.ts';
import { isForeign } from '../is-foreign.ts';
import { type LogoutWish, providerLogout } from '../provider-logout.ts';
import { signOnOf } from '../sign-on-of.ts';

/** Longer ones are forgotten: in the `state` they have to fit into an address, beside an ID token. */
const LONGEST_RETURN_ADDRESS = 1024;
/** Language tags, separated by blanks (OpenID Connect Core 1.0 section 3.1.2.1, `ui_locales`; RFC 5646). */
const UI_LOCALES = /^(?=.{1,100}$)[a-z]{2,8}(?:-[a-z0-9]{1,8})*(?: [a-z]{2,8}(?:-[a-z0-9]{1,8})*)*$/i;

export async function logout(ctx: GateContext): Promise<void> {
  const { entry, session, endSessions } = ctx.state;
  const wish = wishOf(ctx);
  // A picture, a frame or a prefetch of our own pages is nobody's wish to leave either.
  if (isForeign(entry) || (ctx.method === 'GET' && !entry.isNavigation())) {
    const action = `${entry.snapshot.prefix}/logout${queryOf(wish)}`;
    // A browser without Sec-Fetch-* says by Origin where the button was, and under no-referrer only `null` (Fetch section 3.2).
    ctx.set('Referrer-Policy', 'same-origin');
    answerPage(ctx, 200, logoutConfirmPage({ action }), 'form');
    return;
  }
  // The local end comes first and needs nobody, so it holds with the provider down.
  if (session) await endSessions(signOnOf(session), { reason: 'logout' });
  await goToProvider(ctx, session, wish);
}

/** The answer of a browser that has left `session`: no cookie any more, and on to the provider, from there as it wished. */
export async function goToProvider(
  ctx: GateContext,
  session: StoredSession | undefined,
  wish: LogoutWish,
): Promise<void> {
  const { entry, logoutOptions } = ctx.state;
  for (const cookie of farewellCookies(entry.snapshot.cookies)) ctx.append('Set-Cookie', cookie);
  clearSiteData(ctx, logoutOptions.clearSiteData);
  const step = await providerLogout(ctx.state, entry, { ...wish, session });
  if (step.kind === 'form') {
    answerPage(ctx, 200, finishLogoutPage(step), 'form');
    return;
  }
  ctx.status = 303;
  ctx.set('Location', step.url);
  ctx.body = '';
}

/** For an answer to a browser that has no session any more. */
export function clearSiteData(ctx: GateContext, kinds: readonly string[]): void {
  const header = clearSiteDataHeader(kinds);
  if (header !== undefined) ctx.set('Clear-Site-Data', header);
}

function wishOf(ctx: GateContext): LogoutWish {
  const query = new URLSearchParams(ctx.querystring);
  const only = (name: string) => (query.getAll(name).length === 1 ? query.get(name)! : undefined);
  const { publicUrl, snapshot } = ctx.state.entry;
  const asked = only('return_to');
  const returnTo = asked === undefined ? undefined : safeReturnAddress(asked, publicUrl.origin, snapshot.prefix);
  const uiLocales = only('ui_locales');
  return {
    returnTo: keepable(returnTo),
    uiLocales: uiLocales !== undefined && UI_LOCALES.test(uiLocales) ? uiLocales : undefined,
  };
}

/** A return address that the logout can carry, or none. */
export function keepable(returnTo: string | undefined): string | undefined {
  return returnTo !== undefined && returnTo.length <= LONGEST_RETURN_ADDRESS ? returnTo : undefined;
}

/** The same wish again, for our own button. */
export function queryOf({ returnTo, uiLocales }: Partial<LogoutWish>): string {
  const query = new URLSearchParams({
    ...(returnTo !== undefined && { return_to: returnTo }),
    ...(uiLocales !== undefined && { ui_locales: uiLocales }),
  }).toString();
  return query === '' ? '' : `?${query}`;
}

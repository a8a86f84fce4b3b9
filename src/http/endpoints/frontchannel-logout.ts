// GET <prefix>/frontchannel-logout?iss=&sid= (OpenID Connect Front-Channel Logout 1.0 section 2), in a frame of the provider's
// logout page. No cookie is looked at: in a frame of another site there mostly is none, and a page of a sister site could send it.

import { signedOutFrame } from '../../pages/signed-out-frame.ts';
import type { GateContext } from '../gate-context.ts';
import { isPrefetch } from '../navigation.ts';

/** Answers 200, or 400 for what names no session; the same page for both. */
export async function frontchannelLogout(ctx: GateContext): Promise<void> {
  const { receiveFrontchannelNotice, provider } = ctx.state;
  const query = new URLSearchParams(ctx.querystring);
  const notice = { iss: query.getAll('iss'), sid: query.getAll('sid') };
  // What a browser fetches before anybody asked for it is nobody's logout.
  const outcome = isPrefetch(ctx.req.headers) ? 'refused' : await receiveFrontchannelNotice(notice);
  const { page, policy } = signedOutFrame(new URL(provider.options.issuer).origin);
  ctx.status = outcome === 'accepted' ? 200 : 400;
  ctx.type = 'text/html; charset=utf-8';
  ctx.set('Content-Security-Policy', policy);
  ctx.body = page;
}

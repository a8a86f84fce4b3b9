// <prefix>/form?id= : a form that was kept because its user's session was over, or the sign-in too weak for it. GET shows what
// can be done with it, the same address before sign-in and after it; POST discards it. Sending it is no endpoint of ours: its
// button posts to the form's own address.

import { hasAcr } from '../../access/route-match.ts';
import { GatewayError } from '../../base/gateway-error.ts';
import {
  type FormGone,
  goneFormPage,
  goneFormStatus,
  keptFormPage,
  readyFormPage,
  weakFormPage,
} from '../../pages/kept-form-page.ts';
import { answerPage } from '../answer-page.ts';
import { isOwner } from '../form-keeping.ts';
import { formPath, isFromOwnPage, parseFormId, sendingTarget, signInForForm } from '../form-requests.ts';
import type { GateContext } from '../gate-context.ts';
import type { KeptForms } from '../kept-forms.ts';
import { removeForeign } from '../resend-form.ts';

/** The endpoint, where forms are kept. @throws GatewayError `cross_site` (403), `store_unavailable` */
export function formEndpoint(kept: KeptForms): (ctx: GateContext) => Promise<void> {
  return async (ctx) => {
    const { entry, recheck, emit } = ctx.state;
    // Nothing is sent with one that the provider has to confirm first.
    const session = ctx.state.session && recheck?.isDue(ctx.state.session) ? undefined : ctx.state.session;
    const id = parseFormId(new URLSearchParams(ctx.querystring).get('id') ?? undefined);
    const form = id === undefined ? undefined : await kept.find(id);
    if (id === undefined || form === undefined || form === 'taken' || form.publicOrigin !== entry.publicOrigin) {
      return answerGone(ctx, form === 'taken' ? 'sent' : 'unknown');
    }
    const here = formPath(entry.snapshot.prefix, id);
    const signInUrl = signInForForm(entry.snapshot.prefix, id);
    if (session === undefined) {
      return answerPage(ctx, 200, keptFormPage({ signInUrl, minutesLeft: kept.minutesLeft(form) }), 'framed');
    }
    if (!isOwner(form, session)) {
      await removeForeign({ emit }, { forms: { kept }, id, session });
      return answerGone(ctx, 'other user');
    }
    if (ctx.method === 'POST') {
      if (!isFromOwnPage(entry)) throw new GatewayError('cross_site', fromElsewhere);
      await kept.take(id);
      const { user, sub, handle } = session.record;
      emit({ event: 'form.removed', why: 'discarded', user, sub, session: handle });
      return answerGone(ctx, 'discarded', form.target);
    }
    const about = {
      user: session.record.user,
      path: form.target.split('?')[0]!,
      minutesLeft: kept.minutesLeft(form),
    };
    const acr = entry.snapshot.acrFor(`${entry.publicOrigin}${form.target}`, 'POST');
    if (acr !== undefined && !hasAcr(session.record.claims['acr'], acr)) {
      return answerPage(ctx, 200, weakFormPage({ ...about, signInUrl }), 'framed');
    }
    // Browsers without Sec-Fetch-* say only by Origin where the button was, and without a referrer they do not.
    ctx.set('Referrer-Policy', 'same-origin');
    const page = readyFormPage({
      ...about,
      bytes: form.bytes,
      sendAction: `${entry.publicOrigin}${sendingTarget(form.target, id)}`,
      discardAction: here,
    });
    answerPage(ctx, 200, page, 'form');
  };
}

function answerGone(ctx: GateContext, why: FormGone, continueUrl = '/'): void {
  answerPage(ctx, goneFormStatus(why), goneFormPage({ why, continueUrl }));
}

const fromElsewhere = {
  status: 403,
  message: 'a form was to be discarded from another site',
  publicMessage: 'Only you can discard a form, on its own page.',
};

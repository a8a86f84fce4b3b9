// The user says: send it now. The form goes on as if it had just arrived, decided anew at its own address, with the
// session that there is now; once, whoever clicks how often, and only for the user who sent it.

import type { ServerResponse } from 'node:http';
import type { StoredSession } from '../session/session-record.ts';
import { hasUnreadBody } from './answer.ts';
import { answerFormGone, redirectToForm } from './answer-form.ts';
import { answerDecision, answerUnavailable } from './answer-request.ts';
import type { DoorParts } from './door-parts.ts';
import { type FormKeeping, isOwner } from './form-keeping.ts';
import { askedForm, isFromOwnPage, withoutMark } from './form-requests.ts';
import { forwardAdmitted } from './forward-admitted.ts';
import type { Admission, ResentForm } from './forwarding.ts';
import type { KeptForm } from './kept-forms.ts';
import type { PublicRequest } from './public-request.ts';
import type { Snapshot } from './snapshot.ts';

interface Wish {
  readonly entry: PublicRequest<Snapshot>;
  readonly response: ServerResponse;
  readonly forms: FormKeeping;
  readonly id: string;
}

/** What the request asks to have sent, or undefined for a request of the application's. */
export function wishToSend(entry: PublicRequest<Snapshot>, response: ServerResponse): Wish | undefined {
  const { forms } = entry.snapshot;
  if (entry.method !== 'POST' || forms === undefined) return undefined;
  const id = askedForm(entry.target);
  return id === undefined ? undefined : { entry, response, forms, id };
}

/** Sends the form, or says what has become of it. Never rejects. */
export async function resendForm(parts: DoorParts, wish: Wish): Promise<void> {
  const { entry, response, id } = wish;
  parts.pending.count++;
  try {
    // Not our button: then it is the user who has to say so, on our page.
    if (!isFromOwnPage(entry) || hasUnreadBody(entry.request)) redirectToForm(entry, response, id);
    else await send(parts, wish);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown failure';
    parts.emit({ event: 'request.failed', code: 'form_not_sent', why, request_id: entry.requestId });
    answerUnavailable(entry, response);
  } finally {
    parts.pending.count--;
  }
}

async function send(parts: DoorParts, { entry, response, forms, id }: Wish): Promise<void> {
  const gone = (why: 'sent' | 'unknown' | 'other user'): void =>
    answerFormGone(entry, response, why, why === 'sent' ? withoutMark(entry.target) : '/');
  const form = await forms.kept.find(id);
  if (form === 'taken') return gone('sent');
  if (form === undefined || form.publicOrigin !== entry.publicOrigin) return gone('unknown');
  // Decided at the form's own address: what the button's says is for the address bar alone.
  const asIfNew = entry.forTarget(form.target);
  const decision = await entry.snapshot.decide(asIfNew);
  if (response.destroyed) return;
  // Its page leads to the sign-in that is missing.
  if (decision.kind === 'unauthenticated' || decision.kind === 'stepUp') return redirectToForm(entry, response, id);
  if (decision.kind !== 'allow') return answerDecision(parts, asIfNew, response, decision);
  const { session } = decision;
  if (session === undefined || !isOwner(form, session)) {
    if (session !== undefined) await removeForeign(parts, { forms, id, session });
    return gone(session === undefined ? 'unknown' : 'other user');
  }
  const taken = await forms.kept.take(id);
  if (typeof taken !== 'object') return gone(taken === 'taken' ? 'sent' : 'unknown');
  handOn(parts, { entry: asIfNew, response, forms, id }, { form: taken, admission: decision, session });
}

/** It is nobody else's any more: from here on it is sent, or put back. */
function handOn(
  parts: DoorParts,
  { entry, response, forms, id }: Wish,
  { form, admission, session }: { form: KeptForm; admission: Admission; session: StoredSession },
): void {
  const { user, sub, handle } = session.record;
  const about = { user, sub, session: handle, route: admission.match.route.name, request_id: entry.requestId };
  const resent: ResentForm & { isBack: boolean } = {
    id,
    headers: form.headers,
    body: form.body,
    isBack: false,
    giveBack() {
      resent.isBack = true;
      forms.kept.giveBack(id, form).catch((error: unknown) => {
        parts.emit({ event: 'request.failed', code: 'form_lost', why: String(error), request_id: entry.requestId });
      });
    },
    onOver() {
      if (!resent.isBack) parts.emit({ event: 'form.sent', ...about, bytes: form.body.length });
    },
  };
  forwardAdmitted(parts, response, {
    entry,
    admission,
    expects: 'none',
    form: resent,
    again() {
      resent.giveBack();
      redirectToForm(entry, response, id);
    },
  });
}

/** Another user has signed in: what the first one typed must not wait here for anybody. */
export async function removeForeign(
  { emit }: Pick<DoorParts, 'emit'>,
  { forms, id, session }: { forms: Pick<FormKeeping, 'kept'>; id: string; session: StoredSession },
): Promise<void> {
  await forms.kept.take(id);
  const { user, sub, handle } = session.record;
  emit({ event: 'form.removed', why: 'other_user', user, sub, session: handle });
}

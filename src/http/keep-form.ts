// A form that meets an ended session, or one whose sign-in is too weak for it, is kept, so that its user signs in again and
// loses nothing of it. Only for who is signed in here or was, only from our own pages, and only within bounds: nobody else can
// make the gate remember anything.

import type { ServerResponse } from 'node:http';
import type { Decision } from '../gate/decide.ts';
import type { GateRoute } from '../gate/gate-route.ts';
import type { MissingSignIn } from '../pages/form-not-kept-page.ts';
import { answerFormNotKept, redirectToForm } from './answer-form.ts';
import { secondsSince } from './answer-request.ts';
import { isTossed } from './cookies.ts';
import type { DoorParts } from './door-parts.ts';
import type { FormKeeping } from './form-keeping.ts';
import { formHeaders, isForm, isFromOwnPage } from './form-requests.ts';
import type { PublicRequest } from './public-request.ts';
import { readForm } from './read-form.ts';
import type { Snapshot } from './snapshot.ts';

interface FormToKeep {
  readonly entry: PublicRequest<Snapshot>;
  readonly response: ServerResponse;
  readonly route: string;
  readonly forms: FormKeeping;
  readonly sub: string;
  readonly missing: MissingSignIn;
  readonly maxBytes: number;
  /** The client waits for `100 Continue`. */
  readonly isWaiting: boolean;
}

const WHY = { 'too large': 'too_large', 'too many': 'too_many', incomplete: 'incomplete' } as const;

/** What may be kept, or undefined for a request that is answered like any other without a session. */
export function formToKeep(
  entry: PublicRequest<Snapshot>,
  response: ServerResponse,
  { decision, isWaiting }: { decision: Decision; isWaiting: boolean },
): FormToKeep | undefined {
  const { forms, cookies } = entry.snapshot;
  if (forms === undefined || !isForm(entry) || !isFromOwnPage(entry)) return undefined;
  const whose = ownerOf(decision, () => forms.lastUser.read(cookies, entry.cookie));
  if (whose === undefined) return undefined;
  const { route } = whose;
  const { maxFormBytes: maxBytes, appLogout } = entry.snapshot.transport(route);
  // Nobody signs in to sign out; and with two session cookies nobody can sign in.
  if (maxBytes === undefined || appLogout?.isLogoutPath(entry.target)) return undefined;
  if (isTossed(entry.cookie, cookies.sessionName)) return undefined;
  return { ...whose, entry, response, route: route.name, forms, maxBytes, isWaiting };
}

/** Of what a sign-in would help: whoever is signed in, or was last. */
function ownerOf(
  decision: Decision,
  lastUser: () => string | undefined,
): (Pick<FormToKeep, 'sub' | 'missing'> & { route: GateRoute }) | undefined {
  if (decision.kind === 'unauthenticated' && decision.needs !== 'bearer') {
    const { route } = decision;
    const sub = route.unauthenticated === 'deny' ? undefined : lastUser();
    return sub === undefined ? undefined : { route, sub, missing: 'any' };
  }
  if (decision.kind !== 'stepUp') return undefined;
  const { route, session } = decision;
  if (session.record.kind === 'bearer' || route.unauthenticated === 'deny') return undefined;
  return { route, sub: session.record.sub, missing: 'stronger' };
}

/** Reads it, keeps it, and answers. Never rejects. */
export async function keepForm(parts: DoorParts, form: FormToKeep): Promise<void> {
  const { entry, response, route, missing } = form;
  response.once('close', () => parts.countRequest('gate', entry.method, response.statusCode, secondsSince(entry)));
  parts.pending.count++;
  try {
    const outcome = await readAndKeep(parts, form);
    const about = { route, sub: form.sub, address: entry.clientAddress, request_id: entry.requestId };
    if (typeof outcome === 'string') {
      parts.emit({ event: 'form.refused', why: WHY[outcome], ...about });
      answerFormNotKept(entry, response, { why: outcome, missing, maxBytes: form.maxBytes });
      return;
    }
    parts.emit({ event: 'form.kept', bytes: outcome.bytes, ...about });
    redirectToForm(entry, response, outcome.id);
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown failure';
    parts.emit({ event: 'request.failed', code: 'form_not_kept', why, request_id: entry.requestId });
    answerFormNotKept(entry, response, { why: 'unavailable', missing });
  } finally {
    parts.pending.count--;
  }
}

async function readAndKeep(
  parts: DoorParts,
  { entry, response, forms, sub, maxBytes, isWaiting }: FormToKeep,
): Promise<{ id: string; bytes: number } | 'too large' | 'too many' | 'incomplete'> {
  const { request, publicOrigin, target } = entry;
  const announced = Number(request.headers['content-length'] ?? maxBytes);
  if (announced > maxBytes) return 'too large';
  const arriving = parts.formIntake.begin(sub, announced);
  if (arriving === undefined) return 'too many';
  try {
    if (isWaiting) response.writeContinue();
    const body = await readForm(request, maxBytes, arriving.arrived);
    if (typeof body === 'string') return body;
    const headers = formHeaders(request.rawHeaders);
    const kept = await forms.kept.keep({ issuer: forms.issuer, sub, publicOrigin, target, headers, body });
    return kept === 'too many' ? kept : { ...kept, bytes: body.length };
  } finally {
    arriving.done();
  }
}

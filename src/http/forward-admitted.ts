// From the decision to the transport: the last looks, between which and the registration nothing waits.

import type { ServerResponse } from 'node:http';
import { forwardHttp } from '../proxy/forward-http.ts';
import type { StoredSession } from '../session/session-record.ts';
import { answerDecision, answerForbidden } from './answer-request.ts';
import type { DoorParts } from './door-parts.ts';
import { type Admission, type Admitted, Forwarding, NO_COOKIES, type ResentForm } from './forwarding.ts';
import { dropRequest } from './guard-listener.ts';
import type { PublicRequest } from './public-request.ts';
import type { Snapshot } from './snapshot.ts';

/** Whether the client waits for `100 Continue` before it sends its body (RFC 9110 section 10.1.1). */
export type Expectation = 'none' | '100-continue';

export interface AdmittedRequest {
  readonly entry: PublicRequest<Snapshot>;
  readonly admission: Admission;
  readonly expects: Expectation;
  /** In the place of a body of the request's own. */
  readonly form?: ResentForm;
  /** Called where the session has ended meanwhile. */
  again(): void;
}

/** Forwards what the decision lets through. */
export function forwardAdmitted(parts: DoorParts, response: ServerResponse, admitted: AdmittedRequest): void {
  const { entry, admission, form } = admitted;
  const { session, match } = admission;
  // A decision that waited is some microtasks old. From this look to the registration nothing waits any more.
  if (session?.ended) return admitted.again();
  const transport = entry.snapshot.transport(match.route);
  const cookie = transport.jar?.header(entry, session);
  if (cookie instanceof Promise) {
    parts.pending.count++;
    void cookie
      .then(undefined, () => NO_COOKIES)
      .then((settled) => {
        parts.pending.count--;
        if (response.destroyed && form === undefined) return;
        if (typeof settled !== 'string') {
          form?.giveBack();
          answerDecision(parts, entry, response, settled);
        } else if (session?.ended) admitted.again();
        else forward(parts, response, { entry, admission, transport, cookie: settled, form }, admitted.expects);
      })
      .catch((error: unknown) => dropRequest(parts.emit, entry.request, error));
    return;
  }
  forward(parts, response, { entry, admission, transport, cookie, form }, admitted.expects);
}

function forward(parts: DoorParts, response: ServerResponse, admitted: Admitted, expects: Expectation): void {
  const { entry, admission, form } = admitted;
  if (isOutdated(parts, entry, admission.session)) {
    form?.giveBack();
    return answerForbidden(entry, response, admission.session);
  }
  if (expects === '100-continue') response.writeContinue();
  forwardHttp(entry.request, response, new Forwarding(parts, response, admitted));
}

/**
 * A request keeps the snapshot that it entered with. But where it was decided before a reload and goes on after it, it
 * missed the look at all live connections, which would have ended it by the new rules.
 */
export function isOutdated(
  parts: DoorParts,
  entry: PublicRequest<Snapshot>,
  session: StoredSession | undefined,
): boolean {
  const snapshot = parts.snapshot();
  return snapshot !== entry.snapshot && snapshot.decideAgain(entry, session) === undefined;
}

// The door for requests: first look, own endpoints to Koa, everything else decided and forwarded without it. The door
// only translates what the decision says; it has no rules of its own.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Decision } from '../gate/decide.ts';
import { noticeAtRoot } from './admin-url.ts';
import { answerDecision, answerHeadRefusal, answerMisdirected, secondsSince } from './answer-request.ts';
import type { DoorParts } from './door-parts.ts';
import { type Expectation, forwardAdmitted } from './forward-admitted.ts';
import { dropRequest } from './guard-listener.ts';
import { formToKeep, keepForm } from './keep-form.ts';
import { ownPath } from './own-path.ts';
import { PublicRequest } from './public-request.ts';
import { isRefusal, originForm, type RequestHead, readRequestHead } from './request-head.ts';
import { resendForm, wishToSend } from './resend-form.ts';
import type { Snapshot } from './snapshot.ts';

/** Serves one request; for node:http's `request` event. */
export function openDoor(parts: DoorParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => enter(parts, request, response, 'none');
}

/** For `checkContinue`: the decision comes first, so that nobody uploads anonymously. */
export function openDoorForWaiting(parts: DoorParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => enter(parts, request, response, '100-continue');
}

/** For `checkExpectation`: whatever else a client expects is nothing that can be promised (RFC 9110 section 10.1.1). */
export function refuseExpectation(parts: DoorParts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) =>
    answerHeadRefusal(parts, request, response, { status: 417, why: 'an unknown expectation' });
}

function enter(parts: DoorParts, request: IncomingMessage, response: ServerResponse, expects: Expectation): void {
  const snapshot = parts.snapshot();
  const head = readRequestHead(request, snapshot.limits);
  if (isRefusal(head)) return answerHeadRefusal(parts, request, response, head);
  const entry = recognize(snapshot, request, head);
  if (entry === undefined) return answerMisdirected(parts, request, response);
  if (entry === 'bad target') {
    return answerHeadRefusal(parts, request, response, { status: 400, why: 'a target that is not a path' });
  }
  if (isOwn(snapshot, entry)) {
    if (expects === '100-continue') response.writeContinue();
    parts.pending.count++;
    response.once('close', () => {
      parts.pending.count--;
      parts.countRequest('gate', entry.method, response.statusCode, secondsSince(entry));
    });
    return parts.ownWork.push(() => serveOwn(parts, entry, response));
  }
  const wish = wishToSend(entry, response);
  if (wish === undefined) decideAndApply(parts, entry, response, expects);
  else void resendForm(parts, wish);
}

/** One of the gate's own endpoints. Nothing that it throws may stop the slices of everybody else. */
function serveOwn({ emit }: DoorParts, entry: PublicRequest<Snapshot>, response: ServerResponse): void {
  if (response.destroyed) return;
  try {
    entry.snapshot.publicApp(entry, response);
  } catch (error) {
    dropRequest(emit, entry.request, error);
  }
}

/** Below the prefix, or one of Keycloak's at the root. */
function isOwn({ prefix, adminUrl }: Snapshot, { method, target }: PublicRequest): boolean {
  if (ownPath(target, prefix) !== undefined) return true;
  return adminUrl !== 'off' && noticeAtRoot(method, target) !== undefined;
}

/** The request with the origin that it names; undefined for a host that no public URL names. */
export function recognize(
  snapshot: Snapshot,
  request: IncomingMessage,
  head: RequestHead,
  kind: 'http' | 'websocket' = 'http',
): PublicRequest<Snapshot> | 'bad target' | undefined {
  const origin = snapshot.origins.find(hostOf(snapshot, request, head));
  if (origin === undefined) return undefined;
  const target = originForm(request.url!, origin);
  if (target === undefined) return 'bad target';
  return new PublicRequest({ snapshot, request, origin, target, cookie: head.cookie, websocket: kind === 'websocket' });
}

/** A trusted proxy may have put its own name into Host; what it says of the client's is believed, nobody else's is. */
function hostOf(snapshot: Snapshot, request: IncomingMessage, head: RequestHead): string {
  if (!snapshot.trustedProxies.trusts(request.socket.remoteAddress ?? '')) return head.host;
  const forwarded = request.headers['x-forwarded-host'];
  return typeof forwarded === 'string' ? forwarded : head.host;
}

function decideAndApply(
  parts: DoorParts,
  entry: PublicRequest<Snapshot>,
  response: ServerResponse,
  expects: Expectation,
): void {
  const decision = entry.snapshot.decide(entry);
  if (decision instanceof Promise) {
    parts.pending.count++;
    void decision
      .then((settled) => {
        parts.pending.count--;
        if (!response.destroyed) apply(parts, entry, response, settled, expects);
      })
      .catch((error: unknown) => dropRequest(parts.emit, entry.request, error));
    return;
  }
  apply(parts, entry, response, decision, expects);
}

function apply(
  parts: DoorParts,
  entry: PublicRequest<Snapshot>,
  response: ServerResponse,
  decision: Decision,
  expects: Expectation,
): void {
  if (decision.kind === 'allow') {
    const again = () => decideAndApply(parts, entry, response, expects);
    return forwardAdmitted(parts, response, { entry, admission: decision, expects, again });
  }
  const form = formToKeep(entry, response, { decision, isWaiting: expects === '100-continue' });
  if (form === undefined) answerDecision(parts, entry, response, decision);
  else void keepForm(parts, form);
}

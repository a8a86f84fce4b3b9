// The door for WebSocket handshakes (RFC 6455 section 4.2). The same decision as for requests; nothing is sent to an
// upstream before it, and everything that is not a clean WebSocket handshake never gets here (`takesUpgrade`).

import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Decision } from '../gate/decide.ts';
import { forwardWebSocket } from '../proxy/forward-websocket.ts';
import { answerDecision, answerForbidden, answerHeadRefusal, answerMisdirected } from './answer-request.ts';
import { recognize } from './door.ts';
import type { DoorParts } from './door-parts.ts';
import { isOutdated } from './forward-admitted.ts';
import { type Admitted, Forwarding, NO_COOKIES } from './forwarding.ts';
import { dropRequest } from './guard-listener.ts';
import { ownPath } from './own-path.ts';
import type { PublicRequest } from './public-request.ts';
import { isRefusal, readRequestHead } from './request-head.ts';
import type { Snapshot } from './snapshot.ts';

/** What arrived with the handshake: the client's socket, and bytes it sent behind the head. */
interface Handshake {
  readonly socket: Duplex;
  readonly head: Buffer;
  /** Answers on the same socket when the handshake is refused; always closes. */
  readonly response: ServerResponse;
}

/**
 * For node:http's `shouldUpgradeCallback`: only a GET for WebSocket alone, without a body. `Upgrade: h2c` and every
 * other protocol is ignored and goes on as plain HTTP, as RFC 9110 section 7.8 permits.
 */
export function takesUpgrade(request: IncomingMessage): boolean {
  const { headers } = request;
  return (
    headers.upgrade?.toLowerCase() === 'websocket' &&
    request.method === 'GET' &&
    request.httpVersion === '1.1' &&
    headers['content-length'] === undefined &&
    headers['transfer-encoding'] === undefined
  );
}

/** Serves one handshake; for node:http's `upgrade` event. */
export function openUpgradeDoor(parts: DoorParts): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    // Pipelined behind a request whose answer still owns the socket: there is no way to serve both.
    if ((socket as { _httpMessage?: unknown })._httpMessage) {
      socket.destroy();
      return;
    }
    const handshake = { socket, head, response: closingResponse(request, socket) };
    const snapshot = parts.snapshot();
    const requestHead = readRequestHead(request, snapshot.limits);
    if (isRefusal(requestHead)) return answerHeadRefusal(parts, request, handshake.response, requestHead);
    const entry = recognize(snapshot, request, requestHead, 'websocket');
    if (entry === undefined) return answerMisdirected(parts, request, handshake.response);
    if (entry === 'bad target') {
      return answerHeadRefusal(parts, request, handshake.response, { status: 400, why: 'a target that is not a path' });
    }
    if (ownPath(entry.target, snapshot.prefix) !== undefined) {
      return answerDecision(parts, entry, handshake.response, { kind: 'notFound' });
    }
    decideAndApply(parts, entry, handshake);
  };
}

function decideAndApply(parts: DoorParts, entry: PublicRequest<Snapshot>, handshake: Handshake): void {
  const decision = entry.snapshot.decide(entry);
  if (decision instanceof Promise) {
    void decision
      .then((settled) => {
        if (!handshake.socket.destroyed) apply(parts, entry, handshake, settled);
      })
      .catch((error: unknown) => dropRequest(parts.emit, entry.request, error));
    return;
  }
  apply(parts, entry, handshake, decision);
}

function apply(parts: DoorParts, entry: PublicRequest<Snapshot>, handshake: Handshake, decision: Decision): void {
  if (decision.kind !== 'allow') return answerDecision(parts, entry, handshake.response, decision);
  // From this look to the registration nothing waits.
  if (decision.session?.ended) return decideAndApply(parts, entry, handshake);
  const transport = entry.snapshot.transport(decision.match.route);
  const cookie = transport.jar?.header(entry, decision.session);
  if (cookie instanceof Promise) {
    void cookie
      .then(undefined, () => NO_COOKIES)
      .then((settled) => {
        if (handshake.socket.destroyed) return;
        if (typeof settled !== 'string') answerDecision(parts, entry, handshake.response, settled);
        else if (decision.session?.ended) decideAndApply(parts, entry, handshake);
        else forward(parts, handshake, { entry, admission: decision, transport, cookie: settled });
      })
      .catch((error: unknown) => dropRequest(parts.emit, entry.request, error));
    return;
  }
  forward(parts, handshake, { entry, admission: decision, transport, cookie });
}

function forward(parts: DoorParts, handshake: Handshake, admitted: Admitted): void {
  const { entry, admission } = admitted;
  if (isOutdated(parts, entry, admission.session)) return answerForbidden(entry, handshake.response, admission.session);
  forwardWebSocket(entry.request, handshake, new Forwarding(parts, handshake.response, admitted));
}

function closingResponse(request: IncomingMessage, socket: Duplex): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket as never);
  response.once('finish', () => {
    socket.end(() => socket.destroy());
  });
  return response;
}

// One request on the public listener, as every door sees it: the facts for the decision, and what answers need.

import type { IncomingMessage } from 'node:http';
import { newRequestId } from '../base/ids.ts';
import type { RequestFacts, ShownBearer } from '../gate/decide.ts';
import { readBearer } from './bearer-token.ts';
import { readCookie } from './cookies.ts';
import type { ListenerRules } from './listener-rules.ts';
import { acceptsHtml, isNavigation } from './navigation.ts';
import { ownWish } from './own-wish.ts';
import type { PublicOrigin } from './public-origins.ts';

export interface PublicRequestParts<Rules extends ListenerRules> {
  readonly snapshot: Rules;
  readonly request: IncomingMessage;
  readonly origin: PublicOrigin;
  readonly target: string;
  readonly cookie: string | undefined;
  readonly websocket: boolean;
}

/** Allocated once per request; everything that most requests never ask is computed when asked. */
export class PublicRequest<Rules extends ListenerRules = ListenerRules> implements RequestFacts {
  /** The configuration that it entered with. */
  readonly snapshot: Rules;
  readonly request: IncomingMessage;
  readonly publicUrl: PublicOrigin;
  readonly target: string;
  readonly cookie: string | undefined;
  readonly websocket: boolean;
  readonly method: string;
  readonly startedAtMs: number;
  #requestId: string | undefined;
  #clientAddress: string | undefined;

  constructor(parts: PublicRequestParts<Rules>) {
    this.snapshot = parts.snapshot;
    this.request = parts.request;
    this.publicUrl = parts.origin;
    this.target = parts.target;
    this.cookie = parts.cookie;
    this.websocket = parts.websocket;
    this.method = parts.request.method!;
    this.startedAtMs = performance.now();
  }

  /** The same request as if it were for another target. */
  forTarget(target: string): PublicRequest<Rules> {
    const { snapshot, request, publicUrl: origin, cookie, websocket } = this;
    return new PublicRequest({ snapshot, request, origin, target, cookie, websocket });
  }

  get host(): string {
    return this.publicUrl.host;
  }

  get hostname(): string {
    return this.publicUrl.hostname;
  }

  get publicOrigin(): string {
    return this.publicUrl.origin;
  }

  get sessionCookie(): string | undefined {
    return readCookie(this.cookie, this.snapshot.cookies.sessionName);
  }

  bearer(): ShownBearer | undefined {
    return readBearer(this.request.rawHeaders);
  }

  userAgent(): string {
    return this.request.headers['user-agent'] ?? '';
  }

  /** Names this request towards its user and in the log. */
  get requestId(): string {
    this.#requestId ??= newRequestId();
    return this.#requestId;
  }

  /** The client's address, through trusted proxies only. */
  get clientAddress(): string {
    this.#clientAddress ??= this.snapshot.trustedProxies.clientAddress(
      this.request.socket.remoteAddress ?? 'unknown',
      this.request.headers['x-forwarded-for'] as string | undefined,
    );
    return this.#clientAddress;
  }

  isNavigation(): boolean {
    return isNavigation(this.method, this.request.headers);
  }

  isOwnWish(): boolean {
    return ownWish(this) !== undefined;
  }

  wantsHtml(): boolean {
    return acceptsHtml(this.request.headers);
  }

  origin(): string | undefined {
    return this.request.headers.origin;
  }
}

// One admitted request on its way: what transport asks the door while it forwards. One object per request.

import type { ServerResponse } from 'node:http';
import type { Decision } from '../gate/decide.ts';
import { LiveAdmission } from '../gate/live-admission.ts';
import type { Owner } from '../proxy/connection-registry.ts';
import { type Farewell, GOING_AWAY, NO_LONGER_ALLOWED } from '../proxy/farewell.ts';
import type { ForwardFailure } from '../proxy/forward-failure.ts';
import type { ForwardOptions, HeadWatcher } from '../proxy/forward-options.ts';
import type { ResponseHead, ResponseHeaderPolicy } from '../proxy/response-headers.ts';
import type { Upstream } from '../proxy/upstream.ts';
import type { Detour } from '../proxy/upstream-call.ts';
import type { StoredSession } from '../session/session-record.ts';
import { answerTokenRefused, answerUnauthenticated } from './answer-challenge.ts';
import { answerFormUnsent, redirectToForm } from './answer-form.ts';
import { answerForbidden, answerUnavailable, answerUpstreamFailure, secondsSince } from './answer-request.ts';
import { AppLogout } from './app-logout.ts';
import type { DoorParts } from './door-parts.ts';
import { withFormHeaders } from './form-requests.ts';
import type { PublicRequest } from './public-request.ts';
import type { RouteJar } from './route-jar.ts';
import type { RouteTransport, Snapshot } from './snapshot.ts';

export type Admission = Extract<Decision, { kind: 'allow' }>;

/** A request that may pass, and all that was found out about it. */
export interface Admitted {
  readonly entry: PublicRequest<Snapshot>;
  readonly admission: Admission;
  readonly transport: RouteTransport;
  /** The application's cookies, where they stay here; undefined: the client's own go on. */
  readonly cookie: string | undefined;
  readonly form?: ResentForm | undefined;
}

/** A kept form on its way, in the place of what the request brings itself. */
export interface ResentForm {
  readonly id: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** It was put back. */
  readonly isBack: boolean;
  /** Puts it back where it was kept: nothing of it was sent. */
  giveBack(): void;
  /** It is over; unless it was put back, the application may have it. */
  onOver(): void;
}

/** Without its cookies a request would be somebody else's to the application. */
export const NO_COOKIES = { kind: 'unavailable', why: "the application's cookies cannot be read" } as const;

/** Implements transport's view of an admitted request. */
export class Forwarding implements ForwardOptions, HeadWatcher, Detour {
  upstream: Upstream;
  readonly detour: Detour | undefined;
  readonly target: string;
  readonly headers: string[];
  readonly body: Buffer | undefined;
  readonly owner: Owner;
  readonly tag: unknown;
  readonly response: ResponseHeaderPolicy;
  readonly websocketIdleMs: number;
  readonly watcher: HeadWatcher | undefined;
  readonly #parts: DoorParts;
  readonly #transport: RouteTransport;
  #detours = 0;
  readonly #entry: PublicRequest<Snapshot>;
  readonly #response: ServerResponse;
  readonly #session: StoredSession | undefined;
  readonly #route: string;
  readonly #appLogout: AppLogout | undefined;
  readonly #jar: RouteJar | undefined;
  readonly #form: ResentForm | undefined;

  constructor(parts: DoorParts, response: ServerResponse, { entry, admission, transport, cookie, form }: Admitted) {
    const { match, session, identity } = admission;
    const { host, scheme, port } = entry.publicUrl;
    this.detour = transport.upstreams.members.length > 1 ? this : undefined;
    this.target = transport.upstreamTarget(entry.target);
    const forwarded = { for: entry.clientAddress, host, proto: scheme, port };
    const { rawHeaders } = entry.request;
    const clientHeaders = form === undefined ? rawHeaders : withFormHeaders(rawHeaders, form);
    this.headers = transport.requestHeaders.build(clientHeaders, { forwarded, identity, cookie });
    this.body = form?.body;
    this.owner = session ? parts.registry.owner(session.record.handle) : parts.registry.anonymous;
    this.tag = new LiveAdmission(entry, match, session);
    this.response = transport.responseHeaders(entry.publicOrigin);
    this.websocketIdleMs = transport.websocketIdleMs;
    this.#parts = parts;
    this.#transport = transport;
    this.#entry = entry;
    this.#response = response;
    this.#session = session;
    this.upstream = this.#pick();
    this.#readdress();
    this.#route = match.route.name;
    const rules = transport.appLogout;
    this.#appLogout =
      rules === undefined || session === undefined || entry.websocket
        ? undefined
        : new AppLogout(parts, rules, { entry, response, session });
    this.#jar = transport.jar;
    this.#form = form;
    this.watcher = this.#appLogout === undefined && this.#jar === undefined ? undefined : this;
  }

  onHead(status: number, head: ResponseHead): (() => void) | undefined {
    return this.#appLogout?.onHead(status, head);
  }

  keepCookies(setCookies: readonly string[]): Promise<void> | undefined {
    return this.#jar?.keep(this.#entry, this.#session, setCookies);
  }

  /** Bytes moved that count as the user's activity. */
  onActivity(): void {
    if (this.#session) this.#parts.noteActivity(this.#session);
  }

  tunnelActivity(): () => void {
    const session = this.#session;
    const { noteActivity } = this.#parts;
    return session === undefined ? () => {} : () => noteActivity(session);
  }

  onCutUnsent(): void {
    this.#form?.giveBack();
  }

  /** Cut before the upstream answered; counted when it is finished, like every forwarded request. */
  onEnded(_request: unknown, response: ServerResponse, farewell: Farewell): void {
    response.setHeader('Connection', 'close');
    if (this.#form?.isBack) redirectToForm(this.#entry, response, this.#form.id);
    else if (farewell === GOING_AWAY) answerUnavailable(this.#entry, response);
    else if (farewell === NO_LONGER_ALLOWED) answerForbidden(this.#entry, response, this.#session);
    else if (this.#session?.record.kind === 'bearer') answerTokenRefused(this.#entry, response);
    else answerUnauthenticated(this.#entry, response, 'session', 'cut');
  }

  elsewhere(unreachable: Upstream): Upstream | undefined {
    const { upstreams } = this.#transport;
    upstreams.failed(unreachable);
    if (++this.#detours >= upstreams.members.length) return undefined;
    this.upstream = this.#pick();
    this.#readdress();
    return this.upstream === unreachable ? undefined : this.upstream;
  }

  #pick(): Upstream {
    return this.#transport.upstreams.pick(this.#session?.record.handle ?? this.#entry.clientAddress);
  }

  /** The policy has named the first one of several. */
  #readdress(): void {
    if (this.detour !== undefined) this.#transport.requestHeaders.readdress(this.headers, this.upstream.host);
  }

  onFailure(failure: ForwardFailure): void {
    const { requestId } = this.#entry;
    // A connection that goes away behind a request says nothing of the next one, and any user can make one go away.
    if (failure.unsent) this.#transport.upstreams.failed(this.upstream);
    this.#parts.emit({
      event: 'upstream.failed',
      route: this.#route,
      code: failure.code,
      why: failure.why,
      request_id: requestId,
    });
    const leave = this.#appLogout?.onFailure();
    if (leave !== undefined) leave();
    else if (this.#form === undefined) answerUpstreamFailure(this.#entry, this.#response, failure);
    else this.#answerFormFailure(this.#form, failure);
  }

  #answerFormFailure(form: ResentForm, failure: ForwardFailure): void {
    if (failure.unsent) {
      form.giveBack();
      answerFormUnsent(this.#entry, this.#response, form.id);
    } else answerUpstreamFailure(this.#entry, this.#response, failure, 'form_unanswered');
  }

  onFinished(status: number): void {
    this.#parts.countRequest(this.#route, this.#entry.method, status, secondsSince(this.#entry));
    this.#appLogout?.onFinished();
    this.#form?.onOver();
  }
}

// What transport is told of an admitted request, and whom it asks and tells while it forwards.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Owner } from './connection-registry.ts';
import type { Farewell } from './farewell.ts';
import type { ForwardFailure } from './forward-failure.ts';
import type { ResponseHead, ResponseHeaderPolicy } from './response-headers.ts';
import type { Upstream } from './upstream.ts';
import type { Detour } from './upstream-call.ts';

/** Who looks at a response before the client does, on the few routes where somebody wants to. */
export interface HeadWatcher {
  /** Keeps what the response sets, before any of it goes on: the client's next request may need it. undefined: it is done. */
  keepCookies(setCookies: readonly string[]): Promise<void> | undefined;
  /**
   * May add to the headers, or take the response over: then nothing of it reaches the client, its connection is no longer
   * the owner's, and the returned function, which is called at once, answers instead.
   */
  onHead(status: number, head: ResponseHead): (() => void) | undefined;
}

export interface ForwardOptions {
  readonly upstream: Upstream;
  /** Undefined where the route has one upstream. */
  readonly detour?: Detour | undefined;
  /** The request target to send, origin-form, byte for byte. */
  readonly target: string;
  /** Complete raw pairs, made by RequestHeaderPolicy. */
  readonly headers: string[];
  /**
   * A body at hand, in the place of the request's own, which has none. It is delivered whether or not the client waits for the
   * answer: it is there only once.
   */
  readonly body?: Buffer | undefined;
  /** Undefined on public paths where nobody keeps count. */
  readonly owner: Owner | undefined;
  /** Whatever the caller wants to know a live connection by. */
  readonly tag?: unknown;
  readonly response: ResponseHeaderPolicy;
  /** Undefined on plain routes. */
  readonly watcher?: HeadWatcher | undefined;
  /** A transfer that is no event stream moves bytes; at most once a second. The request itself was counted by the decision. */
  onActivity(): void;
  /** Cut, and not a byte of the request was sent; before `onEnded` and `onFinished`. */
  onCutUnsent?(): void;
  /** Cut before the response's head: write the 401 (or, by the farewell, 403 or 503). `Connection: close` is set where a body was coming. */
  onEnded(request: IncomingMessage, response: ServerResponse, farewell: Farewell): void;
  /** Nothing came that can be passed on, and nothing was written: write the page. */
  onFailure(failure: ForwardFailure): void;
  /** Once, when the client's side is closed: the status it was sent, 499 where it went away before it had all of it. */
  onFinished(status: number): void;
}

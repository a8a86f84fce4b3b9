// One request to an upstream, as undici's handler: interim responses, the one retry, and the truth about how a response
// ended (RFC 9112 section 8). What it learns goes to a listener; it knows nothing of clients.

import type { Dispatcher } from 'undici';
import type { CarriedHandler, CarrierClient } from './carrier-client.ts';
import { type ForwardFailure, forwardFailure, isConnectionLost } from './forward-failure.ts';
import { UploadBody } from './upload-body.ts';
import type { Upstream } from './upstream.ts';

export interface AnswerHead {
  readonly status: number;
  readonly statusText: string | undefined;
  readonly rawHeaders: Buffer[];
}

/** Hears of one call: `onHead` and then `onBody`… with `onBodyEnd` or `onBroken`, or `onFailure` alone. Nothing after `abort`. */
export interface CallListener {
  /** False: nothing may be sent any more, and nothing that arrives is wanted. */
  isWanted(): boolean;
  onHead(answer: AnswerHead): void;
  onBody(chunk: Buffer): void;
  onBodyEnd(): void;
  /** The response broke off behind its head. */
  onBroken(): void;
  onFailure(failure: ForwardFailure): void;
}

/** Knows other upstreams that are the same application. */
export interface Detour {
  /** Where a request goes of which nothing could be sent to `unreachable`, its headers changed for it; undefined: nowhere. */
  elsewhere(unreachable: Upstream): Upstream | undefined;
}

export interface CallRequest {
  readonly upstream: Upstream;
  readonly detour?: Detour | undefined;
  readonly method: string;
  readonly target: string;
  readonly headers: string[];
  readonly body: UploadBody | Buffer | undefined;
}

/** Interim responses (103 and the like) that one response may send ahead; more is an attack. */
const MAX_INTERIM = 32;
/** Safe to send once more (RFC 9110 section 9.2.2), where they have no body. */
const RETRIED = new Set(['GET', 'HEAD', 'OPTIONS']);

/** One for all: nobody sees it, and thousands may be needed in one slice. */
const OVER = new Error('the exchange is over');

type Stage = 'waiting' | 'responding' | 'over';

export class UpstreamCall implements CarriedHandler {
  carrier: CarrierClient | undefined = undefined;
  readonly #listener: CallListener;
  readonly #request: CallRequest;
  #upstream: Upstream;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  #stage: Stage = 'waiting';
  /** The upstream has sent at least one byte. */
  #heard = false;
  #reused = false;
  #retried = false;
  #interim = 0;
  #endsWithConnection = false;
  /** What came behind the head while it is held, in order. */
  #held: (() => void)[] | undefined = undefined;

  constructor(listener: CallListener, request: CallRequest) {
    this.#listener = listener;
    this.#request = request;
    this.#upstream = request.upstream;
  }

  send(): void {
    if (this.#stage !== 'waiting') return;
    const upstream = this.#upstream;
    const { method, target, headers, body } = this.#request;
    const request = {
      method: method as Dispatcher.HttpMethod,
      path: target,
      headers,
      body: body ?? null,
      blocking: false,
      // undici reads it; its types forget it.
      servername: upstream.servername,
    };
    // What is there only once does not meet a connection that the upstream is just closing.
    upstream.dispatch(request, this, body instanceof Buffer ? 'new' : 'any');
  }

  /** Not a byte of it was sent. */
  get isUnsent(): boolean {
    return this.#controller === undefined;
  }

  /** Ends it wherever it is, without a word to the listener; its connection is destroyed, not used again. */
  abort(): void {
    if (this.#stage === 'over') return;
    this.#stage = 'over';
    this.#destroyUpload();
    this.#controller?.abort(OVER);
  }

  pause(): void {
    this.#controller?.pause();
  }

  resume(): void {
    this.#controller?.resume();
  }

  /** From the head on: what follows it is told only after `letGo`. */
  hold(): void {
    this.#held = [];
    this.#controller?.pause();
  }

  letGo(): void {
    // What the connection has at hand comes at once, and takes its place in the line.
    if (this.#stage === 'responding') this.#controller?.resume();
    for (const tell of this.#held ?? []) tell();
    this.#held = undefined;
  }

  /** Bytes of the request that the kernel has not taken yet. */
  hasBacklog(): boolean {
    return (
      this.#stage !== 'over' && this.#request.body !== undefined && (this.carrier?.socket?.writableLength ?? 0) > 0
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const { carrier } = this;
    this.#reused = carrier !== undefined && carrier.requests++ > 0;
    if (this.#stage !== 'waiting' || !this.#listener.isWanted()) controller.abort(OVER);
  }

  onResponseStarted(): void {
    this.#heard = true;
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    statusText?: string,
  ): void {
    if (this.#stage !== 'waiting') return;
    if (status >= 100 && status < 200 && status !== 101) {
      if (++this.#interim > MAX_INTERIM) this.#fail({ code: 'upstream_invalid', why: 'too many interim responses' });
    } else if (status < 200 || status > 599) {
      this.#fail({ code: 'upstream_invalid', why: `status ${status}` });
    } else {
      this.#stage = 'responding';
      const { rawHeaders } = controller as unknown as { rawHeaders: Buffer[] };
      this.#listener.onHead({ status, statusText, rawHeaders });
    }
  }

  onResponseData(_controller: unknown, chunk: Buffer): void {
    if (this.#stage !== 'responding') return;
    // undici goes on in spite of a pause where the upstream has closed its connection.
    if (this.#held === undefined) this.#listener.onBody(chunk);
    else this.#held.push(() => this.#listener.onBody(chunk));
  }

  onResponseEnd(): void {
    const error = this.carrier?.socket?.errored;
    this.#release();
    if (this.#stage !== 'responding') return;
    this.#stage = 'over';
    if (this.#held === undefined) this.#tellEnd(error);
    else this.#held.push(() => this.#tellEnd(error));
    // Answered before the request's end: undici has destroyed the connection.
    this.#destroyUpload();
  }

  onResponseError(_controller: unknown, error: unknown): void {
    this.#release();
    if (this.#stage === 'responding') {
      this.abort();
      this.#listener.onBroken();
    } else if (this.#stage === 'waiting') {
      if (this.#mayRetry(error)) {
        this.#retried = true;
        this.#controller = undefined;
        setImmediate(sendAgain, this);
      } else if (!this.#goesElsewhere()) {
        this.#fail({ ...forwardFailure(error), ...(this.isUnsent && { unsent: true }) });
      }
    }
  }

  /** No connection could be made, and a body that is not at hand undici has destroyed by now. */
  #goesElsewhere(): boolean {
    const { detour, body } = this.#request;
    if (detour === undefined || this.#controller !== undefined || body instanceof UploadBody) return false;
    const other = this.#listener.isWanted() ? detour.elsewhere(this.#upstream) : undefined;
    if (other === undefined) return false;
    this.#upstream = other;
    setImmediate(sendAgain, this);
    return true;
  }

  #tellEnd(error: Error | null | undefined): void {
    // undici reports a body that ends with its connection as complete even where a reset ended it.
    if (this.#endsWithConnection && error) this.#listener.onBroken();
    else this.#listener.onBodyEnd();
  }

  /** Said by who reads the head: neither Content-Length nor chunked frames the body. */
  endsWithConnection(): void {
    this.#endsWithConnection = true;
  }

  #destroyUpload(): void {
    const { body } = this.#request;
    if (body instanceof UploadBody) body.destroy();
  }

  #release(): void {
    const { carrier } = this;
    this.carrier = undefined;
    if (carrier !== undefined) this.#upstream.release(carrier);
  }

  #fail(failure: ForwardFailure): void {
    this.abort();
    this.#listener.onFailure(failure);
  }

  #mayRetry(error: unknown): boolean {
    return (
      this.#reused &&
      !this.#heard &&
      !this.#retried &&
      this.#request.body === undefined &&
      RETRIED.has(this.#request.method) &&
      isConnectionLost(error) &&
      this.#listener.isWanted()
    );
  }
}

function sendAgain(call: UpstreamCall): void {
  call.send();
}

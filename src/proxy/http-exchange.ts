// One HTTP exchange under way: undici's handler and the registry's connection in one object, so that a short exchange costs
// no closures. Responses go straight to the client (RFC 9110, RFC 9112); what breaks off arrives as broken off.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import type { CarriedHandler, CarrierClient } from './carrier-client.ts';
import type { ConnectionKind, LiveConnection } from './connection-registry.ts';
import { type ForwardFailure, forwardFailure, isConnectionLost } from './forward-failure.ts';
import type { ForwardOptions } from './forward-http.ts';
import { lingerAfterResponse } from './lingering-close.ts';
import { resetSocket } from './reset-socket.ts';
import type { ResponseHead } from './response-headers.ts';
import type { Transfer } from './transfer-watch.ts';
import { UploadBody, type UploadGuard } from './upload-body.ts';

const EXCHANGE = Symbol('exchange');
type ResponseOfExchange = ServerResponse & { [EXCHANGE]?: HttpExchange };

/** Interim responses (103 and the like) that one response may send ahead; more is an attack. */
const MAX_INTERIM = 32;
/** A client that does not take its 401 is cut after this. */
const FAREWELL_MS = 1_000;
/** RFC 9110 section 9.2.2, and without a body: safe to send once more. */
const RETRIED = new Set(['GET', 'HEAD', 'OPTIONS']);

type Stage = 'waiting' | 'responding' | 'answered' | 'over';

export class HttpExchange implements LiveConnection, CarriedHandler, Transfer, UploadGuard {
  kind: ConnectionKind = 'request';
  readonly tag: unknown;
  carrier: CarrierClient | undefined = undefined;
  moved = false;

  readonly #request: IncomingMessage;
  readonly #response: ResponseOfExchange;
  readonly #options: ForwardOptions;
  readonly #upload: UploadBody | undefined;
  #controller: Dispatcher.DispatchController | undefined = undefined;
  /** waiting for a head; responding; answered: nothing more comes from the upstream; over: the client's side closed too. */
  #stage: Stage = 'waiting';
  #cut = false;
  #heard = false;
  #reused = false;
  #retried = false;
  #interim = 0;
  #watched = false;
  /** Bytes of the body still to come, -1 where only its end will tell. */
  #bytesLeft = -1;
  #closeDelimited = false;

  constructor(request: IncomingMessage, response: ServerResponse, options: ForwardOptions, body: 'body' | 'no body') {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.tag = options.tag;
    this.#upload = body === 'body' ? new UploadBody(request, this) : undefined;
  }

  /** Registers the exchange and sends the request; in the tick of the decision. */
  begin(): void {
    const response = this.#response;
    response[EXCHANGE] = this;
    response.on('close', onResponseClose);
    // A pipelined response has no socket yet, and Node tells it nothing when the connection goes.
    if (response.socket === null) this.#request.socket.once('close', () => this.#leave());
    this.#options.owner?.add(this);
    if (this.#upload !== undefined) {
      this.#upload.on('error', ignore);
      this.#watch();
    }
    if (this.isStopped()) this.cut();
    else this.#dispatch();
  }

  isStopped(): boolean {
    return this.#cut || (this.#options.owner?.stopped ?? false);
  }

  hasBacklog(): boolean {
    if (this.#response.writableLength > 0 || this.#request.socket.writableLength > 0) return true;
    return this.#stage !== 'answered' && this.#upload !== undefined && (this.carrier?.socket?.writableLength ?? 0) > 0;
  }

  cut(): void {
    if (this.#cut || this.#stage === 'over') return;
    const { stage } = { stage: this.#stage };
    this.#cut = true;
    this.#stage = 'answered';
    this.#abortUpstream();
    if (stage !== 'waiting' || this.#response.headersSent) {
      this.#cutClient();
      return;
    }
    this.#lingerIfUploading();
    setTimeout(destroyUnlessClosed, FAREWELL_MS, this.#response, this.#request).unref();
    this.#options.onEnded(this.#request, this.#response);
  }

  onUploadMoved(): void {
    this.moved = true;
  }

  onMoving(): void {
    if (this.kind !== 'stream') this.#options.onActivity();
  }

  onStalled(): void {
    if (this.kind === 'stream' || this.#stage === 'over') return;
    const { stage } = { stage: this.#stage };
    if (stage === 'waiting' && this.#upload?.isHeldUp) {
      this.#fail({ code: 'upstream_timeout', why: 'the upstream takes no more of the request body' });
      return;
    }
    this.#stage = 'answered';
    this.#abortUpstream();
    this.#cutClient();
  }

  // undici's handler

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const { carrier } = this;
    this.#reused = carrier !== undefined && carrier.requests++ > 0;
    if (this.#stage !== 'waiting' || this.isStopped()) controller.abort(new Error('not wanted any more'));
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
    if (this.isStopped()) {
      this.cut();
      return;
    }
    if (status < 200 || status > 599) {
      if (status === 101 || status < 100 || status > 599 || ++this.#interim > MAX_INTERIM)
        this.#failInvalid(`status ${status}`);
      return;
    }
    const raw = (controller as unknown as { rawHeaders: Buffer[] }).rawHeaders;
    const head = this.#options.response.build(raw);
    if (head.kind === 'refused') this.#fail(head);
    else this.#writeHead(status, statusText, head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#stage !== 'responding') return;
    if (this.isStopped()) {
      this.cut();
      return;
    }
    this.moved = true;
    if (this.#bytesLeft > 0) {
      this.#bytesLeft -= chunk.length;
      if (this.#bytesLeft === 0) {
        // The last bytes go out with the end: one write to the kernel where there would be two.
        this.#response.end(chunk);
        return;
      }
    }
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#watch();
  }

  onResponseEnd(): void {
    if (this.#stage !== 'responding') return;
    if (this.isStopped()) {
      this.cut();
      return;
    }
    // undici reports a body that ends with the connection as complete even where a reset ended it.
    if (this.#closeDelimited && this.carrier?.socket?.errored) {
      this.onResponseError(undefined, this.carrier.socket.errored);
      return;
    }
    this.#stage = 'answered';
    if (!this.#response.writableEnded) this.#response.end();
    this.#upload?.destroy();
  }

  onResponseError(_controller: unknown, error: unknown): void {
    if (this.#stage === 'responding') {
      this.#stage = 'answered';
      this.#abortUpstream();
      this.#cutClient();
      return;
    }
    if (this.#stage !== 'waiting') return;
    if (this.isStopped()) this.cut();
    else if (this.#mayRetry(error)) {
      this.#retried = true;
      this.#controller = undefined;
      setImmediate(retry, this);
    } else this.#fail(forwardFailure(error));
  }

  // ours

  #dispatch(): void {
    const { upstream, target, headers } = this.#options;
    upstream.dispatch(
      {
        method: this.#request.method as Dispatcher.HttpMethod,
        path: target,
        headers,
        body: this.#upload ?? null,
        blocking: false,
        // @ts-expect-error undici reads it; its types forget it.
        servername: upstream.servername,
      },
      this,
    );
  }

  static retry(exchange: HttpExchange): void {
    if (exchange.#stage !== 'waiting') return;
    if (exchange.isStopped()) exchange.cut();
    else exchange.#dispatch();
  }

  #mayRetry(error: unknown): boolean {
    return (
      this.#reused &&
      !this.#heard &&
      !this.#retried &&
      this.#upload === undefined &&
      RETRIED.has(this.#request.method!) &&
      isConnectionLost(error)
    );
  }

  #writeHead(status: number, statusText: string | undefined, head: ResponseHead): void {
    const response = this.#response;
    const { headers } = head;
    const bodyless = status === 204 || status === 304 || this.#request.method === 'HEAD';
    if (head.eventStream) this.kind = 'stream';
    if (status === 204 && head.contentLength !== -1) removeContentLength(headers);
    if (this.#upload !== undefined && !this.#request.complete) {
      headers.push('Connection', 'close');
      lingerAfterResponse(this.#request);
    }
    try {
      response.writeHead(status, printable(statusText), headers);
    } catch (error) {
      this.#failInvalid(error instanceof Error ? error.message : 'a header that cannot be sent');
      return;
    }
    this.#stage = 'responding';
    if (bodyless) return;
    this.#bytesLeft = head.contentLength;
    this.#closeDelimited = head.contentLength === -1 && !head.chunked;
    process.nextTick(flushHead, this);
  }

  /** A head whose body does not come in the same tick must not wait for it: event streams would seem dead. */
  static flushHead(exchange: HttpExchange): void {
    if (exchange.#stage !== 'responding' || exchange.isStopped()) return;
    exchange.#response.flushHeaders();
    exchange.#watch();
  }

  static onDrain(exchange: HttpExchange): void {
    exchange.moved = true;
    if (!exchange.isStopped()) exchange.#controller?.resume();
  }

  static onClose(exchange: HttpExchange): void {
    exchange.#leave();
  }

  #failInvalid(why: string): void {
    this.#fail({ code: 'upstream_invalid', why });
  }

  #fail(failure: ForwardFailure): void {
    this.#stage = 'answered';
    this.#abortUpstream();
    this.#lingerIfUploading();
    this.#options.onFailure({ code: failure.code, why: failure.why });
  }

  #lingerIfUploading(): void {
    if (this.#request.complete || this.#upload === undefined) return;
    this.#response.shouldKeepAlive = false;
    lingerAfterResponse(this.#request);
  }

  #abortUpstream(): void {
    this.#upload?.destroy();
    this.#controller?.abort(new Error('the exchange is over'));
  }

  /** The client must see that what it has is not all: no last chunk, and a reset where the end would look like one. */
  #cutClient(): void {
    const response = this.#response;
    const { socket } = this.#request;
    const endTells = response.chunkedEncoding || response.hasHeader('content-length') || this.#bytesLeft >= 0;
    if (this.#request.httpVersionMinor === 0 || !endTells) resetSocket(socket);
    else socket.destroy();
  }

  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    this.#response.on('drain', onResponseDrain);
    this.#options.upstream.transfers.add(this);
  }

  /** The client's side is closed: written to the end, or gone. */
  #leave(): void {
    if (this.#stage === 'over') return;
    const { stage } = { stage: this.#stage };
    this.#stage = 'over';
    if (this.#watched) this.#options.upstream.transfers.delete(this);
    if (stage !== 'answered') this.#abortUpstream();
    this.#options.owner?.delete(this);
    const response = this.#response;
    const whole = response.writableFinished || this.#cut || (stage === 'answered' && response.headersSent);
    this.#options.onFinished(whole ? response.statusCode : 499);
  }
}

function onResponseClose(this: ResponseOfExchange): void {
  HttpExchange.onClose(this[EXCHANGE]!);
}

function onResponseDrain(this: ResponseOfExchange): void {
  HttpExchange.onDrain(this[EXCHANGE]!);
}

const { retry, flushHead } = HttpExchange;

function ignore(): void {}

function destroyUnlessClosed(response: ServerResponse, request: IncomingMessage): void {
  if (!response.closed && !response.writableFinished) request.socket.destroy();
}

function removeContentLength(headers: string[]): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i]!.length === 14 && headers[i]!.toLowerCase() === 'content-length') headers.splice(i, 2);
  }
}

/** The reason phrase, or none where it has what Node cannot write back. */
function printable(statusText: string | undefined): string {
  if (statusText === 'OK') return statusText;
  return statusText !== undefined && /^[\t\x20-\x7e\x80-\xff]*$/.test(statusText) ? statusText : '';
}

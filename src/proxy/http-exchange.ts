// One HTTP exchange under way, the client's side of it: what the registry can cut and the watch can see. The response goes
// straight to the client (RFC 9110, RFC 9112); what breaks off arrives as broken off.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { cutResponse, hasNoBody, writeResponseHead } from './client-response.ts';
import type { ConnectionKind, LiveConnection } from './connection-registry.ts';
import { type Farewell, SESSION_ENDED } from './farewell.ts';
import type { ForwardFailure } from './forward-failure.ts';
import type { ForwardOptions } from './forward-options.ts';
import { lingerAfterResponse } from './lingering-close.ts';
import type { ResponseHead } from './response-headers.ts';
import type { Transfer } from './transfer-watch.ts';
import { UploadBody, type UploadGuard } from './upload-body.ts';
import { type AnswerHead, type CallListener, UpstreamCall } from './upstream-call.ts';

/** A client that does not take its 401 is cut after this. */
const FAREWELL_MS = 1_000;
/** A body as small as this costs less to copy than a second buffer costs to write. */
const JOINED_BYTES = 8 * 1024;
/** What may wait for a slow client before the upstream has to. */
const MAX_QUEUED_BYTES = 128 * 1024;

/**
 * waiting: for a response head. responding: its body is on the way. answered: nothing more comes from the upstream, the
 * client may still be taking it. over: the client's side is closed too.
 */
type Stage = 'waiting' | 'responding' | 'answered' | 'over';

const EXCHANGE = Symbol('exchange');
type ExchangeResponse = ServerResponse & { [EXCHANGE]?: HttpExchange };

export class HttpExchange implements LiveConnection, Transfer, UploadGuard, CallListener {
  kind: ConnectionKind = 'request';
  readonly tag: unknown;
  moved = false;
  readonly #request: IncomingMessage;
  readonly #response: ExchangeResponse;
  readonly #options: ForwardOptions;
  readonly #upload: UploadBody | undefined;
  readonly #call: UpstreamCall;
  #stage: Stage = 'waiting';
  #cut = false;
  #watched = false;
  /** The client went away, and the body that is there only once is still on its way to the upstream. */
  #deserted = false;
  /** Bytes of the response body still to come, -1 where only its end will tell. */
  #bytesLeft = -1;

  constructor(request: IncomingMessage, response: ServerResponse, options: ForwardOptions, body: 'body' | 'no body') {
    this.#request = request;
    this.#response = response;
    this.#options = options;
    this.tag = options.tag;
    this.#upload = body === 'body' ? new UploadBody(request, this) : undefined;
    const { upstream, detour, target, headers, body: atHand } = options;
    const call = { upstream, detour, method: request.method!, target, headers, body: this.#upload ?? atHand };
    this.#call = new UpstreamCall(this, call);
  }

  /** Registers the exchange and sends the request; in the tick of the decision. */
  begin(): void {
    const response = this.#response;
    response[EXCHANGE] = this;
    response.on('close', onResponseClose);
    this.#deserted = response.destroyed;
    this.#options.owner?.add(this);
    if (this.#upload !== undefined) {
      this.#upload.on('error', ignore);
      this.#watch();
    }
    if (this.isStopped()) this.cut(this.#options.owner?.farewell);
    else this.#call.send();
  }

  // For the registry

  isStopped(): boolean {
    return this.#cut || (this.#options.owner?.stopped ?? false);
  }

  hasBacklog(): boolean {
    return this.#response.writableLength > 0 || this.#request.socket.writableLength > 0 || this.#call.hasBacklog();
  }

  cut(farewell: Farewell = SESSION_ENDED): void {
    if (this.#cut || this.#stage === 'over') return;
    this.#cut = true;
    const waiting = this.#stage === 'waiting';
    if (waiting && this.#call.isUnsent) this.#options.onCutUnsent?.();
    this.#endCall();
    if (!waiting || this.#response.headersSent) return this.#cutClient();
    this.#lingerIfUploading();
    setTimeout(destroyUnlessClosed, FAREWELL_MS, this.#response, this.#request).unref();
    this.#options.onEnded(this.#request, this.#response, farewell);
  }

  // For the watch over long transfers

  onUploadMoved(): void {
    this.moved = true;
  }

  onMoving(): void {
    if (this.kind !== 'stream') this.#options.onActivity();
  }

  onStalled(): void {
    if (this.kind === 'stream') return;
    if (this.#stage !== 'waiting') {
      this.#endCall();
      this.#cutClient();
    } else if (this.#upload?.isHeldUp) {
      this.onFailure({ code: 'upstream_timeout', why: 'the upstream takes no more of the request body' });
    } else if (!this.#request.complete) {
      this.#endCall();
      this.#lingerIfUploading();
      this.#response.writeHead(408, { 'Content-Length': 0 }).end();
    }
    // Else the upstream has it all and is thinking: that is the response head's time limit.
  }

  // For the call

  isWanted(): boolean {
    if (this.isStopped()) this.cut(this.#options.owner?.farewell);
    return this.#stage === 'waiting' || this.#stage === 'responding';
  }

  onHead(answer: AnswerHead): void {
    if (!this.isWanted()) return;
    const head = this.#options.response.build(answer.rawHeaders);
    if (head.kind === 'refused') {
      this.onFailure(head);
      return;
    }
    const kept = head.setCookies === undefined ? undefined : this.#options.watcher?.keepCookies(head.setCookies);
    if (kept === undefined) {
      this.#respond(answer, head);
      return;
    }
    this.#call.hold();
    kept.then(
      () => {
        if (this.isWanted()) this.#respond(answer, head);
        this.#call.letGo();
      },
      () => this.onFailure({ code: 'cookies_not_kept', why: 'the session store failed' }),
    );
  }

  #respond({ status, statusText }: AnswerHead, head: ResponseHead): void {
    if (this.#deserted) {
      this.#endCall();
      return;
    }
    const takeOver = this.#options.watcher?.onHead(status, head);
    if (takeOver !== undefined) {
      this.#endCall();
      this.#lingerIfUploading();
      this.#options.owner?.delete(this);
      takeOver();
      return;
    }
    if (this.#upload !== undefined && !this.#request.complete) {
      // What is left of the body is nobody's any more: no request may follow it on this connection.
      head.headers.push('Connection', 'close');
      lingerAfterResponse(this.#request);
    }
    try {
      writeResponseHead(this.#response, { status, statusText }, head);
    } catch (error) {
      this.onFailure({
        code: 'upstream_invalid',
        why: error instanceof Error ? error.message : 'a header that cannot be written',
      });
      return;
    }
    this.#stage = 'responding';
    if (head.eventStream) this.kind = 'stream';
    if (hasNoBody(this.#request.method, status)) return;
    this.#bytesLeft = head.contentLength;
    if (head.contentLength === -1 && !head.chunked) this.#call.endsWithConnection();
    process.nextTick(flushHead, this);
  }

  onBody(chunk: Buffer): void {
    if (!this.isWanted()) return;
    this.moved = true;
    if (this.#bytesLeft > 0) {
      this.#bytesLeft -= chunk.length;
      if (this.#bytesLeft === 0) {
        // The last bytes go out with the end; few of them as text, which Node joins with the head into one buffer.
        if (chunk.length <= JOINED_BYTES) this.#response.end(chunk.toString('latin1'), 'latin1');
        else this.#response.end(chunk);
        return;
      }
    }
    if (this.#response.write(chunk) || this.#response.writableLength < MAX_QUEUED_BYTES) return;
    this.#call.pause();
    this.#watch();
  }

  onBodyEnd(): void {
    if (!this.isWanted()) return;
    this.#stage = 'answered';
    if (!this.#response.writableEnded) this.#response.end();
  }

  onBroken(): void {
    this.#stage = 'answered';
    this.#cutClient();
  }

  onFailure(failure: ForwardFailure): void {
    if (!this.isWanted()) return;
    this.#endCall();
    // The client is gone: it was its own end that ended the upload.
    if (this.#request.socket.destroyed && this.#options.body === undefined) return;
    this.#lingerIfUploading();
    // From here on the answer is the gate's own, and no end of a session cuts it.
    this.#options.owner?.delete(this);
    const { code, why, unsent } = failure;
    this.#options.onFailure({ code, why, ...(unsent && { unsent }) });
  }

  // For the listeners below

  /** A head whose body does not come in the same tick must not wait for it: event streams would seem dead. */
  flushHead(): void {
    if (this.#stage !== 'responding' || this.isStopped()) return;
    this.#response.flushHeaders();
    this.#watch();
  }

  resume(): void {
    this.moved = true;
    if (!this.isStopped()) this.#call.resume();
  }

  /** The client's side is closed: written to the end, or gone. */
  leave(): void {
    if (this.#stage === 'over') return;
    if (this.#stage === 'waiting' && this.#options.body !== undefined) {
      this.#deserted = true;
      return;
    }
    const response = this.#response;
    const whole = response.writableFinished || (this.#stage === 'answered' && response.headersSent);
    this.#endCall();
    this.#stage = 'over';
    if (this.#watched) this.#options.upstream.transfers.delete(this);
    this.#options.owner?.delete(this);
    this.#options.onFinished(whole ? response.statusCode : 499);
  }

  #endCall(): void {
    this.#stage = 'answered';
    this.#call.abort();
    if (!this.#deserted) return;
    this.#deserted = false;
    this.leave();
  }

  #lingerIfUploading(): void {
    if (this.#request.complete || this.#upload === undefined) return;
    this.#response.shouldKeepAlive = false;
    lingerAfterResponse(this.#request);
  }

  #cutClient(): void {
    cutResponse(this.#request, this.#response, this.#bytesLeft >= 0 ? 'by length' : 'other');
  }

  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    this.#response.on('drain', onResponseDrain);
    this.#options.upstream.transfers.add(this);
  }
}

function onResponseClose(this: ExchangeResponse): void {
  this[EXCHANGE]!.leave();
}

function onResponseDrain(this: ExchangeResponse): void {
  this[EXCHANGE]!.resume();
}

function flushHead(exchange: HttpExchange): void {
  exchange.flushHead();
}

function ignore(): void {}

function destroyUnlessClosed(response: ServerResponse, request: IncomingMessage): void {
  if (!response.closed && !response.writableFinished) request.socket.destroy();
}

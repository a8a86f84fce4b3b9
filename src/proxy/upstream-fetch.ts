// Calls that the gate makes to an application by itself, over the connection that its route describes (its certificates, its
// server name): bounded in time, and no more of the answer is read than its status needs.

import { GatewayError } from '../base/gateway-error.ts';
import type { Upstream } from './upstream.ts';
import { type AnswerHead, type CallListener, type Detour, UpstreamCall } from './upstream-call.ts';

export interface UpstreamFetchOptions {
  readonly upstream: Upstream;
  /** The same application elsewhere, for a call that could not be made: one after the other. */
  readonly others?: readonly Upstream[];
  /** Changes the headers for one of the others. */
  readonly readdress?: (headers: string[], other: Upstream) => void;
  /** For the whole call. */
  readonly timeoutMs: number;
}

/** A longer answer ends with its connection: nobody reads it. */
const MAX_BYTES = 64 * 1024;

/**
 * A `fetch` for calls without a body, whose answers are a status and nothing else. Headers go out as they are given, `Host`
 * too; redirects are answers. Rejects with a GatewayError `call_failed` where no answer comes.
 */
export function createUpstreamFetch(options: UpstreamFetchOptions): typeof globalThis.fetch {
  return (input, init = {}) =>
    new Promise((resolve, reject) => {
      const { pathname, search } = new URL(String(input));
      const headers = Object.entries((init.headers ?? {}) as Record<string, string>).flat();
      const detour = detourOf(options, headers);
      const request = { ...options, detour, method: init.method ?? 'GET', target: pathname + search, headers };
      const call = new OwnCall(request, {
        onStatus: (status) => resolve(new Response(null, { status })),
        onFailure: (why) => reject(new GatewayError('call_failed', { status: 503, message: why })),
      });
      call.begin(options.timeoutMs, init.signal ?? undefined);
    });
}

function detourOf({ others = [], readdress }: UpstreamFetchOptions, headers: string[]): Detour {
  const left = [...others];
  return {
    elsewhere: () => {
      const other = left.shift();
      if (other !== undefined) readdress?.(headers, other);
      return other;
    },
  };
}

class OwnCall implements CallListener {
  readonly #call: UpstreamCall;
  readonly #told: { onStatus(status: number): void; onFailure(why: string): void };
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;
  readonly #onAbort = (): void => this.#giveUp('the gate is stopping');
  #bytes = 0;
  #over = false;

  constructor(
    request: { upstream: Upstream; detour: Detour; method: string; target: string; headers: string[] },
    told: { onStatus(status: number): void; onFailure(why: string): void },
  ) {
    const { upstream, detour, method, target, headers } = request;
    this.#call = new UpstreamCall(this, { upstream, detour, method, target, headers, body: undefined });
    this.#told = told;
  }

  begin(timeoutMs: number, signal: AbortSignal | undefined): void {
    this.#timer = setTimeout(() => this.#giveUp(`no complete answer within ${timeoutMs} ms`), timeoutMs);
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort);
    this.#call.send();
  }

  isWanted(): boolean {
    return !this.#over;
  }

  onHead({ status }: AnswerHead): void {
    this.#told.onStatus(status);
  }

  onBody(chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > MAX_BYTES) this.#giveUp('an answer without end');
  }

  onBodyEnd(): void {
    this.#finish();
  }

  onBroken(): void {
    this.#finish();
  }

  onFailure({ why }: { readonly why: string }): void {
    this.#finish();
    this.#told.onFailure(why);
  }

  /** After the status nobody hears of it any more. */
  #giveUp(why: string): void {
    if (this.#over) return;
    this.#finish();
    this.#call.abort();
    this.#told.onFailure(why);
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    // The signal outlives the call by the life of the gate.
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}

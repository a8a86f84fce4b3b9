// Calls a URL because somebody logged out (`logout.notify`, a route's `logout.relay`): bounded in attempts, in time and in
// number, because the other side may be down for hours and sessions end by the thousand.

import type { Clock, Timers } from '../base/clock.ts';
import { Pauses } from './pauses.ts';

export interface UrlCall {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** The body, as a form. */
  readonly form?: Readonly<Record<string, string>>;
}

/** `answered`: with a 2xx or a redirect, which is not followed. */
export type CallOutcome = 'answered' | { readonly gaveUp: string; readonly attempts: number };

export interface UrlCallerOptions {
  /** Has a deadline and a bounded body of its own, and follows no redirect. */
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** The other side is somebody's application; a mass logout shall not be the load that stops it. */
const IN_FLIGHT = 8;
/** Calls that wait, for a turn or for their next attempt: some MiB. */
const MOST_CALLS = 10_000;
/** Between attempts: a hiccup, a restart of a process, a restart of a container. */
const PAUSES_MS = [1_000, 5_000, 20_000];
/** No attempt begins later: news of a logout that is older helps nobody, and the queue must come to an end. */
const LONGEST_MS = 60_000;
/** How long a stopping gate waits for calls that are under way. */
const LAST_CALLS_MS = 2_000;
/** Answers that say "not now". Every other 4xx stays as it is, however often one asks. */
const TRY_AGAIN = new Set([408, 425, 429]);

type Attempt = 'answered' | { readonly why: string; readonly isFinal: boolean };

/** One queue of calls to one destination. */
export class UrlCaller {
  readonly #options: UrlCallerOptions;
  readonly #stopping = new AbortController();
  readonly #turns: (() => void)[] = [];
  readonly #pauses: Pauses;
  #inFlight = 0;
  #calls = 0;
  #onIdle: (() => void) | undefined;

  constructor(options: UrlCallerOptions) {
    this.#options = options;
    this.#pauses = new Pauses(options.timers);
  }

  /** Calls until there is an answer, or gives up. Never rejects; nobody should wait for it. */
  async call(call: UrlCall): Promise<CallOutcome> {
    if (this.#calls >= MOST_CALLS) return { gaveUp: `${MOST_CALLS} calls are waiting already`, attempts: 0 };
    this.#calls += 1;
    try {
      return await this.#callUntilAnswered(call);
    } finally {
      this.#calls -= 1;
      if (this.#calls === 0) this.#onIdle?.();
    }
  }

  /** Gives up what waits for another attempt, and lets what is under way finish, for two seconds at most. */
  async stop(): Promise<void> {
    this.#pauses.stop();
    if (this.#calls === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    const timer = this.#options.timers.after(LAST_CALLS_MS, () => this.#stopping.abort());
    await idle;
    timer.cancel();
  }

  async #callUntilAnswered(call: UrlCall): Promise<CallOutcome> {
    const { clock } = this.#options;
    const until = clock.monotonicMs() + LONGEST_MS;
    for (let attempts = 1; ; attempts++) {
      await this.#turn();
      const isLate = clock.monotonicMs() > until || this.#stopping.signal.aborted;
      const attempt: Attempt = isLate ? { why: 'its turn came too late', isFinal: true } : await this.#attempt(call);
      this.#handOn();
      if (attempt === 'answered') return attempt;
      const pauseMs = PAUSES_MS[attempts - 1];
      const isOver = attempt.isFinal || this.#pauses.isStopped || pauseMs === undefined;
      if (isOver) return { gaveUp: attempt.why, attempts: isLate ? attempts - 1 : attempts };
      await this.#pauses.pause(pauseMs);
      if (this.#pauses.isStopped) return { gaveUp: attempt.why, attempts };
    }
  }

  async #attempt({ url, method, headers, form }: UrlCall): Promise<Attempt> {
    try {
      const { status } = await this.#options.fetch(url, {
        method,
        signal: this.#stopping.signal,
        ...(headers && { headers }),
        ...(form && { body: new URLSearchParams(form) }),
      });
      if (status < 400) return 'answered';
      return { why: `it answered ${status}`, isFinal: status < 500 && !TRY_AGAIN.has(status) };
    } catch (error) {
      return { why: error instanceof Error ? error.message : 'unknown failure', isFinal: false };
    }
  }

  async #turn(): Promise<void> {
    if (this.#inFlight < IN_FLIGHT) this.#inFlight += 1;
    else await new Promise<void>((resolve) => this.#turns.push(resolve));
  }

  #handOn(): void {
    const next = this.#turns.shift();
    if (next) next();
    else this.#inFlight -= 1;
  }
}

// The application's own logout, seen from the gate: what an answer of the application means for the session of its request
// (design: triggers, "the legacy app's own logout link" and "the app asks for it"). The request was forwarded first, so
// that the application's own session has ended already.

import type { ServerResponse } from 'node:http';
import { returnAddress } from '../access/return-address.ts';
import type { Emit } from '../base/events.ts';
import type { EndCause } from '../logout/end-cause.ts';
import type { EndSessions } from '../logout/end-sessions.ts';
import type { ResponseHead } from '../proxy/response-headers.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { AppLogoutRules } from './app-logout-rules.ts';
import type { Leaving } from './leaving.ts';
import { isPageRequest, isPrefetch } from './navigation.ts';
import { canAskForLogout, type OwnWish, ownWish } from './own-wish.ts';
import type { PublicRequest } from './public-request.ts';
import { signOnOf } from './sign-on-of.ts';
import type { Snapshot } from './snapshot.ts';

/** `redirect`: the browser goes to the provider. `backchannel`: it gets the application's answer, we ask the provider. */
type Order = 'redirect' | 'backchannel';

/** Nobody who has logged out goes on by an answer without end: from then on it is cut with the session. */
const LONGEST_ANSWER_MS = 5_000;

export interface AppLogoutParts {
  readonly emit: Emit;
  readonly endSessions: EndSessions;
}

/** One exchange of a signed-in user, and the client's answer to it. */
export interface WatchedExchange {
  readonly entry: PublicRequest<Snapshot>;
  readonly response: ServerResponse;
  readonly session: StoredSession;
}

/** Watches one exchange of a signed-in user on a route with `logout` settings. */
export class AppLogout {
  readonly #parts: AppLogoutParts;
  readonly #rules: AppLogoutRules;
  readonly #entry: PublicRequest<Snapshot>;
  readonly #response: ServerResponse;
  readonly #session: StoredSession;
  readonly #wish: OwnWish | undefined;
  /** The answer is on its way, and the session ends when it is there: no end cuts its own messenger. */
  #endsAfterwards: EndCause | undefined = undefined;
  #timer: NodeJS.Timeout | undefined = undefined;
  #isAnswered = false;

  constructor(parts: AppLogoutParts, rules: AppLogoutRules, { entry, response, session }: WatchedExchange) {
    this.#parts = parts;
    this.#rules = rules;
    this.#entry = entry;
    this.#response = response;
    this.#session = session;
    this.#wish = rules.isLogoutPath(entry.target) ? ownWish(entry) : undefined;
  }

  /** Before anything of an answer goes on: what to do in its place, if anything. */
  onHead(status: number, head: ResponseHead): (() => void) | undefined {
    this.#isAnswered = true;
    const led = whereTo(this.#entry, status, head.headers);
    const order = this.#asked(head.logoutAsked) ?? this.#wished(status, led);
    if (order === undefined) return undefined;
    const { handle } = this.#session.record;
    const didEnd = this.#wish !== undefined && status < 400;
    const cause = causeOf(order, didEnd ? { route: this.#rules.route, handle } : undefined);
    if (order === 'redirect') return this.#leave({ setCookies: setCookiesOf(head.headers), led, cause });
    head.headers.push(...this.#rules.farewellHeaders);
    this.#endsAfterwards = cause;
    this.#timer = setTimeout(() => this.#end(), LONGEST_ANSWER_MS).unref();
    return undefined;
  }

  /** The application did not answer: whoever wanted to leave leaves all the same. */
  onFailure(): (() => void) | undefined {
    this.#isAnswered = true;
    if (this.#wish !== 'page') return undefined;
    return this.#leave({ setCookies: [], led: undefined, cause: causeOf('redirect', undefined) });
  }

  /** The client's side of the exchange is closed. */
  onFinished(): void {
    // It left before the application had answered, and the application may have ended its session all the same.
    if (!this.#isAnswered && this.#wish !== undefined) this.#endsAfterwards = causeOf('backchannel', undefined);
    this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    const cause = this.#endsAfterwards;
    this.#endsAfterwards = undefined;
    if (cause === undefined || this.#session.ended) return;
    const { endSessions, emit } = this.#parts;
    void (async () => endSessions(signOnOf(this.#session), cause))().catch((error: unknown) => {
      const message = `Route ${this.#rules.route}: a session did not end by the application's logout: ${String(error)}`;
      emit({ event: 'gate.warning', code: 'app_logout_failed', message });
    });
  }

  /** What the application says outright counts for every request but those that ask about others. */
  #asked(value: string | undefined): Order | undefined {
    const { method, request } = this.#entry;
    if (value === undefined || !canAskForLogout(method)) return undefined;
    const asked = value.toLowerCase();
    if (asked === 'backchannel') return asked;
    if (asked !== 'redirect') {
      this.#rules.tellUnknownWord();
      return undefined;
    }
    return isPageRequest(request.headers) && !isPrefetch(request.headers) ? asked : 'backchannel';
  }

  /**
   * A person who opens the logout page wants to leave, whatever the application makes of it; a script's request counts where
   * the application took it. A redirect from one spelling of a logout path to the next is the application's way to its logout.
   */
  #wished(status: number, led: URL | undefined): Order | undefined {
    if (this.#wish === undefined) return undefined;
    const isOnItsWay = led?.origin === this.#entry.publicOrigin && this.#rules.isLogoutPath(led.pathname + led.search);
    if (isOnItsWay) return undefined;
    if (this.#wish === 'script') return status < 400 ? 'backchannel' : undefined;
    if (status >= 400) {
      const message = `Route ${this.#rules.route}: the application answered ${status} to its own logout; the session here ended all the same.`;
      this.#parts.emit({ event: 'gate.warning', code: 'app_logout_refused', message });
    }
    return 'redirect';
  }

  #leave(facts: { setCookies: readonly string[]; led: URL | undefined; cause: EndCause }): () => void {
    const { setCookies, led, cause } = facts;
    const { publicOrigin, snapshot } = this.#entry;
    const returnTo = led && returnAddress(led.href, publicOrigin, snapshot.prefix);
    const leaving: Leaving = { session: this.#session, setCookies, returnTo, cause };
    return () => snapshot.publicApp(this.#entry, this.#response, { leaving });
  }
}

function causeOf(order: Order, endedAt: EndCause['endedAt'] | undefined): EndCause {
  return {
    reason: 'app_logout',
    ...(order === 'backchannel' && { atProvider: 'end_session' }),
    ...(endedAt !== undefined && { endedAt }),
  };
}

/** Where a redirect leads, as the browser would read it. */
function whereTo(entry: PublicRequest, status: number, headers: readonly string[]): URL | undefined {
  if (status < 300 || status > 399) return undefined;
  const [location] = valuesOf(headers, 'location');
  return location === undefined ? undefined : (URL.parse(location, entry.publicOrigin + entry.target) ?? undefined);
}

function setCookiesOf(headers: readonly string[]): string[] {
  return valuesOf(headers, 'set-cookie');
}

function valuesOf(headers: readonly string[], name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]!.toLowerCase() === name);
}

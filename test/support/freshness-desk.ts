// Sessions that are kept true against a provider in the test's hands: it answers at once, when it is let, or not at all.

import { GatewayError } from '../../src/base/gateway-error.ts';
import type { TokenSet } from '../../src/base/tokens.ts';
import { createFreshness, type Freshness, type FreshnessOptions } from '../../src/freshness/freshness.ts';
import type { Refreshable, Refreshed } from '../../src/oidc/refresh-tokens.ts';
import type { SessionRecord, StoredSession } from '../../src/session/session-record.ts';
import { settled } from './manual-clock.ts';
import { SessionDesk } from './session-desk.ts';
import { aTokenSet } from './session-records.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;

export function refreshRefused(): GatewayError {
  return new GatewayError('refresh_refused', { status: 401, message: 'Session not active' });
}

export function providerDown(): GatewayError {
  return new GatewayError('provider_unavailable', { status: 503, message: 'ECONNREFUSED' });
}

export interface FakeProviderLives {
  accessMs: number;
  refreshMs: number | undefined;
}

export class FreshnessDesk extends SessionDesk {
  /** What was asked, in order: `refresh <token>` or `probe <token>`. */
  readonly asked: string[] = [];
  lives: FakeProviderLives = { accessMs: 5 * MINUTE, refreshMs: 30 * MINUTE };
  inFlight = 0;
  mostInFlight = 0;
  /** What the provider does with a refresh and a probe; a test puts its own in the place of these. */
  onRefresh: (session: Refreshable) => Promise<Refreshed> = async ({ claims }) => ({ tokens: this.tokens(), claims });
  onProbe: (refreshToken: string) => Promise<'alive' | 'ended'> = async () => 'alive';
  readonly freshness: Freshness;

  constructor(options: Partial<FreshnessOptions> & { maxSessions?: number } = {}) {
    super({ ...options, forget: (session) => this.freshness.forget(session) });
    this.freshness = createFreshness({
      refreshTokens: (session) => this.#ask(`refresh ${session.tokens.refreshToken}`, () => this.onRefresh(session)),
      probeSession: (token) => this.#ask(`probe ${token}`, () => this.onProbe(token)),
      store: this.store,
      endSessions: this.ending.endSessions,
      clock: this.clock,
      timers: this.clock,
      emit: (event) => this.events.push(event),
      isLive: (handle) => this.registry.isLive(handle),
      revalidateMs: 5 * MINUTE,
      idleTimeoutMs: 30 * MINUTE,
      absoluteTimeoutMs: 600 * MINUTE,
      random: () => 0.5,
      ...options,
    });
  }

  /** Tokens as the provider would give them out now. */
  tokens(): TokenSet {
    const { accessMs, refreshMs } = this.lives;
    return aTokenSet({
      issuedAtSeconds: Math.floor(this.clock.now() / 1000),
      accessExpiresAt: this.clock.now() + accessMs,
      refreshExpiresAt: refreshMs === undefined ? undefined : this.clock.now() + refreshMs,
    });
  }

  /** A session that was signed in now, watched, and used once. */
  begin(overrides: Partial<SessionRecord> = {}): StoredSession {
    const session = this.signIn({ tokens: this.tokens(), ...overrides });
    this.freshness.watch(session);
    return session;
  }

  /** One request of the session: what the gate does with it. */
  async request(session: StoredSession): Promise<'fresh' | 'ended'> {
    const outcome = await this.freshness.ensure(session);
    if (outcome === 'fresh') this.freshness.active(session);
    return outcome;
  }

  /** From now on every call fails, after a moment. */
  goDown(): void {
    this.onRefresh = this.onProbe = async () => {
      await settled();
      throw providerDown();
    };
  }

  async #ask<T>(what: string, answer: () => Promise<T>): Promise<T> {
    this.asked.push(what);
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight);
    try {
      return await answer();
    } finally {
      this.inFlight--;
    }
  }
}

/** The kinds of calls in `asked`, without their tokens. */
export function kinds(asked: readonly string[]): string[] {
  return asked.map((call) => call.split(' ')[0]!);
}

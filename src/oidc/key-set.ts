// The provider's signing keys (OpenID Connect Core 1.0 section 10.1): fetched, kept, and fetched again for a key that is
// new. Ours and not a library's, because those refuse to fetch again for 30 to 60 s after a fetch: a logout token signed
// with a rotated key would be refused in that time, and Keycloak does not send it twice.

import { compactVerify } from 'jose';
import type { Clock, Timer, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { CompactJws } from './compact-jws.ts';
import { isJsonObject } from './compact-jws.ts';
import { providerUnavailable, readJson, translateError } from './translate-error.ts';
import { VerificationKey } from './verification-key.ts';

/** The flood guard: whatever is thrown at us, the provider is asked at most once a second, by one request at a time. */
const FETCHES_APART_MS = 1_000;
/** Keycloak gives up on our answer to a notice after 5 s; an answer that waits for keys must come before. */
const FETCH_DEADLINE_MS = 4_000;
/** A key that the provider withdrew stops being good after about this long. */
const REFETCH_AFTER_MS = 10 * 60_000;
const BACKGROUND_RETRY_MS = 30_000;
/** With the provider down, the keys we have stay good this long. */
const STALE_LIMIT_MS = 24 * 3_600_000;
/** More keys than a provider has, and few enough to try all of them for a token without `kid`. */
const MAX_KEYS = 50;

export type SignatureVerdict = 'valid' | 'invalid' | 'unknown_key';

export interface KeySetOptions {
  /** Where the keys are; rejects while the provider is not discovered. */
  readonly locate: () => Promise<string>;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly emit: Emit;
}

export class KeySet {
  readonly #options: KeySetOptions;
  #keys: readonly VerificationKey[] | undefined;
  /** When the request left that brought the keys at hand, and when the last one left. */
  #keysAsOfMs = Number.NEGATIVE_INFINITY;
  #startedAtMs = Number.NEGATIVE_INFINITY;
  #pending: Promise<void> | undefined;
  #wait: { timer: Timer; cancel: () => void } | undefined;
  #stopped = false;

  constructor(options: KeySetOptions) {
    this.#options = options;
  }

  /** Whether keys were ever fetched. */
  get known(): boolean {
    return this.#keys !== undefined;
  }

  /** Whether some key could have made a signature with `alg`. */
  hasKeyFor(alg: string): boolean {
    return this.#keys?.some((key) => key.fits(alg)) ?? false;
  }

  stop(): void {
    this.#stopped = true;
    this.#wait?.timer.cancel();
    this.#wait?.cancel();
  }

  /**
   * Judges the signature. All keys that carry the token's `kid` are tried; without one, all that fit. An unknown `kid`, or
   * a token without `kid` that no key verifies, fetches again once, shared with everybody who waits for the same.
   * @throws GatewayError `provider_unavailable` when the keys that would decide cannot be had
   */
  async verify(jws: CompactJws): Promise<SignatureVerdict> {
    const askedAtMs = this.#options.clock.monotonicMs();
    await this.#usable();
    for (;;) {
      const verdict = await this.#judge(jws);
      if (verdict === 'valid' || (verdict === 'invalid' && jws.kid !== undefined)) return verdict;
      // Only keys that were fetched since then say that there is none. A fetch that was under way may have left before the
      // new key was published: it is waited for, and one more follows.
      if (this.#keysAsOfMs >= askedAtMs) return verdict;
      await this.refetch();
    }
  }

  /** Fetches now, or as soon as the last fetch is 1 s old; joins a fetch that is under way. Old keys survive a failure. */
  refetch(): Promise<void> {
    this.#pending ??= this.#spaced().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async #usable(): Promise<void> {
    const { clock } = this.#options;
    const ageMs = clock.monotonicMs() - this.#keysAsOfMs;
    if (!this.#keys || ageMs > STALE_LIMIT_MS) return this.refetch();
    const sinceStartMs = clock.monotonicMs() - this.#startedAtMs;
    // The failure has been told by an event; the keys at hand are good enough for now.
    if (ageMs > REFETCH_AFTER_MS && sinceStartMs > BACKGROUND_RETRY_MS) this.refetch().catch(() => {});
  }

  async #judge(jws: CompactJws): Promise<SignatureVerdict> {
    const candidates = (this.#keys ?? []).filter(
      (key) => (jws.kid === undefined || key.kid === jws.kid) && key.fits(jws.alg),
    );
    let tried = false;
    for (const candidate of candidates) {
      const key = await candidate.imported(jws.alg);
      if (!key) continue;
      tried = true;
      try {
        await compactVerify(jws.text, key, { algorithms: [jws.alg] });
        return 'valid';
      } catch {
        // Another key may have the same kid.
      }
    }
    return tried ? 'invalid' : 'unknown_key';
  }

  async #spaced(): Promise<void> {
    const { clock, emit } = this.#options;
    const waitMs = this.#startedAtMs + FETCHES_APART_MS - clock.monotonicMs();
    if (waitMs > 0) await this.#pause(waitMs);
    this.#startedAtMs = clock.monotonicMs();
    try {
      this.#keys = await this.#fetchKeys();
      this.#keysAsOfMs = this.#startedAtMs;
      emit({ event: 'keys.fetched', outcome: 'fetched', why: undefined });
    } catch (error) {
      const failure = translateError(error, 'the key set');
      emit({ event: 'keys.fetched', outcome: 'failed', why: failure.message });
      throw failure;
    }
  }

  async #fetchKeys(): Promise<readonly VerificationKey[]> {
    const url = await this.#options.locate();
    const endpoint = `the key set (${url})`;
    const response = await this.#options
      .fetch(url, {
        headers: { accept: 'application/json, application/jwk-set+json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(FETCH_DEADLINE_MS),
      })
      .catch((error: unknown) => {
        throw translateError(error, endpoint);
      });
    const body = await readJson(response, endpoint);
    if (!isJsonObject(body) || !Array.isArray(body['keys']))
      throw providerUnavailable(`${endpoint} has no list of keys`);
    const keys = body['keys']
      .map((value) => VerificationKey.screen(value))
      .filter((key) => key !== undefined)
      .slice(0, MAX_KEYS);
    if (keys.length === 0) throw providerUnavailable(`${endpoint} has no key that can verify signatures`);
    return keys;
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = () => reject(providerUnavailable('the gate is stopping'));
      if (this.#stopped) return cancel();
      const timer = this.#options.timers.after(delayMs, () => {
        this.#wait = undefined;
        resolve();
      });
      this.#wait = { timer, cancel };
    });
  }
}

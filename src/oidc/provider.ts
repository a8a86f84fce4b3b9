// The OpenID provider over the life of the gate: discovered whenever it can be, kept when it is gone.

import type { Configuration } from 'openid-client';
import type { Clock, Timer, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { GatewayError } from '../base/gateway-error.ts';
import { type ClientAuthOptions, clientAuthentication, usesMutualTls } from './client-authentication.ts';
import { discover } from './discover.ts';
import { KeySet } from './key-set.ts';
import { providerUnavailable, translateError } from './translate-error.ts';

export interface ProviderOptions {
  /** Compared to the letter with what the provider says of itself. */
  readonly issuer: string;
  readonly clientId: string;
  readonly clientAuth: ClientAuthOptions;
  readonly scopes: readonly string[];
  /** More parameters of the authorization request; they cannot replace those that the flow needs. */
  readonly authorizationParams: Readonly<Record<string, string>>;
  readonly userinfo: 'auto' | 'always' | 'never';
  readonly accessTokenClaims: 'auto' | 'never';
  /** What `aud` of a bearer token may have in place of our client id. */
  readonly bearerAudiences: readonly string[];
  /** Top-level claims that the configuration refers to: `auto` asks UserInfo when one of them is missing. */
  readonly neededClaims: readonly string[];
  readonly par: 'auto' | 'require' | 'never';
  /** The one algorithm of ID tokens and logout tokens. */
  readonly idTokenAlg: string;
  readonly clockToleranceSeconds: number;
  readonly logoutToken: { readonly requireExp: boolean; readonly requireTyp: boolean; readonly maxAgeSeconds: number };
  readonly liveness: 'auto' | 'introspect' | 'refresh';
  /** Keycloak before 18 knows no post_logout_redirect_uri. */
  readonly legacyLogoutRedirectUri: boolean;
  /** Whether the provider is told our name of each session, by which Keycloak's Admin URL notices call it. */
  readonly clientSessionState: 'sent' | 'left out';
  /** Overrides of discovered URLs by their metadata name; `discovery` is the address of the metadata itself. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Plain HTTP beyond loopback. */
  readonly allowHttp: boolean;
  /** Follows no redirect, has a deadline and a bounded body: every call to the provider goes through it. */
  readonly fetch: typeof globalThis.fetch;
}

export interface ProviderDependencies {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly emit: Emit;
}

/** Metadata changes when the provider is upgraded or moved; an hour is soon enough, and nothing to it. */
const REDISCOVER_MS = 3_600_000;
const FIRST_RETRY_MS = 1_000;
/** An answer of a moment ago is as good as another: a burst of questions is one call, and a provider that dies is noticed. */
const BELIEVED_MS = 200;
const LONGEST_RETRY_MS = 30_000;

export class Provider {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly emit: Emit;
  readonly keys: KeySet;
  #options: ProviderOptions;
  #clientAuth: ReturnType<typeof clientAuthentication>;
  #configuration: Configuration | undefined;
  #asking: Promise<Configuration> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #hasAnswered = false;
  #attempt: Promise<void> | undefined;
  #failures = 0;
  #trouble: string | undefined = 'the provider has not been asked yet';
  /** The trouble that was told last: an outage of hours is one event, not one for each attempt. */
  #told: string | undefined;
  #clientTrouble: string | undefined;
  #retry: Timer | undefined;
  #stopped = false;

  /** @throws GatewayError `provider_key_unusable` */
  constructor(options: ProviderOptions, dependencies: ProviderDependencies) {
    this.#options = options;
    this.clock = dependencies.clock;
    this.timers = dependencies.timers;
    this.emit = dependencies.emit;
    this.#clientAuth = clientAuthentication(options.clientAuth);
    this.keys = new KeySet({
      locate: async () => (await this.configuration()).serverMetadata().jwks_uri!,
      fetch: (...call) => this.#options.fetch(...call),
      ...dependencies,
    });
  }

  get options(): ProviderOptions {
    return this.#options;
  }

  /**
   * Other settings for the same issuer and client, from the next call on; the keys at hand stay good. What was discovered
   * is asked for again, and whoever needs it meanwhile waits for that.
   * @throws GatewayError `provider_key_unusable`, and then nothing has changed
   */
  reconfigure(options: ProviderOptions): void {
    this.#clientAuth = clientAuthentication(options.clientAuth);
    this.#options = options;
    this.#configuration = undefined;
    this.#asking = undefined;
    this.#askedAtMs = Number.NEGATIVE_INFINITY;
    void this.#try();
    this.keys.refetch().catch(() => {});
  }

  /** Begins to look for the provider and never stops trying. Never throws. */
  start(): void {
    void this.#try();
  }

  /** No further attempt of its own, and no timer. What is at hand stays usable, for requests that are still under way. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.keys.stop();
  }

  /** Ready once metadata and keys were had; a provider that goes away later does not change that. */
  readiness(): { ready: true } | { ready: false; why: string } {
    const why = this.#trouble ?? this.#clientTrouble;
    return why === undefined ? { ready: true } : { ready: false, why };
  }

  /** What the provider last said of our client: why it refuses it, or undefined when it took it. */
  noteClientTrouble(why: string | undefined): void {
    this.#clientTrouble = why;
  }

  /** What was discovered last, if anything. */
  discovered(): Configuration | undefined {
    return this.#configuration;
  }

  /**
   * What was discovered last. Before the first success it waits for the attempt under way, or makes one if the last is
   * over a second old: whoever needs the provider need not wait for the back-off.
   * @throws GatewayError `provider_unavailable`
   */
  async configuration(): Promise<Configuration> {
    if (this.#configuration) return this.#configuration;
    const idleMs = this.clock.monotonicMs() - this.#askedAtMs;
    if (this.#stopped || (!this.#asking && idleMs < FIRST_RETRY_MS)) {
      throw providerUnavailable(this.#trouble ?? 'the provider is not discovered');
    }
    const configuration = await this.#discover();
    // The gate becomes ready now, not at the end of the back-off.
    void this.#try();
    return configuration;
  }

  /** Adds to `body` or `headers` what proves to the provider who we are, for the calls that openid-client does not know. */
  async authenticate(configuration: Configuration, body: URLSearchParams, headers: Headers): Promise<void> {
    const metadata = configuration.serverMetadata();
    await this.#clientAuth({ ...metadata })(metadata, configuration.clientMetadata(), body, headers);
  }

  /**
   * What the provider says of itself now, asked for again: undefined where no answer comes within `withinMs`. However many
   * ask, one call is under way at a time, and after a failure one begins per second. Never rejects.
   */
  async reach(withinMs: number): Promise<Configuration | undefined> {
    const isRecent = this.clock.monotonicMs() - this.#askedAtMs < (this.#hasAnswered ? BELIEVED_MS : FIRST_RETRY_MS);
    if (this.#stopped || (!this.#asking && isRecent)) return this.#hasAnswered ? this.#configuration : undefined;
    const late = Promise.withResolvers<undefined>();
    const timer = this.timers.after(withinMs, () => late.resolve(undefined));
    const answer = await Promise.race([this.#discover().catch(() => undefined), late.promise]);
    timer.cancel();
    if (answer !== undefined && this.#trouble !== undefined) void this.#try();
    return answer;
  }

  #discover(): Promise<Configuration> {
    if (this.#asking !== undefined) return this.#asking;
    // An answer that comes after the settings have changed is for those who asked, and not kept.
    const isCurrent = () => this.#asking === asking;
    const asking: Promise<Configuration> = discover({
      ...this.options,
      clientAuth: this.#clientAuth,
      mutualTls: usesMutualTls(this.options.clientAuth),
    })
      .then((configuration) => {
        if (!isCurrent()) return configuration;
        this.#configuration = configuration;
        this.#hasAnswered = true;
        return configuration;
      })
      .catch((error: unknown) => {
        if (isCurrent()) this.#hasAnswered = false;
        throw translateError(error, 'discovery');
      })
      .finally(() => {
        if (!isCurrent()) return;
        this.#asking = undefined;
        this.#askedAtMs = this.clock.monotonicMs();
      });
    this.#asking = asking;
    return asking;
  }

  #try(): Promise<void> {
    this.#attempt ??= this.#look().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  async #look(): Promise<void> {
    this.#retry?.cancel();
    try {
      const sinceAskedMs = this.clock.monotonicMs() - this.#askedAtMs;
      if (!this.#configuration || sinceAskedMs >= FIRST_RETRY_MS) await this.#discover();
      if (!this.keys.hasKeyFor(this.options.idTokenAlg)) await this.keys.refetch();
      if (!this.keys.hasKeyFor(this.options.idTokenAlg)) {
        throw providerUnavailable(
          `the provider has no key for ${this.options.idTokenAlg}; check provider.id_token_signed_response_alg`,
        );
      }
      this.#found();
    } catch (error) {
      this.#missed(translateError(error, 'the provider'));
    }
  }

  #found(): void {
    if (this.#stopped) return;
    if (this.#failures > 0 || this.#trouble !== undefined)
      this.emit({ event: 'provider.ready', issuer: this.options.issuer });
    this.#failures = 0;
    this.#trouble = undefined;
    this.#told = undefined;
    this.#schedule(REDISCOVER_MS);
  }

  #missed(error: GatewayError): void {
    if (this.#stopped) return;
    const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#failures, 20), LONGEST_RETRY_MS);
    this.#failures += 1;
    // Once ready, always ready: metadata and keys at hand go on working.
    if (this.#trouble !== undefined) this.#trouble = error.message;
    if (this.#told !== error.message) {
      this.#told = error.message;
      this.emit({ event: 'provider.unavailable', issuer: this.options.issuer, why: error.message });
    }
    // Half fixed, half random: replicas that lost the provider together do not come back to it together.
    this.#schedule(delayMs / 2 + (Math.random() * delayMs) / 2);
  }

  #schedule(delayMs: number): void {
    this.#retry = this.timers.after(delayMs, () => void this.#try());
  }
}

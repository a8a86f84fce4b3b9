// Every metric of the gate, by the names that dashboards and alerts rely on (design: surface.md, metrics).

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ConnectionCounts, EndReason, NoticeKind, RefreshOutcome } from '../base/events.ts';
import { RequestCounts } from './request-counts.ts';

/** Where the gauges look, at each scrape. */
export interface GaugeSources {
  sessions(): number;
  connections(): ConnectionCounts;
  storeUp(): boolean;
}

// Known label values appear with 0 from the start, so that the first increase is one. `Record` makes the lists complete.
const REASONS: Readonly<Record<EndReason, true>> = {
  logout: true,
  app_logout: true,
  backchannel_logout: true,
  k_logout: true,
  not_before: true,
  frontchannel_logout: true,
  refresh_refused: true,
  revalidation: true,
  idle_timeout: true,
  absolute_timeout: true,
  operator: true,
  replaced: true,
  evicted: true,
};
const NOTICES: Readonly<Record<NoticeKind, true>> = {
  backchannel: true,
  k_logout: true,
  k_push_not_before: true,
  k_test_available: true,
  frontchannel: true,
};
const REFRESHES: Readonly<Record<RefreshOutcome, true>> = { refreshed: true, refused: true, unavailable: true };
/** Label values of `kind`, and where ConnectionCounts has them. */
const CONNECTIONS = { request: 'requests', stream: 'streams', websocket: 'websockets' } as const;
type ConnectionLabel = keyof typeof CONNECTIONS;

const STOP_BUCKETS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const CLOSE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

export interface MetricsOptions {
  /** CPU, memory, event loop and garbage collection of this process; they belong to a process, not to a test. */
  readonly ofProcess: 'collected' | 'left out';
}

export class Metrics {
  readonly requests = new RequestCounts();
  readonly logins: Counter<'outcome'>;
  readonly refreshes: Counter<'outcome'>;
  readonly notices: Counter<'kind' | 'outcome'>;
  readonly noticesMissed: Counter;
  readonly ended: Counter<'reason'>;
  readonly cut: Counter<'kind'>;
  readonly stopSeconds: Histogram;
  readonly closeSeconds: Histogram;
  readonly storeErrors: Counter;
  readonly jwksFetches: Counter<'outcome'>;
  readonly #registry = new Registry();
  #sources: GaugeSources | undefined;

  constructor(options: MetricsOptions) {
    const registers = [this.#registry];
    const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
      new Counter<L>({ name: `portcullis_${name}`, help, labelNames: [...labelNames], registers });
    this.#requestTotals();
    this.#gauges();
    this.logins = counter('logins_total', 'Sign-ins that came back from the provider.', ['outcome']);
    this.refreshes = counter('refreshes_total', 'Token refreshes.', ['outcome']);
    this.notices = counter('logout_notices_total', 'Logout notices received.', ['kind', 'outcome']);
    this.noticesMissed = counter(
      'notices_missed_total',
      'Ends that a check with the provider found, and no notice told.',
    );
    this.ended = counter('sessions_ended_total', 'Sessions ended.', ['reason']);
    this.cut = counter('connections_cut_total', 'Live connections cut by the end of their session.', ['kind']);
    this.stopSeconds = new Histogram({
      name: 'portcullis_logout_stop_seconds',
      help: "From a notice's last byte until nothing more of the session is forwarded.",
      buckets: STOP_BUCKETS,
      registers,
    });
    this.closeSeconds = new Histogram({
      name: 'portcullis_logout_close_seconds',
      help: "From a notice's last byte until the session's last connection is closed.",
      buckets: CLOSE_BUCKETS,
      registers,
    });
    this.storeErrors = counter('store_errors_total', 'Failed operations of the session store.');
    this.jwksFetches = counter('jwks_fetches_total', "Fetches of the provider's keys.", ['outcome']);
    this.#startAtZero();
    if (options.ofProcess === 'collected') collectDefaultMetrics({ register: this.#registry });
  }

  /** Where the gauges look from now on. */
  observe(sources: GaugeSources): void {
    this.#sources = sources;
  }

  /** The exposition. Never rejects for a gauge whose source fails: that one is missing. */
  async expose(): Promise<{ contentType: string; text: string }> {
    const durations = this.requests.durationsText(
      'portcullis_http_request_duration_seconds',
      'Duration of exchanges, from the request head to the end of the response.',
    );
    return { contentType: this.#registry.contentType, text: `${await this.#registry.metrics()}\n${durations}\n` };
  }

  #requestTotals(): void {
    const { requests } = this;
    new Counter({
      name: 'portcullis_http_requests_total',
      help: 'Exchanges that ended, by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const { count, ...labels } of requests.totals()) this.inc(labels, count);
      },
    });
  }

  #gauges(): void {
    const ask = <T>(question: (sources: GaugeSources) => T): T | undefined => {
      try {
        return this.#sources === undefined ? undefined : question(this.#sources);
      } catch {
        return undefined;
      }
    };
    const registers = [this.#registry];
    new Gauge({
      name: 'portcullis_sessions_active',
      help: 'Sessions in the store.',
      registers,
      collect() {
        this.set(ask((sources) => sources.sessions()) ?? 0);
      },
    });
    new Gauge({
      name: 'portcullis_connections_live',
      help: 'Exchanges, event streams and WebSockets of sessions that are live now.',
      labelNames: ['kind'],
      registers,
      collect() {
        const counts = ask((sources) => sources.connections());
        for (const kind of connectionLabels()) this.set({ kind }, counts?.[CONNECTIONS[kind]] ?? 0);
      },
    });
    new Gauge({
      name: 'portcullis_store_up',
      help: 'Whether the session store can be used.',
      registers,
      collect() {
        this.set(ask((sources) => sources.storeUp()) === true ? 1 : 0);
      },
    });
  }

  #startAtZero(): void {
    for (const reason of Object.keys(REASONS)) this.ended.inc({ reason }, 0);
    for (const outcome of Object.keys(REFRESHES)) this.refreshes.inc({ outcome }, 0);
    for (const outcome of ['succeeded', 'failed']) this.logins.inc({ outcome }, 0);
    for (const outcome of ['fetched', 'failed']) this.jwksFetches.inc({ outcome }, 0);
    for (const kind of connectionLabels()) this.cut.inc({ kind }, 0);
    for (const kind of Object.keys(NOTICES)) {
      for (const outcome of ['accepted', 'refused']) this.notices.inc({ kind, outcome }, 0);
    }
  }

  /** Counts what one end cut. */
  countCut(counts: ConnectionCounts): void {
    for (const kind of connectionLabels()) this.cut.inc({ kind }, counts[CONNECTIONS[kind]]);
  }
}

function connectionLabels(): readonly ConnectionLabel[] {
  return Object.keys(CONNECTIONS) as ConnectionLabel[];
}

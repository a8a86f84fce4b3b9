// The metrics by their names and labels (design: surface.md, metrics).

import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import type { GateEvent } from '../../../src/base/events.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';

const clock: Clock = { now: () => 0, monotonicMs: () => 0 };

function setUp(processMetrics: 'collected' | 'left out' = 'left out') {
  const destination = new PassThrough().resume();
  const telemetry = createTelemetry({
    level: 'error',
    format: 'json',
    clock,
    destination,
    trouble: destination,
    processMetrics,
  });
  return {
    ...telemetry,
    async value(series: string): Promise<number | undefined> {
      const line = (await telemetry.metrics()).text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
      return line === undefined ? undefined : Number(line.slice(series.length + 1));
    },
  };
}

const ENDED: GateEvent = {
  event: 'session.ended',
  reason: 'backchannel_logout',
  notice: 'backchannel',
  user: 'u',
  sub: 's',
  sid: undefined,
  session: 's_1',
  stop_ms: 2,
  close_ms: 30,
  notice_missed: false,
  requests: 1,
  streams: 2,
  websockets: 3,
};

describe('metrics', () => {
  it('are all there from the start, with their types and nothing that is not declared', async () => {
    const { text, contentType } = await setUp().metrics();
    assert.match(contentType, /^text\/plain; version=0\.0\.4/);
    const types = Object.fromEntries(
      Array.from(text.matchAll(/^# TYPE (\S+) (\S+)$/gm), ([, name, type]) => [name, type]),
    );
    assert.deepEqual(types, {
      portcullis_http_requests_total: 'counter',
      portcullis_http_request_duration_seconds: 'histogram',
      portcullis_sessions_active: 'gauge',
      portcullis_connections_live: 'gauge',
      portcullis_logins_total: 'counter',
      portcullis_refreshes_total: 'counter',
      portcullis_logout_notices_total: 'counter',
      portcullis_notices_missed_total: 'counter',
      portcullis_sessions_ended_total: 'counter',
      portcullis_connections_cut_total: 'counter',
      portcullis_logout_stop_seconds: 'histogram',
      portcullis_logout_close_seconds: 'histogram',
      portcullis_store_errors_total: 'counter',
      portcullis_store_up: 'gauge',
      portcullis_jwks_fetches_total: 'counter',
    });
    for (const series of text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))) {
      assert.match(series, /^portcullis_[a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? [\d.e+-]+$/);
    }
  });

  it('the process defaults are there too', async () => {
    const { text } = await setUp('collected').metrics();
    for (const name of ['process_cpu_seconds_total', 'process_resident_memory_bytes', 'nodejs_eventloop_lag_seconds']) {
      assert.match(text, new RegExp(`^${name} `, 'm'));
    }
  });

  it('requests by route, method and status; unknown methods and statuses are other', async () => {
    const { countRequest, value, metrics } = setUp();
    countRequest('wiki', 'GET', 200, 0.003);
    countRequest('wiki', 'GET', 200, 0.2);
    countRequest('wiki', 'POST', 503, 70);
    for (const method of ['BREW', 'get', '__proto__', 'constructor', '', 'X'.repeat(10_000), '"} 1\nfake{']) {
      countRequest('wiki', method, 499, 0.003);
    }
    for (const status of [0, -1, 99, 600, 1e9, Number.NaN]) countRequest('wiki', 'PUT', status, Number.NaN);
    assert.equal(await value('portcullis_http_requests_total{route="wiki",method="GET",status="200"}'), 2);
    assert.equal(await value('portcullis_http_requests_total{route="wiki",method="POST",status="503"}'), 1);
    assert.equal(await value('portcullis_http_requests_total{route="wiki",method="other",status="499"}'), 7);
    assert.equal(await value('portcullis_http_requests_total{route="wiki",method="PUT",status="other"}'), 6);
    assert.equal((await metrics()).text.match(/^portcullis_http_requests_total\{/gm)?.length, 4);
  });

  it('durations are cumulative and sum up', async () => {
    const { countRequest, value } = setUp();
    for (const seconds of [0.0005, 0.001, 0.003, 0.2, 70]) countRequest('wiki', 'GET', 200, seconds);
    const bucket = (le: string) => value(`portcullis_http_request_duration_seconds_bucket{le="${le}"}`);
    assert.deepEqual(
      [await bucket('0.001'), await bucket('0.005'), await bucket('60'), await bucket('+Inf')],
      [2, 3, 4, 5],
    );
    assert.equal(await value('portcullis_http_request_duration_seconds_count'), 5);
    assert.ok(Math.abs((await value('portcullis_http_request_duration_seconds_sum'))! - 70.2045) < 1e-9);
  });

  it('a scrape takes nothing away: counters go on', async () => {
    const { countRequest, value } = setUp();
    const series = 'portcullis_http_requests_total{route="r",method="GET",status="200"}';
    countRequest('r', 'GET', 200, 0);
    assert.equal(await value(series), 1);
    countRequest('r', 'GET', 200, 0);
    assert.equal(await value(series), 2);
  });

  it('route names are bounded and escaped', async () => {
    const { countRequest, metrics, value } = setUp();
    countRequest('a"b\n', 'GET', 200, 0);
    for (let at = 0; at < 10_000; at++) countRequest(`route-${at}`, 'GET', 200, 0);
    const { text } = await metrics();
    assert.ok(text.match(/^portcullis_http_requests_total\{/gm)!.length <= 4_097);
    assert.ok((await value('portcullis_http_requests_total{route="other",method="GET",status="200"}'))! > 5_000);
    assert.match(text, /route="a\\"b\\n"/);
  });

  it('gauges look where they are told, and a source that fails breaks no scrape', async () => {
    const { observe, value } = setUp();
    assert.equal(await value('portcullis_store_up'), 0);
    observe({
      sessions: () => 7,
      connections: () => ({ requests: 1, streams: 2, websockets: 3 }),
      storeUp: () => true,
    });
    assert.equal(await value('portcullis_sessions_active'), 7);
    assert.equal(await value('portcullis_connections_live{kind="request"}'), 1);
    assert.equal(await value('portcullis_connections_live{kind="stream"}'), 2);
    assert.equal(await value('portcullis_connections_live{kind="websocket"}'), 3);
    assert.equal(await value('portcullis_store_up'), 1);
    const fail = () => {
      throw new Error('boom');
    };
    observe({ sessions: fail, connections: fail, storeUp: fail });
    assert.equal(await value('portcullis_store_up'), 0);
  });
});

describe('what events count', () => {
  it('an end by notice: reason, cut connections, stop and close times', async () => {
    const { emit, value } = setUp();
    emit(ENDED);
    assert.equal(await value('portcullis_sessions_ended_total{reason="backchannel_logout"}'), 1);
    assert.equal(await value('portcullis_connections_cut_total{kind="request"}'), 1);
    assert.equal(await value('portcullis_connections_cut_total{kind="stream"}'), 2);
    assert.equal(await value('portcullis_connections_cut_total{kind="websocket"}'), 3);
    assert.equal(await value('portcullis_logout_stop_seconds_sum'), 0.002);
    assert.equal(await value('portcullis_logout_close_seconds_sum'), 0.03);
    assert.equal(await value('portcullis_notices_missed_total'), 0);
  });

  it('an end that no notice told has no times; one that a notice should have told is counted apart', async () => {
    const { emit, value } = setUp();
    emit({ ...ENDED, reason: 'revalidation', notice: undefined, notice_missed: true });
    assert.equal(await value('portcullis_sessions_ended_total{reason="revalidation"}'), 1);
    assert.equal(await value('portcullis_notices_missed_total'), 1);
    assert.equal(await value('portcullis_logout_stop_seconds_count'), 0);
    assert.equal(await value('portcullis_logout_close_seconds_count'), 0);
  });

  const COUNTED: readonly (readonly [GateEvent, string])[] = [
    [
      { event: 'login.succeeded', user: 'u', sub: 's', sid: undefined, session: 's_1', address: 'a' },
      'logins_total{outcome="succeeded"}',
    ],
    [{ event: 'login.failed', code: 'c', why: 'w', address: 'a', request_id: 'r' }, 'logins_total{outcome="failed"}'],
    [
      { event: 'refresh.finished', outcome: 'refreshed', code: undefined, session: 's' },
      'refreshes_total{outcome="refreshed"}',
    ],
    [{ event: 'refresh.finished', outcome: 'refused', code: 'c', session: 's' }, 'refreshes_total{outcome="refused"}'],
    [
      { event: 'refresh.finished', outcome: 'unavailable', code: 'c', session: 's' },
      'refreshes_total{outcome="unavailable"}',
    ],
    [
      { event: 'notice.accepted', kind: 'k_logout', sub: 's', sid: 's', ended: 1 },
      'logout_notices_total{kind="k_logout",outcome="accepted"}',
    ],
    [
      { event: 'notice.refused', kind: 'backchannel', why: 'w' },
      'logout_notices_total{kind="backchannel",outcome="refused"}',
    ],
    [{ event: 'store.failed', operation: 'find', why: 'w' }, 'store_errors_total'],
    [{ event: 'keys.fetched', outcome: 'fetched', why: undefined }, 'jwks_fetches_total{outcome="fetched"}'],
    [{ event: 'keys.fetched', outcome: 'failed', why: 'w' }, 'jwks_fetches_total{outcome="failed"}'],
  ];
  for (const [event, series] of COUNTED) {
    it(`${event.event} counts in ${series}, from 0, at every log level`, async () => {
      const { emit, value } = setUp();
      assert.equal(await value(`portcullis_${series}`), 0);
      emit(event);
      emit(event);
      assert.equal(await value(`portcullis_${series}`), 2);
    });
  }
});

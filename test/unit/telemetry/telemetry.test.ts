// Events as log lines, audit trail and metrics (design: surface.md, audit events and metrics).

import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { describe, it } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import type { GateEvent } from '../../../src/base/events.ts';
import { createTelemetry, type TelemetryOptions } from '../../../src/telemetry/telemetry.ts';

const AT = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const clock: Clock = { now: () => AT, monotonicMs: () => 0 };

/** One event of each kind. The record makes the list complete. */
const EVENTS: { readonly [N in GateEvent['event']]: Extract<GateEvent, { event: N }> } = {
  'login.succeeded': {
    event: 'login.succeeded',
    user: 'alice',
    sub: 'sub-1',
    sid: 'sid-1',
    session: 's_1',
    address: '192.0.2.1',
  },
  'bearer.accepted': {
    event: 'bearer.accepted',
    user: 'alice',
    sub: 'sub-1',
    sid: 'sid-1',
    session: 'b_1',
    address: '192.0.2.1',
  },
  'form.kept': { event: 'form.kept', route: 'app', bytes: 7, sub: 'sub-1', address: '192.0.2.1', request_id: 'r1' },
  'form.refused': {
    event: 'form.refused',
    why: 'too_large',
    route: 'app',
    sub: 'sub-1',
    address: '192.0.2.1',
    request_id: 'r1',
  },
  'form.sent': {
    event: 'form.sent',
    route: 'app',
    bytes: 7,
    user: 'alice',
    sub: 'sub-1',
    session: 's_1',
    request_id: 'r1',
  },
  'form.removed': { event: 'form.removed', why: 'other_user', user: 'bob', sub: 'sub-2', session: 's_2' },
  'login.failed': {
    event: 'login.failed',
    code: 'callback_invalid',
    why: 'state is unknown',
    address: '192.0.2.1',
    request_id: 'r1',
  },
  'session.refreshed': { event: 'session.refreshed', user: 'alice', sub: 'sub-1', sid: undefined, session: 's_1' },
  'session.ended': {
    event: 'session.ended',
    reason: 'backchannel_logout',
    notice: 'backchannel',
    user: 'alice',
    sub: 'sub-1',
    sid: 'sid-1',
    session: 's_1',
    stop_ms: 0.41234,
    close_ms: 12,
    notice_missed: false,
    requests: 1,
    streams: 2,
    websockets: 3,
  },
  'session.stopped': {
    event: 'session.stopped',
    user: 'alice',
    sub: 'sub-1',
    sid: 'sid-1',
    session: 's_1',
    requests: 1,
    streams: 2,
    websockets: 3,
  },
  'notice.accepted': { event: 'notice.accepted', kind: 'backchannel', sub: 'sub-1', sid: 'sid-1', ended: 1 },
  'notice.refused': { event: 'notice.refused', kind: 'backchannel', why: 'the signature does not hold' },
  'relay.failed': {
    event: 'relay.failed',
    call: 'relay',
    route: 'wiki',
    user: 'alice',
    sub: 'sub-1',
    session: 's_1',
    attempts: 4,
    why: 'it answered 503',
  },
  'access.denied': {
    event: 'access.denied',
    user: 'alice',
    sub: 'sub-1',
    session: 's_1',
    route: 'wiki',
    method: 'GET',
    request_id: 'r1',
    why: 'refused by access[0] /admin',
  },
  'config.reloaded': { event: 'config.reloaded', restart_needed: ['public_url'] },
  'config.refused': { event: 'config.refused', problems: ['portcullis.yaml:3:1 routes: missing; write it'] },
  'refresh.finished': { event: 'refresh.finished', outcome: 'refused', code: 'refresh_refused', session: 's_1' },
  'probe.unavailable': { event: 'probe.unavailable', session: 's_1', code: 'provider_unavailable' },
  'probe.not_armed': { event: 'probe.not_armed', why: 'a fresh token is not active' },
  'keys.fetched': { event: 'keys.fetched', outcome: 'failed', why: 'timeout' },
  'provider.ready': { event: 'provider.ready', issuer: 'https://sso.example/realms/x' },
  'provider.unavailable': {
    event: 'provider.unavailable',
    issuer: 'https://sso.example/realms/x',
    why: 'connect ECONNREFUSED',
  },
  'store.failed': { event: 'store.failed', operation: 'find', why: 'timeout' },
  'store.lost': { event: 'store.lost', why: 'nobody listens there', server: '10.0.0.7:6379' },
  'store.ready': { event: 'store.ready' },
  'sessions.restored': { event: 'sessions.restored', count: 3, left_out: 1 },
  'upstream.failed': {
    event: 'upstream.failed',
    route: 'wiki',
    code: 'upstream_timeout',
    why: 'no head in 60 s',
    request_id: 'r1',
  },
  'request.failed': { event: 'request.failed', code: 'internal_error', why: 'TypeError: x', request_id: 'r1' },
  'gate.started': {
    event: 'gate.started',
    listen: '*:8080',
    admin: '127.0.0.1:9090',
    public_urls: ['https://a', 'https://b'],
  },
  'gate.stopping': { event: 'gate.stopping', signal: 'SIGTERM' },
  'gate.stopped': { event: 'gate.stopped' },
  'gate.warning': { event: 'gate.warning', code: 'plain_http', message: 'Use https.' },
};
const AUDIT = [
  ...['login.succeeded', 'bearer.accepted', 'form.kept', 'form.refused', 'form.sent', 'form.removed', 'login.failed'],
  ...['session.refreshed', 'session.ended'],
  ...['notice.accepted', 'notice.refused', 'relay.failed', 'access.denied', 'config.reloaded', 'config.refused'],
];

function setUp(options: Partial<TelemetryOptions> = {}) {
  const destination = new PassThrough();
  const trouble = new PassThrough();
  const telemetry = createTelemetry({
    level: 'trace',
    format: 'json',
    clock,
    destination,
    trouble,
    processMetrics: 'left out',
    ...options,
  });
  const text = () => String(destination.read() ?? '');
  return {
    telemetry,
    text,
    lines: () => text().split('\n').slice(0, -1),
    objects: () =>
      text()
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    trouble: () => String(trouble.read() ?? ''),
    metric: async (name: string) => {
      const line = (await telemetry.metrics()).text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
      return line === undefined ? undefined : Number(line.slice(name.length + 1));
    },
  };
}

describe('JSON lines', () => {
  it('every event is one line with level, time, event, its fields and a message', () => {
    const { telemetry, objects } = setUp();
    for (const event of Object.values(EVENTS)) telemetry.emit(event);
    const written = objects();
    assert.equal(written.length, Object.keys(EVENTS).length);
    for (const [at, event] of Object.values(EVENTS).entries()) {
      const { level, time, audit, message, ...fields } = written[at]!;
      assert.match(String(level), /^(?:debug|info|warn|error)$/);
      assert.equal(time, '2026-01-02T03:04:05.678Z');
      assert.equal(audit, AUDIT.includes(event.event) ? true : undefined, event.event);
      assert.ok(typeof message === 'string' && message !== '');
      const expected: Record<string, unknown> = JSON.parse(JSON.stringify(event));
      if (event.event === 'session.ended') expected['stop_ms'] = 0.412;
      delete expected['message'];
      assert.deepEqual(fields, expected);
    }
  });

  it('nothing but the fields of the table is written, whatever an event carries', () => {
    const { telemetry, text } = setUp();
    telemetry.emit({ ...EVENTS['login.succeeded'], token: 'CANARY', claims: { a: 'CANARY' } } as GateEvent);
    telemetry.emit({
      ...EVENTS['login.succeeded'],
      user: { toString: () => 'x', secret: 'CANARY' },
    } as unknown as GateEvent);
    assert.doesNotMatch(text(), /CANARY/);
  });

  it('an event below the level is not written, the audit trail always', () => {
    const { telemetry, objects } = setUp({ level: 'error' });
    for (const event of Object.values(EVENTS)) telemetry.emit(event);
    const names = objects().map(({ event }) => event);
    assert.deepEqual(names, [...AUDIT, 'store.failed', 'store.lost', 'request.failed']);
  });

  it('an event that cannot be written harms nobody and is said', () => {
    const { telemetry, objects } = setUp();
    const broken = {
      event: 'login.failed',
      get why(): string {
        throw new Error('boom');
      },
    };
    telemetry.emit(broken as unknown as GateEvent);
    telemetry.emit({ event: 'of.the.future' } as unknown as GateEvent);
    assert.deepEqual(
      objects().map(({ event }) => event),
      ['log.failed', 'log.failed'],
    );
  });
});

const NASTY = 'a\r\nlevel=error\u0000\u001b[31m\u009b2J\u2028\u2029\u202e\u007f\ud800"\\';

describe('log injection', () => {
  it('no text ends a JSON line or reaches a terminal as a command, and it comes back as it was', () => {
    const { telemetry, lines } = setUp();
    telemetry.emit({ ...EVENTS['login.succeeded'], user: NASTY });
    const [line, ...more] = lines();
    assert.equal(more.length, 0);
    assert.match(line!, /^[\x20-\x7e]+$/);
    assert.equal((JSON.parse(line!) as { user: string }).user, NASTY);
  });

  it('no text ends a pretty line or reaches a terminal as a command', () => {
    const { telemetry, lines } = setUp({ format: 'pretty' });
    telemetry.emit({ ...EVENTS['login.failed'], code: NASTY, why: NASTY });
    const [line, ...more] = lines();
    assert.equal(more.length, 0);
    assert.doesNotMatch(line!, /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
  });

  it('a very long text is cut', () => {
    const { telemetry, text } = setUp();
    telemetry.emit({ ...EVENTS['login.failed'], why: 'x '.repeat(1_000_000), code: 'y'.repeat(100_000) });
    assert.ok(text().length < 4_000);
  });
});

describe('pretty lines', () => {
  it('are one readable line', () => {
    const { telemetry, text } = setUp({ format: 'pretty' });
    telemetry.emit(EVENTS['gate.started']);
    telemetry.emit(EVENTS['notice.refused']);
    assert.equal(
      text(),
      '03:04:05.678 info  gate.started: serving https://a, https://b on *:8080  listen=*:8080  admin=127.0.0.1:9090  public_urls=https://a,https://b\n' +
        '03:04:05.678 warn  notice.refused: a logout notice (backchannel) was refused  kind=backchannel  why="the signature does not hold"\n',
    );
  });
});

describe('planted secrets', () => {
  const jwt = 'eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJDQU5BUlkifQ.c2lnbmF0dXJlQ0FOQVJZ';
  const cookie = 'Zk3JQ0x9aT2bCANARYhhhhhhhhhhhhhhhhhhhhhh123';
  const PLANTED: readonly string[] = [
    `the token ${jwt} is invalid`,
    `half of one ${jwt.slice(0, 70)}`,
    'Authorization: Bearer CANARY0123456789',
    'basic Q0FOQVJZOkNBTkFSWQ==CANARY',
    'GET /_gate/callback?code=CANARY-code.123&state=CANARYstate failed',
    'body: grant_type=refresh_token&refresh_token=CANARYabc&client_secret=CANARYdef',
    '{"access_token":"CANARYabc","id_token": "CANARYdef","code":"CANARYghi"}',
    "client_secret: 'CANARY with more'",
    'password=CANARY123',
    'connect redis://user:CANARY123@valkey:6379 failed',
    'https://CANARYuser:CANARY@host/x',
    `Cookie: __Host-portcullis=${cookie}; other=CANARY`,
    `Set-Cookie: a=CANARY; Path=/`,
    `no session ${cookie} here`,
    '-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----',
    '-----BEGIN RSA PRIVATE KEY-----\nCANARY',
    'code_verifier=CANARYCANARY',
    'id_token_hint=CANARYCANARY',
    'logout_token=CANARYCANARY',
    'client_assertion=CANARYCANARY',
  ];
  for (const format of ['json', 'pretty'] as const) {
    for (const planted of PLANTED) {
      it(`${format}: ${planted.slice(0, 50).replaceAll('\n', ' ')}`, () => {
        const { telemetry, text } = setUp({ format });
        telemetry.emit({ ...EVENTS['login.failed'], why: planted });
        telemetry.emit({ ...EVENTS['request.failed'], why: planted });
        telemetry.emit({ ...EVENTS['gate.warning'], message: planted });
        const written = text();
        assert.doesNotMatch(written, /CANARY|Q0FOQVJZ|c2lnbmF0dXJl/, written);
        assert.match(written, /hidden/);
      });
    }
  }

  it('what is no secret stays readable', () => {
    const { telemetry, objects } = setUp();
    const texts = [
      'connect ECONNREFUSED 127.0.0.1:8080 (code: ECONNREFUSED)',
      'state is unknown or older than 10 min',
      'the session s_abcDEF0123456789 was replaced',
      'unexpected status 500 from https://sso.example/realms/acme/protocol/openid-connect/token',
      'the token has no exp',
    ];
    for (const why of texts) telemetry.emit({ ...EVENTS['request.failed'], why });
    assert.deepEqual(
      objects().map(({ why }) => why),
      texts,
    );
  });

  it('hostile text costs no time', () => {
    const { telemetry } = setUp();
    const began = performance.now();
    for (const piece of [
      'eyJ',
      'eyJaaaaa.',
      'token=',
      '-----BEGIN ',
      '://',
      'a_',
      'Bearer ',
      'cookie: ',
      'A1a-',
      '"',
      'token"  ',
    ]) {
      telemetry.emit({ ...EVENTS['request.failed'], why: piece.repeat(200_000 / piece.length) });
    }
    assert.ok(performance.now() - began < 500, `${performance.now() - began} ms`);
  });
});

describe('a log that nobody reads', () => {
  /** A stream that takes nothing until it is told to. */
  function blocked() {
    const waiting: (() => void)[] = [];
    const taken: string[] = [];
    let open = false;
    const stream = new Writable({
      write(chunk, _encoding, done) {
        taken.push(String(chunk));
        if (open) done();
        else waiting.push(done);
      },
    });
    return {
      stream,
      taken,
      release() {
        open = true;
        for (const done of waiting.splice(0)) done();
      },
    };
  }

  it('blocked: memory stays bounded, serving goes on, it is said once on the other channel', async () => {
    const { stream, taken, release } = blocked();
    const { telemetry, trouble } = setUp({ destination: stream });
    for (let count = 0; count < 50_000; count++) telemetry.emit(EVENTS['session.ended']);
    assert.ok(stream.writableLength < 1.1 * 1024 * 1024, `${stream.writableLength} bytes wait`);
    const said = trouble();
    assert.match(said, /^portcullis: nobody reads the log; serving goes on.*\n$/);
    release();
    await telemetry.flush();
    telemetry.emit(EVENTS['gate.stopped']);
    await telemetry.flush();
    const last = taken.slice(-2).map((line) => JSON.parse(line) as { event: string; lines?: number });
    assert.equal(last[0]!.event, 'log.dropped');
    assert.equal(last[1]!.event, 'gate.stopped');
    assert.equal(taken.filter((line) => line !== '').length - 2 + last[0]!.lines!, 50_000);
    assert.equal(trouble(), '');
  });

  it('closed: serving goes on, it is said once on the other channel', async () => {
    const stream = new Writable({
      write(_chunk, _encoding, done) {
        done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
      },
    });
    const { telemetry, trouble } = setUp({ destination: stream });
    telemetry.emit(EVENTS['gate.stopped']);
    await new Promise((resolve) => stream.once('close', resolve));
    for (let count = 0; count < 10; count++) telemetry.emit(EVENTS['gate.stopped']);
    await telemetry.flush();
    assert.equal(trouble(), "portcullis: the log's destination is closed (EPIPE); serving goes on without a log\n");
  });

  it('both channels closed: serving goes on', async () => {
    const dead = () => {
      const stream = new PassThrough();
      stream.destroy();
      return stream;
    };
    const telemetry = createTelemetry({
      level: 'info',
      format: 'json',
      clock,
      destination: dead(),
      trouble: dead(),
      processMetrics: 'left out',
    });
    await new Promise((resolve) => setImmediate(resolve));
    telemetry.emit(EVENTS['gate.stopped']);
    await telemetry.flush();
    telemetry.emit(EVENTS['gate.stopped']);
  });

  it('many gates in one process share the listeners of a stream', () => {
    const stream = new PassThrough();
    for (let count = 0; count < 20; count++) setUp({ destination: stream, trouble: stream });
    assert.equal(stream.listenerCount('error'), 1);
  });
});

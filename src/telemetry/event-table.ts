// Every event in one table: how loud it is, whether it belongs to the audit trail, which fields are written, what it says
// to a person, and what it counts (design: surface.md, audit events and metrics). An event or field without an entry here
// does not compile.

import type { GateEvent } from '../base/events.ts';
import type { Metrics } from './metrics.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** `name`: an identifier or number, written as it is; `text`: free text, searched for secrets first. */
type FieldKind = 'name' | 'text';

export interface EventEntry<E extends GateEvent> {
  readonly level: LogLevel | ((event: E) => LogLevel);
  /** The audit trail is written whatever `log.level` says. */
  readonly audit: boolean;
  /** All that is ever written of the event, in this order. */
  readonly fields: { readonly [K in Exclude<AllKeys<E>, 'event'>]: FieldKind };
  readonly message: (event: E) => string;
  readonly count?: (metrics: Metrics, event: E) => void;
}

type AllKeys<E> = E extends unknown ? keyof E : never;
type EventOf<N extends GateEvent['event']> = Extract<GateEvent, { event: N }>;

const WHO = { user: 'name', sub: 'name', sid: 'name', session: 'name' } as const;

export const EVENT_TABLE: { readonly [N in GateEvent['event']]: EventEntry<EventOf<N>> } = {
  'login.succeeded': {
    level: 'info',
    audit: true,
    fields: { ...WHO, address: 'name' },
    message: ({ user, address }) => `${user} signed in from ${address}`,
    count: ({ logins }) => logins.inc({ outcome: 'succeeded' }),
  },
  'bearer.accepted': {
    level: 'debug',
    audit: true,
    fields: { ...WHO, address: 'name' },
    message: ({ user, address }) => `an access token of ${user} is used from ${address}`,
  },
  'login.failed': {
    level: 'warn',
    audit: true,
    fields: { code: 'name', why: 'text', address: 'name', request_id: 'name' },
    message: ({ code, address }) => `a sign-in from ${address} failed: ${code}`,
    count: ({ logins }) => logins.inc({ outcome: 'failed' }),
  },
  'session.refreshed': {
    level: 'debug',
    audit: true,
    fields: WHO,
    message: ({ user }) => `the provider confirmed the session of ${user}, with new tokens`,
  },
  'session.ended': {
    level: 'info',
    audit: true,
    fields: {
      reason: 'name',
      notice: 'name',
      ...WHO,
      requests: 'name',
      streams: 'name',
      websockets: 'name',
      stop_ms: 'name',
      close_ms: 'name',
      notice_missed: 'name',
    },
    message: ({ user, reason, requests, streams, websockets, stop_ms }) =>
      `the session of ${user} ended (${reason}): ${requests + streams + websockets} connections cut, stopped after ${rounded(stop_ms)} ms`,
    count: (metrics, event) => {
      metrics.ended.inc({ reason: event.reason });
      metrics.countCut(event);
      if (event.notice_missed) metrics.noticesMissed.inc();
      if (event.notice === undefined) return;
      metrics.stopSeconds.observe(event.stop_ms / 1_000);
      metrics.closeSeconds.observe(event.close_ms / 1_000);
    },
  },
  'session.stopped': {
    level: 'info',
    audit: false,
    fields: { ...WHO, requests: 'name', streams: 'name', websockets: 'name' },
    message: ({ user, requests, streams, websockets }) =>
      `another replica ended the session of ${user}: ${requests + streams + websockets} connections cut here`,
    count: (metrics, event) => metrics.countCut(event),
  },
  'notice.accepted': {
    level: 'info',
    audit: true,
    fields: { kind: 'name', sub: 'name', sid: 'name', ended: 'name' },
    message: ({ kind, ended }) => `a logout notice (${kind}) ended ${ended} sessions`,
    count: ({ notices }, { kind }) => notices.inc({ kind, outcome: 'accepted' }),
  },
  'notice.refused': {
    level: 'warn',
    audit: true,
    fields: { kind: 'name', why: 'text' },
    message: ({ kind }) => `a logout notice (${kind}) was refused`,
    count: ({ notices }, { kind }) => notices.inc({ kind, outcome: 'refused' }),
  },
  'relay.failed': {
    level: 'warn',
    audit: true,
    fields: {
      call: 'name',
      route: 'name',
      user: 'name',
      sub: 'name',
      session: 'name',
      attempts: 'name',
      why: 'text',
    },
    message: ({ call, user, route }) =>
      call === 'notify'
        ? `logout.notify did not hear that ${user} logged out`
        : `the application of route ${route} did not hear that the session of ${user} ended`,
  },
  'access.denied': {
    level: 'info',
    audit: true,
    fields: {
      user: 'name',
      sub: 'name',
      session: 'name',
      route: 'name',
      method: 'name',
      request_id: 'name',
      why: 'text',
    },
    message: ({ user, route }) => `${user} was denied on route ${route}`,
  },
  'form.kept': {
    level: 'info',
    audit: true,
    fields: { route: 'name', bytes: 'name', sub: 'name', address: 'name', request_id: 'name' },
    message: ({ route, bytes }) => `a form of ${bytes} bytes for ${route} is kept until its user signs in again`,
  },
  'form.refused': {
    level: 'warn',
    audit: true,
    fields: { why: 'name', route: 'name', sub: 'name', address: 'name', request_id: 'name' },
    message: ({ route, why }) => `a form for ${route} met no session and is not kept: ${why}`,
  },
  'form.sent': {
    level: 'info',
    audit: true,
    fields: { route: 'name', bytes: 'name', user: 'name', sub: 'name', session: 'name', request_id: 'name' },
    message: ({ user, route }) => `${user} had a kept form sent to ${route}`,
  },
  'form.removed': {
    level: 'info',
    audit: true,
    fields: { why: 'name', user: 'name', sub: 'name', session: 'name' },
    message: ({ user, why }) =>
      why === 'discarded' ? `${user} discarded a kept form` : `a kept form was removed: ${user} is not who sent it`,
  },
  'refresh.finished': {
    level: 'debug',
    audit: false,
    fields: { outcome: 'name', code: 'name', session: 'name' },
    message: ({ outcome }) => `a refresh finished: ${outcome}`,
    count: ({ refreshes }, { outcome }) => refreshes.inc({ outcome }),
  },
  'probe.unavailable': {
    level: 'warn',
    audit: false,
    fields: { session: 'name', code: 'name' },
    message: () => 'the provider could not be asked whether a session lives; it stays until its hard expiry',
  },
  'probe.not_armed': {
    level: 'warn',
    audit: false,
    fields: { why: 'text' },
    message: () =>
      'introspection of refresh tokens does not work with this client; sessions are revalidated by refresh',
  },
  'keys.fetched': {
    level: 'debug',
    audit: false,
    fields: { outcome: 'name', why: 'text' },
    message: ({ outcome }) => `the provider's keys: ${outcome}`,
    count: ({ jwksFetches }, { outcome }) => jwksFetches.inc({ outcome }),
  },
  'provider.ready': {
    level: 'info',
    audit: false,
    fields: { issuer: 'name' },
    message: ({ issuer }) => `the provider ${issuer} is ready`,
  },
  'provider.unavailable': {
    level: 'warn',
    audit: false,
    fields: { issuer: 'name', why: 'text' },
    message: ({ issuer }) => `the provider ${issuer} cannot be used; trying again`,
  },
  'store.failed': {
    level: 'error',
    audit: false,
    fields: { operation: 'name', why: 'text' },
    message: ({ operation }) => `the session store failed: ${operation}`,
    count: ({ storeErrors }) => storeErrors.inc(),
  },
  'store.lost': {
    level: 'error',
    audit: false,
    fields: { why: 'text', server: 'text' },
    message: ({ why, server }) => `the session store ${server} cannot be used: ${why}; trying again`,
    count: ({ storeErrors }) => storeErrors.inc(),
  },
  'store.ready': {
    level: 'info',
    audit: false,
    fields: {},
    message: () => 'the session store can be used',
  },
  'upstream.failed': {
    level: 'warn',
    audit: false,
    fields: { route: 'name', code: 'name', why: 'text', request_id: 'name' },
    message: ({ route, code }) => `the upstream of route ${route} failed: ${code}`,
  },
  'request.failed': {
    // What clients send wrong is their affair; what breaks here is ours.
    level: ({ code }) => (code === 'internal_error' ? 'error' : 'warn'),
    audit: false,
    fields: { code: 'name', why: 'text', request_id: 'name' },
    message: ({ code }) => `a request failed: ${code}`,
  },
  'sessions.restored': {
    level: 'info',
    audit: false,
    fields: { count: 'name', left_out: 'name' },
    message: ({ count }) => `${count} sessions were read back, and are proven before their first use`,
  },
  'config.reloaded': {
    level: ({ restart_needed }) => (restart_needed.length === 0 ? 'info' : 'warn'),
    audit: true,
    fields: { restart_needed: 'name' },
    message: ({ restart_needed }) =>
      restart_needed.length === 0
        ? 'the configuration was read again and is in force'
        : `the configuration was read again; these need a restart and are as they were: ${restart_needed.join(', ')}`,
  },
  'config.refused': {
    level: 'error',
    audit: true,
    fields: { problems: 'text' },
    message: ({ problems }) =>
      `the configuration was read again and has ${problems.length} ${problems.length === 1 ? 'problem' : 'problems'}; nothing has changed`,
  },
  'gate.started': {
    level: 'info',
    audit: false,
    fields: { listen: 'name', admin: 'name', public_urls: 'name' },
    message: ({ listen, public_urls }) => `serving ${public_urls.join(', ')} on ${listen}`,
  },
  'gate.stopping': {
    level: 'info',
    audit: false,
    fields: { signal: 'name' },
    message: ({ signal }) => `stopping (${signal})`,
  },
  'gate.stopped': { level: 'info', audit: false, fields: {}, message: () => 'stopped' },
  'gate.warning': {
    level: 'warn',
    audit: false,
    fields: { code: 'name', message: 'text' },
    message: ({ message }) => message,
  },
};

function rounded(ms: number): string {
  return ms.toFixed(ms < 10 ? 2 : 0);
}

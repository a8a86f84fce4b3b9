// Everything of one gate but its listeners: what belongs to the process, and what belongs to the configuration in force.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { createAdminApp } from '../admin/admin-app.ts';
import type { AdminParts } from '../admin/admin-parts.ts';
import type { Clock } from '../base/clock.ts';
import type { Config } from '../config/model.ts';
import type { DoorParts } from '../http/door-parts.ts';
import { noticeEndpoint } from '../http/endpoints/notice.ts';
import { FormIntake } from '../http/form-intake.ts';
import { TRANSACTION_LIFETIME_MS } from '../http/login-transactions.ts';
import { UsedStates } from '../http/used-states.ts';
import { ConnectionRegistry } from '../proxy/connection-registry.ts';
import { SlicedQueue } from '../proxy/sliced-queue.ts';
import type { UpstreamGroup } from '../proxy/upstream-group.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { buildSessionParts, type SessionParts } from './build-session-parts.ts';
import { type BuiltSnapshot, buildSnapshot } from './build-snapshot.ts';
import { systemClock } from './system-clock.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface GateParts {
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly timers: TimerWheel;
  readonly sessions: SessionParts;
  readonly usedStates: UsedStates;
  readonly doorParts: DoorParts;
  draining: boolean;
  current: InForce;
  /** Upstreams of former configurations, until what they still carry is over. */
  readonly retiring: Set<UpstreamGroup>;
}

/** Built whole from one configuration; a reload swaps it for another. */
export interface InForce extends BuiltSnapshot {
  readonly config: Config;
  readonly adminApp: (request: IncomingMessage, response: ServerResponse) => void;
}

export function buildGate(config: Config, options: { readonly destination?: NodeJS.WritableStream }): GateParts {
  const clock = systemClock;
  const telemetry = createTelemetry({ ...config.log, ...options, clock });
  const { emit, countRequest } = telemetry;
  // In one process nobody else can end a session, and no write has to ask.
  const registry = new ConnectionRegistry(config.session.redis && (() => sessions.hasSlept()));
  const timers = new TimerWheel(clock, (error) =>
    emit({ event: 'gate.warning', code: 'timer_failed', message: `A timer's work failed: ${String(error)}` }),
  );
  const sessions = buildSessionParts(config, { clock, timers, emit, registry });
  telemetry.observe({
    sessions: () => sessions.store.size(),
    connections: () => registry.totals(),
    storeUp: () => sessions.store.trouble() === undefined,
  });
  const doorParts: DoorParts = {
    snapshot: () => parts.current.snapshot,
    registry,
    noteActivity: (session) => sessions.freshness.active(session),
    endSessions: sessions.endSessions,
    countRequest,
    emit,
    ownWork: new SlicedQueue(),
    formIntake: new FormIntake(),
    pending: { count: 0 },
  };
  const usedStates = new UsedStates(clock, TRANSACTION_LIFETIME_MS, sessions.claimOnce);
  const lasting = { clock, telemetry, timers, sessions, usedStates, doorParts, retiring: new Set<UpstreamGroup>() };
  const parts: GateParts = { ...lasting, draining: false, current: undefined as never };
  parts.current = buildInForce(config, parts);
  return parts;
}

/** What follows from `config`; nothing of it is in use yet. @throws GatewayError where it cannot be built */
export function buildInForce(config: Config, parts: GateParts): InForce {
  const { clock, sessions, telemetry, usedStates } = parts;
  const built = buildSnapshot(config, { clock, emit: telemetry.emit, usedStates, ...sessions });
  return { ...built, config, adminApp: createAdminApp(adminParts(config, parts)) };
}

function adminParts(config: Config, parts: GateParts): AdminParts {
  const { sessions, telemetry, doorParts } = parts;
  return {
    store: sessions.store,
    endSessions: sessions.endSessions,
    registry: doorParts.registry,
    emit: telemetry.emit,
    operatorEndsSso: config.logout.operatorEndsSso,
    issuer: config.provider.issuer,
    sessionLimits: config.session,
    token: config.admin.token,
    readiness: () => [...(parts.draining ? ['the gate is stopping'] : []), ...readiness(sessions)],
    metrics: telemetry.metrics,
    notices: config.admin.notices ? adminNotices(config, sessions) : {},
  };
}

/** The notices of the public listener, without its prefix. */
function adminNotices({ logout }: Config, { receiveNotice }: SessionParts): AdminParts['notices'] {
  return {
    '/backchannel-logout': noticeEndpoint('backchannel', receiveNotice),
    ...(logout.keycloakAdminUrl === 'off'
      ? {}
      : {
          '/k_logout': noticeEndpoint('k_logout', receiveNotice),
          '/k_push_not_before': noticeEndpoint('k_push_not_before', receiveNotice),
          '/k_test_available': noticeEndpoint('k_test_available', receiveNotice),
        }),
  };
}

function readiness({ provider, store }: SessionParts): string[] {
  const ready = provider.readiness();
  const trouble = store.trouble();
  return [...(ready.ready ? [] : [`provider: ${ready.why}`]), ...(trouble === undefined ? [] : [`store: ${trouble}`])];
}

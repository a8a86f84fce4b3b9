// Puts a gate together from a checked configuration and starts it: the one place where every room meets.

import type { Server } from 'node:http';
import { createAdminApp } from '../admin/admin-app.ts';
import type { AdminParts } from '../admin/admin-parts.ts';
import type { GateEvent } from '../base/events.ts';
import { isLoopback } from '../config/kinds/urls.ts';
import type { Config, Listen, PublicUrl } from '../config/model.ts';
import { openDoor, openDoorForWaiting, refuseExpectation } from '../http/door.ts';
import type { DoorParts } from '../http/door-parts.ts';
import { noticeEndpoint } from '../http/endpoints/notice.ts';
import { guardListener } from '../http/guard-listener.ts';
import { openUpgradeDoor } from '../http/upgrade.ts';
import { ConnectionRegistry } from '../proxy/connection-registry.ts';
import { SlicedQueue } from '../proxy/sliced-queue.ts';
import type { Upstream } from '../proxy/upstream.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { buildSessionParts, type SessionParts } from './build-session-parts.ts';
import { buildSnapshot } from './build-snapshot.ts';
import { createAdminServer, createPublicServer, listen } from './servers.ts';
import { stopGate } from './stop-gate.ts';
import { systemClock } from './system-clock.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface StartOptions {
  /** Where log lines go; standard output unless told. */
  readonly destination?: NodeJS.WritableStream;
}

export interface RunningGate {
  /** The ports that were really taken (the configuration may say 0). */
  readonly publicPort: number;
  readonly adminPort: number;
  /** Drains, then closes everything. Resolves when nothing of the gate is left. */
  stop(reason?: string): Promise<void>;
}

/** @throws the system's error where a port cannot be had; nothing is left running then. */
export async function startGate(config: Config, options: StartOptions = {}): Promise<RunningGate> {
  const parts = buildParts(config, options);
  const { telemetry, timers, sessions, upstreams, doorParts } = parts;
  const { emit } = telemetry;
  const publicServer = createPublicServer(config.server, {
    request: guardListener(emit, openDoor(doorParts)),
    checkContinue: guardListener(emit, openDoorForWaiting(doorParts)),
    checkExpectation: guardListener(emit, refuseExpectation(doorParts)),
    upgrade: guardListener(emit, openUpgradeDoor(doorParts)),
  });
  const adminServer = createAdminServer(config.admin.tls, createAdminApp(adminParts(config, parts)));
  const listening: Server[] = [];
  try {
    await sessions.startStore();
    const adminPort = await listen(adminServer, config.admin.listen);
    listening.push(adminServer);
    const publicPort = await listen(publicServer, config.server.listen);
    sessions.provider.start();
    emit(started(config, { publicPort, adminPort }));
    if (config.publicUrls.some(isExposedHttp)) emit(plainHttpWarning);
    return {
      publicPort,
      adminPort,
      async stop(reason = 'stop') {
        emit({ event: 'gate.stopping', signal: reason });
        parts.draining = true;
        const { registry, pending } = doorParts;
        const { drainMs } = config.server.timeouts;
        await stopGate({ publicServer, adminServer, registry, upstreams, pending, drainMs });
        await sessions.followUps.stop();
        sessions.freshness.stop();
        sessions.provider.stop();
        timers.stop();
        await sessions.stopStore();
        emit({ event: 'gate.stopped' });
        await telemetry.flush();
      },
    };
  } catch (error) {
    for (const server of listening) server.close();
    timers.stop();
    await sessions.stopStore();
    await Promise.all(upstreams.map((upstream) => upstream.close()));
    throw error;
  }
}

/** Everything of one gate but its listeners. */
interface GateParts {
  readonly telemetry: Telemetry;
  readonly timers: TimerWheel;
  readonly sessions: SessionParts;
  readonly upstreams: readonly Upstream[];
  readonly doorParts: DoorParts;
  draining: boolean;
}

function buildParts(config: Config, options: StartOptions): GateParts {
  const clock = systemClock;
  const telemetry = createTelemetry({ ...config.log, ...options, clock });
  const { emit, countRequest } = telemetry;
  // In one process nobody else can end a session, and no write has to ask.
  const registry = new ConnectionRegistry(config.session.redis && (() => sessions.hasSlept()));
  const timers = new TimerWheel(clock, (error) =>
    emit({ event: 'gate.warning', code: 'timer_failed', message: `A timer's work failed: ${String(error)}` }),
  );
  const sessions = buildSessionParts(config, { clock, timers, emit, registry });
  const { snapshot, upstreams } = buildSnapshot(config, { clock, emit, ...sessions });
  telemetry.observe({
    sessions: () => sessions.store.size(),
    connections: () => registry.totals(),
    storeUp: () => sessions.store.trouble() === undefined,
  });
  const doorParts: DoorParts = {
    snapshot: () => snapshot,
    registry,
    noteActivity: (session) => sessions.freshness.active(session),
    endSessions: sessions.endSessions,
    countRequest,
    emit,
    ownWork: new SlicedQueue(),
    pending: { count: 0 },
  };
  return { telemetry, timers, sessions, upstreams, doorParts, draining: false };
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

function started(config: Config, ports: { publicPort: number; adminPort: number }): GateEvent {
  return {
    event: 'gate.started',
    listen: listenText(config.server.listen, ports.publicPort),
    admin: listenText(config.admin.listen, ports.adminPort),
    public_urls: config.publicUrls.map(({ origin }) => origin),
  };
}

function readiness({ provider, store }: SessionParts): string[] {
  const ready = provider.readiness();
  const trouble = store.trouble();
  return [...(ready.ready ? [] : [`provider: ${ready.why}`]), ...(trouble === undefined ? [] : [`store: ${trouble}`])];
}

/** Cookies of loopback origins never leave the machine. */
function isExposedHttp({ scheme, hostname }: PublicUrl): boolean {
  return scheme === 'http' && !isLoopback(hostname);
}

function listenText({ host }: Listen, port: number): string {
  return `${host ?? '*'}:${port}`;
}

const plainHttpWarning = {
  event: 'gate.warning',
  code: 'plain_http',
  message:
    'server.allow_http is on: session cookies travel unencrypted and anybody on the network can take them. Use https.',
} as const;

// Puts a gate together from a checked configuration and starts it: the one place where every room meets.

import type { Server } from 'node:http';
import { createAdminApp } from '../admin/admin-app.ts';
import type { Config, Listen } from '../config/model.ts';
import { openDoor, openDoorForWaiting, refuseExpectation } from '../http/door.ts';
import type { DoorParts } from '../http/door-parts.ts';
import { backchannelLogout } from '../http/endpoints/backchannel-logout.ts';
import { openUpgradeDoor } from '../http/upgrade.ts';
import { ConnectionRegistry } from '../proxy/connection-registry.ts';
import { createTelemetry } from '../telemetry/telemetry.ts';
import { buildSessionParts } from './build-session-parts.ts';
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
  const clock = systemClock;
  const telemetry = createTelemetry({ ...config.log, ...options, clock });
  const { emit } = telemetry;
  const registry = new ConnectionRegistry();
  const timers = new TimerWheel(clock, (error) =>
    emit({ event: 'gate.warning', code: 'timer_failed', message: `A timer's work failed: ${String(error)}` }),
  );
  const sessions = buildSessionParts(config, { clock, timers, emit, registry });
  const { snapshot, upstreams } = buildSnapshot(config, { clock, emit, ...sessions });
  const doorParts: DoorParts = {
    snapshot: () => snapshot,
    registry,
    noteActivity: (session) => sessions.freshness.active(session),
    countRequest: telemetry.countRequest,
    emit,
  };
  let draining = false;
  const publicServer = createPublicServer(config.server, {
    request: openDoor(doorParts),
    checkContinue: openDoorForWaiting(doorParts),
    checkExpectation: refuseExpectation(doorParts),
    upgrade: openUpgradeDoor(doorParts),
  });
  const adminServer = createAdminServer(
    config.admin.tls,
    createAdminApp({
      ...sessions,
      registry,
      issuer: config.provider.issuer,
      sessionLimits: config.session,
      token: config.admin.token,
      readiness: () => [...(draining ? ['the gate is stopping'] : []), ...readiness(sessions)],
      metrics: telemetry.metrics,
      notices: config.admin.notices ? { '/backchannel-logout': backchannelLogout(sessions.receiveNotice) } : {},
    }),
  );
  telemetry.observe({
    sessions: () => sessions.store.size(),
    connections: () => registry.totals(),
    storeUp: () => sessions.store.trouble() === undefined,
  });
  const servers: Server[] = [];
  try {
    const adminPort = await listen(adminServer, config.admin.listen);
    servers.push(adminServer);
    const publicPort = await listen(publicServer, config.server.listen);
    servers.push(publicServer);
    sessions.provider.start();
    emit({
      event: 'gate.started',
      listen: listening(config.server.listen, publicPort),
      admin: listening(config.admin.listen, adminPort),
      public_urls: config.publicUrls.map(({ origin }) => origin),
    });
    if (config.server.allowHttp) emit(plainHttpWarning);
    return {
      publicPort,
      adminPort,
      async stop(reason = 'stop') {
        emit({ event: 'gate.stopping', signal: reason });
        draining = true;
        await stopGate({ publicServer, adminServer, registry, upstreams, drainMs: config.server.timeouts.drainMs });
        sessions.freshness.stop();
        sessions.provider.stop();
        timers.stop();
        emit({ event: 'gate.stopped' });
        await telemetry.flush();
      },
    };
  } catch (error) {
    for (const server of servers) server.close();
    timers.stop();
    await Promise.all(upstreams.map((upstream) => upstream.close()));
    throw error;
  }
}

function readiness({ provider, store }: ReturnType<typeof buildSessionParts>): string[] {
  const ready = provider.readiness();
  const trouble = store.trouble();
  return [...(ready.ready ? [] : [`provider: ${ready.why}`]), ...(trouble === undefined ? [] : [`store: ${trouble}`])];
}

function listening({ host }: Listen, port: number): string {
  return `${host ?? '*'}:${port}`;
}

const plainHttpWarning = {
  event: 'gate.warning',
  code: 'plain_http',
  message:
    'server.allow_http is on: session cookies travel unencrypted and anybody on the network can take them. Use https.',
} as const;

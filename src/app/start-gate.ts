// Puts a gate together from a checked configuration and starts it: the one place where every room meets.

import type { Server } from 'node:http';
import type { GateEvent } from '../base/events.ts';
import { isLoopback } from '../config/kinds/urls.ts';
import type { LoadResult } from '../config/load-config.ts';
import type { Config, Listen, PublicUrl } from '../config/model.ts';
import { openDoor, openDoorForWaiting, refuseExpectation } from '../http/door.ts';
import { guardListener } from '../http/guard-listener.ts';
import { openUpgradeDoor } from '../http/upgrade.ts';
import { buildGate } from './build-gate.ts';
import { createReload } from './reload.ts';
import { createAdminServer, createPublicServer, listen } from './servers.ts';
import { stopGate } from './stop-gate.ts';

export interface StartOptions {
  /** Where log lines go; standard output unless told. */
  readonly destination?: NodeJS.WritableStream;
}

export interface RunningGate {
  /** The ports that were really taken (the configuration may say 0). */
  readonly publicPort: number;
  readonly adminPort: number;
  /** Puts another configuration in force, or says what is wrong with it and changes nothing. Never throws. */
  reload(loaded: LoadResult): void;
  /** Drains, then closes everything. Resolves when nothing of the gate is left. */
  stop(reason?: string): Promise<void>;
}

/** @throws the system's error where a port cannot be had; nothing is left running then. */
export async function startGate(config: Config, options: StartOptions = {}): Promise<RunningGate> {
  const parts = buildGate(config, options);
  const { telemetry, timers, sessions, doorParts } = parts;
  const { emit } = telemetry;
  const publicServer = createPublicServer(config.server, {
    request: guardListener(emit, openDoor(doorParts)),
    checkContinue: guardListener(emit, openDoorForWaiting(doorParts)),
    checkExpectation: guardListener(emit, refuseExpectation(doorParts)),
    upgrade: guardListener(emit, openUpgradeDoor(doorParts)),
  });
  const adminServer = createAdminServer(config.admin.tls, (...exchange) => parts.current.adminApp(...exchange));
  const listening: Server[] = [];
  try {
    await sessions.startStore();
    const adminPort = await listen(adminServer, config.admin.listen);
    listening.push(adminServer);
    const publicPort = await listen(publicServer, config.server.listen);
    sessions.beginStore();
    sessions.provider.start();
    emit(started(config, { publicPort, adminPort }));
    if (config.publicUrls.some(isExposedHttp)) emit(plainHttpWarning);
    return {
      publicPort,
      adminPort,
      reload: createReload(parts, { publicServer, adminServer }),
      async stop(reason = 'stop') {
        emit({ event: 'gate.stopping', signal: reason });
        parts.draining = true;
        const { registry, pending } = doorParts;
        const { drainMs } = config.server.timeouts;
        const upstreams = [...parts.current.upstreams, ...parts.retiring];
        await stopGate({ publicServer, adminServer, registry, upstreams, pending, drainMs });
        await sessions.followUps.stop();
        await sessions.settle();
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
    await Promise.all(parts.current.upstreams.map((upstream) => upstream.close()));
    throw error;
  }
}

function started(config: Config, ports: { publicPort: number; adminPort: number }): GateEvent {
  return {
    event: 'gate.started',
    listen: listenText(config.server.listen, ports.publicPort),
    admin: listenText(config.admin.listen, ports.adminPort),
    public_urls: config.publicUrls.map(({ origin }) => origin),
  };
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

// The process behind `crowded-gate.ts`: the rooms put together as src/app/start-gate.ts does it, with the store at hand.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { buildSessionParts, type SessionParts } from '../../../src/app/build-session-parts.ts';
import { buildSnapshot } from '../../../src/app/build-snapshot.ts';
import { createPublicServer, listen } from '../../../src/app/servers.ts';
import { systemClock } from '../../../src/app/system-clock.ts';
import { TimerWheel } from '../../../src/app/timer-wheel.ts';
import type { GateEvent } from '../../../src/base/events.ts';
import { newSessionHandle, newSessionId } from '../../../src/base/ids.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import type { Config } from '../../../src/config/model.ts';
import { openDoor, openDoorForWaiting, refuseExpectation } from '../../../src/http/door.ts';
import type { DoorParts } from '../../../src/http/door-parts.ts';
import { FormIntake } from '../../../src/http/form-intake.ts';
import { TRANSACTION_LIFETIME_MS } from '../../../src/http/login-transactions.ts';
import { openUpgradeDoor } from '../../../src/http/upgrade.ts';
import { UsedStates } from '../../../src/http/used-states.ts';
import { ConnectionRegistry } from '../../../src/proxy/connection-registry.ts';
import { SlicedQueue } from '../../../src/proxy/sliced-queue.ts';
import { createTelemetry } from '../../../src/telemetry/telemetry.ts';
import { freePort } from '../free-port.ts';
import { aTokenSet } from '../session-records.ts';
import type { CrowdOptions } from './crowded-gate.ts';
import { LoopWatch } from './loop-watch.ts';

const TEN_HOURS_MS = 36_000_000;
/** As long as Keycloak's, so that memory is as it would be. */
const TOKEN = 't'.repeat(900);
let config: Config;
let sessions: SessionParts;
let admitted = 0;
const loop = new LoopWatch();

const answers: Readonly<Record<string, (question: never) => unknown>> = {
  start,
  admit,
  size: () => sessions.store.size(),
  watchLoop: () => loop.start(),
  loopWork: () => loop.stop(),
};

process.on('disconnect', () => process.exit());
process.on('message', async ({ name, question }: { name: string; question: never }) => {
  try {
    process.send!({ result: (await answers[name]!(question)) ?? null });
  } catch (error) {
    process.send!({ error: String((error as Error).stack) });
  }
});

async function start(options: CrowdOptions): Promise<string> {
  const port = await freePort();
  const publicUrl = `http://127.0.0.1:${port}`;
  config = configuration(options, publicUrl);
  const clock = systemClock;
  const ready = Promise.withResolvers<void>();
  // As in a real gate every event becomes a line, which goes nowhere here.
  const destination = new Writable({ write: (_chunk, _encoding, done) => done() });
  const telemetry = createTelemetry({ ...config.log, destination, clock });
  const emit = (event: GateEvent) => {
    if (event.event === 'provider.ready') ready.resolve();
    telemetry.emit(event);
  };
  const registry = new ConnectionRegistry();
  const timers = new TimerWheel(clock, (error) => console.error(error));
  sessions = buildSessionParts(config, { clock, timers, emit, registry });
  const { snapshot } = buildSnapshot(config, {
    clock,
    emit,
    usedStates: new UsedStates(clock, TRANSACTION_LIFETIME_MS),
    ...sessions,
  });
  const parts: DoorParts = {
    snapshot: () => snapshot,
    registry,
    noteActivity: (session) => sessions.freshness.active(session),
    endSessions: sessions.endSessions,
    countRequest: telemetry.countRequest,
    emit,
    ownWork: new SlicedQueue(),
    formIntake: new FormIntake(),
    pending: { count: 0 },
  };
  const server = createPublicServer(config.server, {
    request: openDoor(parts),
    checkContinue: openDoorForWaiting(parts),
    checkExpectation: refuseExpectation(parts),
    upgrade: openUpgradeDoor(parts),
  });
  await listen(server, config.server.listen);
  sessions.provider.start();
  await ready.promise;
  return publicUrl;
}

function configuration({ issuer, clientId, clientSecret, upstream }: CrowdOptions, publicUrl: string): Config {
  const folder = mkdtempSync(join(tmpdir(), 'portcullis-test-'));
  const file = join(folder, 'portcullis.yaml');
  const text = JSON.stringify({
    public_url: publicUrl,
    server: { listen: new URL(publicUrl).host },
    provider: { issuer, client_id: clientId, client_secret: clientSecret },
    session: { secret: 'a session secret that only tests know', memory: { max_sessions: 200_000 } },
    routes: [{ upstream }],
  });
  writeFileSync(file, text);
  const loaded = loadConfig({ file, env: {} });
  rmSync(folder, { recursive: true });
  if ('problems' in loaded) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

async function admit(count: number): Promise<string[]> {
  const cookies: string[] = [];
  for (const last = admitted + count; admitted < last; admitted++) {
    const id = newSessionId();
    const now = Date.now();
    const session = await sessions.admitSignIn({
      signedIn: {
        issuer: config.provider.issuer,
        sub: `sub-${admitted}`,
        sid: `sid-${admitted}`,
        claims: { sub: `sub-${admitted}`, preferred_username: `user-${admitted}` },
        tokens: aTokenSet({
          idToken: TOKEN,
          accessToken: TOKEN,
          accessExpiresAt: now + TEN_HOURS_MS,
          issuedAtSeconds: Math.floor(now / 1000),
        }),
        idTokenIssuedAtSeconds: Math.floor(now / 1000),
        probe: 'introspect',
      },
      beganAt: await sessions.store.now(),
      id,
      handle: newSessionHandle(),
      current: undefined,
      cookieHost: undefined,
      refusedAcr: undefined,
      address: '192.0.2.1',
      userAgent: 'test',
    });
    if (session === 'ended') throw new Error(`user ${admitted} was not admitted`);
    cookies.push(`${config.session.cookie.name}=${id}`);
    if (cookies.length > 100) cookies.shift();
  }
  return cookies;
}

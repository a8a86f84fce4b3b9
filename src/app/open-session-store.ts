// The store that the configuration names.

import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Secret } from '../base/secret.ts';
import type { Config, RedisConfig } from '../config/model.ts';
import { lookAtPlace } from '../session/file/opening.ts';
import { SessionFile } from '../session/file/session-file.ts';
import type { FormStore } from '../session/form-store.ts';
import type { JarStore } from '../session/jar-store.ts';
import { MemoryFormStore } from '../session/memory-form-store.ts';
import { MemoryJarStore } from '../session/memory-jar-store.ts';
import { MemorySessionStore } from '../session/memory-session-store.ts';
import type { RedisServers } from '../session/redis/find-server.ts';
import { RedisSessionStore } from '../session/redis/redis-session-store.ts';
import type { RedisAccess } from '../session/redis/redis-target.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { ClaimOnce, SessionStore } from '../session/session-store.ts';
import { FORM_LIMITS } from './build-form-keeping.ts';

/** What a gate takes for its stop at most, beside the drain. */
const STOP_MS = 15_000;

export interface OpenedStore {
  readonly store: SessionStore;
  readonly jars: JarStore;
  readonly forms: FormStore;
  /**
   * Resolves with the sessions that another process has left.
   * @throws GatewayError `store_unavailable`, `session_file_unusable` where it can never be used as it is configured
   */
  start(): Promise<readonly StoredSession[]>;
  /** The gate serves now. */
  begin(): void;
  /** `isSettled`: no refresh is under way whose answer nobody writes down. */
  stop(isSettled: boolean): Promise<void>;
  /** From now on the first of these seals what is kept outside the process, and all open it. */
  rotate(secrets: readonly Secret[]): void;
  /** Makes sure that what may be done once is done by one replica alone; absent where there is one process. */
  readonly claimOnce?: ClaimOnce;
  /** Whether another replica may have ended sessions while this process slept. */
  hasSlept(): boolean;
}

export interface StoreListeners {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly emit: Emit;
  readonly isLive: (handle: string) => boolean;
  /** A session had to go because there are too many. */
  readonly onEvicted: (session: StoredSession) => void;
  /** Another replica has ended sessions that this one holds. */
  readonly onStopped: (sessions: readonly StoredSession[]) => void;
  /** Another replica has changed a session. */
  readonly onChanged: (session: StoredSession) => void;
  /** This replica remembers a session no more, though it lives. */
  readonly onLetGo: (session: StoredSession) => void;
}

/** Builds the store; one that is shared connects when it is started. */
export function openSessionStore(config: Config, listeners: StoreListeners): OpenedStore {
  const { emit } = listeners;
  const { session, provider } = config;
  const { memory, redis, absoluteTimeoutMs, idleTimeoutMs } = session;
  if (redis === undefined) return openMemoryStore(config, listeners);
  const secrets: { current: readonly Secret[] } = { current: session.secrets };
  const store = new RedisSessionStore({
    ...listeners,
    servers: redis.servers,
    access: accessOf(redis),
    keyPrefix: redis.keyPrefix,
    commandTimeoutMs: redis.commandTimeoutMs,
    secrets,
    issuer: provider.issuer,
    ...{ idleTimeoutMs, absoluteTimeoutMs },
    formLimits: FORM_LIMITS,
    maxHeldSessions: memory.maxSessions,
    onWarning: (message) => emit({ event: 'gate.warning', code: 'store_may_forget', message }),
    onJarFull: ({ record }) =>
      emit({ event: 'gate.warning', code: 'jar_full', message: jarFullMessage(record.handle) }),
    onTrouble: (why) =>
      emit(why === undefined ? { event: 'store.ready' } : { event: 'store.lost', why, server: nameOf(redis.servers) }),
  });
  return {
    store,
    jars: store.jars,
    forms: store.forms,
    claimOnce: store.claimOnce,
    start: async () => {
      await store.start();
      return [];
    },
    begin: () => {},
    stop: () => store.stop(),
    rotate: (next) => {
      secrets.current = next;
    },
    hasSlept: () => store.hasSlept(),
  };
}

/**
 * Whether the store of this configuration can be had on this machine, as far as that shows without touching it.
 * @throws GatewayError `session_file_unusable`
 */
export async function lookAtStore({ session: { memory } }: Config): Promise<void> {
  if (memory.file !== undefined) await lookAtPlace(memory.file);
}

function openMemoryStore(
  { session, provider, server }: Pick<Config, 'session' | 'provider' | 'server'>,
  { clock, timers, emit, onEvicted }: StoreListeners,
): OpenedStore {
  const { maxSessions, file: path } = session.memory;
  const store = new MemorySessionStore({
    clock,
    maxSessions,
    maxSessionLifetimeMs: session.absoluteTimeoutMs,
    onEvicted,
    onMarked: (...end) => file?.mark(...end),
  });
  const jars = new MemoryJarStore();
  const { issuer, clientId } = provider;
  const secrets: { current: readonly Secret[] } = { current: session.secrets };
  const onWarning = (message: string) => emit({ event: 'gate.warning', code: 'session_file', message });
  const file =
    path === undefined
      ? undefined
      : new SessionFile({
          path,
          secrets,
          issuer,
          clientId,
          store,
          jars,
          onWarning,
          waitMs: server.timeouts.drainMs + STOP_MS,
        });
  return {
    ...{ store, jars },
    forms: new MemoryFormStore({ clock, timers, limits: FORM_LIMITS }),
    async start() {
      if (file === undefined) return [];
      const { sessions, leftOut } = await file.restore();
      emit({ event: 'sessions.restored', count: sessions.length, left_out: leftOut });
      return sessions;
    },
    begin: () => file?.begin(),
    stop: async (isSettled) => file?.stop(isSettled ? 'stopped' : 'running'),
    rotate: (next) => {
      secrets.current = next;
      file?.writeAnew();
    },
    hasSlept: () => false,
  };
}

function jarFullMessage(handle: string): string {
  return (
    `The applications with cookies: jar have set more cookies than the gate keeps for one session (${handle}): those that it ` +
    'has still change, and no new one is kept. See which of them sets ever new names.'
  );
}

function nameOf(servers: RedisServers): string {
  if ('address' in servers) {
    return 'path' in servers.address ? servers.address.path : `${servers.address.host}:${servers.address.port}`;
  }
  const nodes = 'cluster' in servers ? servers.cluster : servers.sentinels;
  return nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
}

function accessOf({ username, password, database, tls }: RedisConfig): RedisAccess {
  return {
    database,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...(tls.caPem === undefined ? {} : { ca: tls.caPem }),
            ...(tls.certPem === undefined ? {} : { cert: tls.certPem }),
            ...(tls.keyPem === undefined ? {} : { key: tls.keyPem.reveal() }),
            ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
          },
        }),
  };
}

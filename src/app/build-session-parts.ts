// The parts that hold sessions and keep them true: they belong to the process and outlive every snapshot.

import type { Clock, Timers } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import { createFreshness, type Freshness } from '../freshness/freshness.ts';
import type { LiveAdmission } from '../gate/live-admission.ts';
import { type AdmitSignIn, createAdmitSignIn } from '../logout/admit-sign-in.ts';
import { createEndSessions, type Ending, type EndSessions } from '../logout/end-sessions.ts';
import {
  createReceiveFrontchannelNotice,
  type ReceiveFrontchannelNotice,
} from '../logout/receive-frontchannel-notice.ts';
import { createReceiveNotice, type ReceiveNotice } from '../logout/receive-notice.ts';
import { probeSession } from '../oidc/probe-session.ts';
import type { Provider } from '../oidc/provider.ts';
import { refreshTokens } from '../oidc/refresh-tokens.ts';
import { verifyAdminAction } from '../oidc/verify-admin-action.ts';
import { verifyLogoutToken } from '../oidc/verify-logout-token.ts';
import type { ConnectionRegistry } from '../proxy/connection-registry.ts';
import type { FormStore } from '../session/form-store.ts';
import type { JarStore } from '../session/jar-store.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { ClaimOnce, SessionStore } from '../session/session-store.ts';
import { buildFollowUps, type FollowUps } from './build-follow-ups.ts';
import { buildProvider, providerOptions } from './build-provider.ts';
import { buildRechecks, type Rechecks } from './build-rechecks.ts';
import { openSessionStore } from './open-session-store.ts';
import { isSame } from './until-restart.ts';

/** As long as a stopping gate waits for the provider's last answers. */
const SETTLE_MS = 5_000;

export interface SessionParts {
  readonly provider: Provider;
  readonly store: SessionStore;
  /** @throws GatewayError `store_unavailable`, `session_file_unusable` where it can never be used as it is configured */
  startStore(): Promise<void>;
  /** The gate serves now. */
  beginStore(): void;
  /**
   * Waits, for a while, until what the provider is answering now is written down: where the sessions outlive this process,
   * and a refresh whose tokens nobody has would be their end.
   */
  settle(): Promise<void>;
  /** When nothing asks it any more. */
  stopStore(): Promise<void>;
  /** Whether another replica may have ended sessions while this process slept. */
  hasSlept(): boolean;
  readonly jars: JarStore;
  readonly forms: FormStore;
  /** What may be done once is done by one replica alone; undefined where there is one process. */
  readonly claimOnce: ClaimOnce | undefined;
  readonly endSessions: EndSessions;
  readonly receiveNotice: ReceiveNotice;
  readonly receiveFrontchannelNotice: ReceiveFrontchannelNotice;
  readonly admitSignIn: AdmitSignIn;
  readonly freshness: Freshness;
  /** What `session.recheck` of a configuration asks for; undefined where it is off. */
  readonly recheck: Rechecks['of'];
  readonly followUps: FollowUps;
  /**
   * Takes over what a reload may change; sessions, their connections and the provider's keys stay.
   * @throws GatewayError `provider_key_unusable`, and then nothing has changed
   */
  reconfigure(former: Config, next: Config): void;
}

export interface ProcessParts {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly emit: Emit;
  readonly registry: ConnectionRegistry;
}

export function buildSessionParts(config: Config, parts: ProcessParts): SessionParts {
  const { clock, timers, emit, registry } = parts;
  const { idleTimeoutMs, absoluteTimeoutMs, revalidateMs, recheck } = config.session;
  const provider = buildProvider(config, parts);
  const opened = openSessionStore(config, {
    ...{ clock, timers, emit },
    isLive: (handle) => registry.isLive(handle),
    // The store has made the mark already, because its bound is hard; the rest is the same as for every other end.
    onEvicted: (session) => ending.conclude([session], { reason: 'evicted' }),
    onStopped: (sessions) => ending.follow(sessions),
    onChanged: (session) => {
      freshness.watch(session);
      decideAgain(registry, session);
    },
    onLetGo: (session) => freshness.forget(session),
  });
  const { store, jars } = opened;
  const followUps = buildFollowUps(config, { ...parts, provider, jars });
  const ending: Ending = createEndSessions({
    store,
    registry,
    clock,
    emit,
    followUps: followUps.followUps,
    forget: (session) => freshness.forget(session),
  });
  const { endSessions } = ending;
  const rechecks = buildRechecks(config, { ...parts, provider, store });
  const freshness = createFreshness({
    refreshTokens: (session) => refreshTokens(provider, session),
    probeSession: (refreshToken) => probeSession(provider, refreshToken),
    ...{ store, endSessions, clock, timers, emit },
    onRenewed: (session) => decideAgain(registry, session),
    onOverdue: (session) => rechecks.cutUnproven(session),
    isLive: (handle) => registry.isLive(handle),
    ...{ revalidateMs, idleTimeoutMs, absoluteTimeoutMs, recheck },
  });
  return {
    provider,
    store,
    startStore: async () => {
      for (const session of await opened.start()) freshness.watch(session);
    },
    beginStore: () => opened.begin(),
    settle: async () => {
      if (config.session.redis === undefined && config.session.memory.file === undefined) return;
      await Promise.race([freshness.landed(), new Promise<void>((resolve) => setTimeout(resolve, SETTLE_MS).unref())]);
    },
    stopStore: () => opened.stop(!freshness.isAsking()),
    hasSlept: () => opened.hasSlept(),
    jars,
    forms: opened.forms,
    claimOnce: opened.claimOnce,
    endSessions,
    freshness,
    recheck: (...of) => rechecks.of(...of),
    followUps,
    reconfigure(former, next) {
      const options = providerOptions(next);
      if (!isSame(providerOptions(former), options)) provider.reconfigure(options);
      rechecks.reconfigure(next);
      freshness.relimit(next.session);
      followUps.reconfigure(former, next);
      if (!isSame(former.session.secrets, next.session.secrets)) opened.rotate(next.session.secrets);
    },
    admitSignIn: createAdmitSignIn({
      store,
      endSessions,
      clientId: config.provider.clientId,
      suspect: (session) => freshness.suspect(session),
      watch: (session) => {
        freshness.watch(session);
        decideAgain(registry, session);
        rechecks.noteSignIn(session);
      },
    }),
    ...buildReceivers({ provider, store, endSessions, freshness, clock, emit }),
  };
}

type ReceiverParts = Pick<SessionParts, 'provider' | 'store' | 'endSessions' | 'freshness'> &
  Pick<ProcessParts, 'clock' | 'emit'>;

/** The receivers of logout notices, of every kind. */
function buildReceivers({
  provider,
  freshness,
  ...parts
}: ReceiverParts): Pick<SessionParts, 'receiveNotice' | 'receiveFrontchannelNotice'> {
  return {
    receiveNotice: createReceiveNotice({
      verifyLogoutToken: (jwt) => verifyLogoutToken(provider, jwt),
      verifyAdminAction: (jwt, expected) => verifyAdminAction(provider, jwt, expected),
      suspectSiblings: (issuer, sub) => freshness.suspectSiblings(issuer, sub),
      ...parts,
    }),
    receiveFrontchannelNotice: createReceiveFrontchannelNotice({ issuer: provider.options.issuer, ...parts }),
  };
}

/** Live connections are decided again after every change of their session's claims (design: decided cases). */
function decideAgain(registry: ConnectionRegistry, session: StoredSession): void {
  registry.recheck(session.record.handle, (tag) => (tag as LiveAdmission).renewed(session));
}

// One gate as it is put together in src/app, with time, the network, the store's answers and the provider's in a
// schedule's hands. Nothing of the gate itself is a stand-in: the doors, the decision, the registry, freshness and the end
// of sessions are the real ones.

import { compileRouteTable } from '../../../src/access/route-table.ts';
import type { GateEvent } from '../../../src/base/events.ts';
import type { SessionId } from '../../../src/base/ids.ts';
import { createFreshness, type Freshness } from '../../../src/freshness/freshness.ts';
import { createDecide, createDecideAgain, type Decision, type RequestFacts } from '../../../src/gate/decide.ts';
import type { GateRoute } from '../../../src/gate/gate-route.ts';
import { createIdentify } from '../../../src/gate/identify.ts';
import { createSessionIdentity } from '../../../src/gate/session-identity.ts';
import { TrustedProxies } from '../../../src/http/client-address.ts';
import { openDoor } from '../../../src/http/door.ts';
import type { DoorParts } from '../../../src/http/door-parts.ts';
import { FormIntake } from '../../../src/http/form-intake.ts';
import { PublicOrigins } from '../../../src/http/public-origins.ts';
import type { Snapshot } from '../../../src/http/snapshot.ts';
import { openUpgradeDoor } from '../../../src/http/upgrade.ts';
import { type AdmitSignIn, createAdmitSignIn } from '../../../src/logout/admit-sign-in.ts';
import { createEndSessions, type Ending } from '../../../src/logout/end-sessions.ts';
import {
  createReceiveFrontchannelNotice,
  type ReceiveFrontchannelNotice,
} from '../../../src/logout/receive-frontchannel-notice.ts';
import { createReceiveNotice, type RawNotice, type ReceiveNotice } from '../../../src/logout/receive-notice.ts';
import type { AdminAction } from '../../../src/oidc/verify-admin-action.ts';
import type { LogoutToken } from '../../../src/oidc/verify-logout-token.ts';
import { ConnectionRegistry, type Owner } from '../../../src/proxy/connection-registry.ts';
import { RequestHeaderPolicy } from '../../../src/proxy/request-headers.ts';
import { ResponseHeaderPolicy } from '../../../src/proxy/response-headers.ts';
import { SlicedQueue } from '../../../src/proxy/sliced-queue.ts';
import { UpstreamGroup } from '../../../src/proxy/upstream-group.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import type { SessionStore } from '../../../src/session/session-store.ts';
import type { ManualClock } from '../manual-clock.ts';
import { aRecord, aTokenSet, ISSUER } from '../session-records.ts';
import type { StopHere } from './distant-store.ts';
import { Turns } from './turns.ts';
import { WatchedClock } from './watched-clock.ts';
import { Network, SESSION_HEADER } from './wire.ts';
import { Witness } from './witness.ts';

export const SUB = 'ada';
export const SID = 'one';

const CLIENT_ID = 'wiki-gate';
const MINUTE = 60_000;

/** The store of a world, and what an outsider can see of it at any moment without waiting. */
export interface ExploredStore {
  readonly store: SessionStore;
  /** Whether a reader would find this id now. */
  finds(id: SessionId): boolean;
  /** Every record that is in it, found or not. */
  left(): readonly SessionRecord[];
}

/** What a gate is made of where it is not the real thing: nothing, unless something is to be taken out of it. */
export interface WorldParts {
  openStore(world: { clock: ManualClock; turns: Turns; stopHere: StopHere; estimateNow: () => number }): ExploredStore;
  /** Between the decision and the door. */
  seen?(decision: Decision): Decision;
  openRegistry?(closing: SlicedQueue): ConnectionRegistry;
}

const OWN_COOKIES = { sessionName: 'portcullis', lastUserName: 'portcullis-user', loginPrefix: 'portcullis-login-' };
const COOKIES = { ...OWN_COOKIES, secure: false, sameSite: 'lax', domain: undefined, callbackPath: '/_gate/callback' };
const ROUTES = compileRouteTable<GateRoute>([
  {
    name: 'app',
    unauthenticated: 'auto',
    websocket: { enabled: true, origins: [] },
    identityHeaders: ({ handle, id }) => [SESSION_HEADER, `${handle} ${id}`],
  },
]);
const RULES = {
  origins: new PublicOrigins([new URL('https://wiki.example.com')]),
  prefix: '/_gate',
  adminUrl: 'off' as const,
  limits: { callbackPath: COOKIES.callbackPath, headers: 100, headerBytes: 16_384, urlBytes: 8_192 },
  trustedProxies: new TrustedProxies([]),
  cookies: COOKIES as Snapshot['cookies'],
  forms: undefined,
  authorizationParams: () => ({}),
  acrFor: () => undefined,
  publicApp: () => {
    throw new Error('no request of an explored world is for the gate itself');
  },
};
const TRANSPORT = {
  requestHeaders: new RequestHeaderPolicy({
    identityNames: [SESSION_HEADER],
    ownCookies: OWN_COOKIES,
    upstreamHost: 'app.example.com',
    preserveHost: false,
  }),
  responseHeaders: () => RESPONSE_HEADERS,
  upstreamTarget: (target: string) => target,
  maxFormBytes: undefined,
  websocketIdleMs: 0,
  appLogout: undefined,
  jar: undefined,
};
const RESPONSE_HEADERS = new ResponseHeaderPolicy({ ownCookies: OWN_COOKIES, cache: 'private' });

/** A slice that real time cuts short would make another run of the same schedule, where the machine is slow. */
function inOneSlice(): SlicedQueue {
  return new SlicedQueue(() => 0);
}

export class World {
  readonly turns = new Turns();
  readonly clock = new WatchedClock(this.turns);
  readonly events: GateEvent[] = [];
  readonly witness: Witness;
  readonly registry: ConnectionRegistry;
  readonly explored: ExploredStore;
  readonly store: SessionStore;
  readonly network: Network;
  readonly ending: Ending;
  readonly freshness: Freshness;
  readonly admit: AdmitSignIn;
  readonly receiveNotice: ReceiveNotice;
  readonly receiveFrontchannelNotice: ReceiveFrontchannelNotice;
  /** Ada's session, which is there before anything happens. */
  session!: StoredSession;
  /** Her browser's cookie. */
  cookie!: SessionId;
  /** What follows from doubts about it, when its time has come. */
  #demandProof!: () => void;
  #begun!: SessionRecord;
  #isLive = false;
  /** How far this process's idea of the store's time has run ahead. */
  #aheadMs = 0;
  #notices = 0;

  constructor(parts: WorldParts) {
    const { clock, turns } = this;
    this.registry = parts.openRegistry?.(inOneSlice()) ?? new ConnectionRegistry(undefined, inOneSlice());
    this.explored = parts.openStore({
      clock,
      turns,
      stopHere: (ended) => this.ending.follow(ended),
      estimateNow: () => {
        turns.reads('doubts');
        return clock.now() + this.#aheadMs;
      },
    });
    this.store = this.explored.store;
    this.witness = new Witness(this);
    const { store } = this;
    const emit = (event: GateEvent) => this.events.push(event);
    this.ending = createEndSessions<Owner>({
      store,
      registry: {
        stop: (key) => {
          turns.changes('connections', key);
          return this.registry.stop(key);
        },
        close: (owners) => this.#closeLater(owners),
      },
      clock,
      emit,
      forget: (session) => {
        turns.changes('proofs');
        this.freshness.forget(session);
      },
    });
    const { endSessions } = this.ending;
    this.freshness = createFreshness({
      refreshTokens: async ({ claims }) => {
        turns.changes('proofs');
        await turns.wait('the provider answers the refresh');
        turns.changes('proofs');
        return { claims, tokens: aTokenSet({ accessExpiresAt: clock.now() + 5 * MINUTE }) };
      },
      probeSession: async () => {
        turns.changes('proofs');
        await turns.wait('the provider answers the probe');
        turns.changes('proofs');
        return 'alive';
      },
      store: this.#noting(store),
      endSessions: (selector, cause) => this.#landing(endSessions(selector, cause)),
      clock,
      timers: clock,
      emit,
      isLive: (handle) => {
        turns.reads('liveness', handle);
        return this.registry.isLive(handle);
      },
      revalidateMs: 5 * MINUTE,
      idleTimeoutMs: 30 * MINUTE,
      absoluteTimeoutMs: 600 * MINUTE,
      random: () => 0.5,
    });
    this.admit = createAdmitSignIn({
      store,
      endSessions,
      clientId: CLIENT_ID,
      watch: (session) => {
        turns.reads('proofs');
        this.freshness.watch(session);
      },
      suspect: (session) => this.freshness.suspect(session),
    });
    this.receiveNotice = createReceiveNotice({
      verifyLogoutToken: async (jwt) => {
        await turns.wait('the keys are there');
        return JSON.parse(jwt) as LogoutToken;
      },
      verifyAdminAction: async (jwt) => {
        await turns.wait('the keys are there');
        return JSON.parse(jwt) as AdminAction;
      },
      suspectSiblings: (issuer, sub) => this.freshness.suspectSiblings(issuer, sub),
      endSessions,
      clock,
      emit,
    });
    this.receiveFrontchannelNotice = createReceiveFrontchannelNotice({
      issuer: ISSUER,
      store,
      endSessions,
      clock,
      emit,
    });
    this.network = this.#openNetwork(parts, emit);
  }

  /** `due`: her access token is over, so that the next request waits for a refresh. */
  async begin(session: 'fresh' | 'due'): Promise<void> {
    const now = await this.store.now();
    const ageMs = session === 'due' ? 5 * MINUTE : 0;
    const record = aRecord(now, {
      sub: SUB,
      sid: SID,
      user: SUB,
      tokens: aTokenSet({ accessExpiresAt: this.clock.now() - ageMs + 5 * MINUTE }),
      provenAt: now - ageMs,
    });
    const created = await this.store.create(record);
    if (created === 'ended') throw new Error('nothing has ended yet');
    this.session = created;
    this.cookie = record.id;
    this.witness.existed(record);
    this.#begun = record;
    this.#demandProof = this.clock.catchTimers(() => this.freshness.suspect(created))[0]!;
  }

  /** A logout token, as the receiver of this world believes it. */
  logoutToken(says: Partial<LogoutToken>): RawNotice {
    const issuedAtSeconds = Math.floor(this.clock.now() / 1000);
    const token = { issuer: ISSUER, jti: `notice-${++this.#notices}`, issuedAtSeconds, ...says };
    const body = new URLSearchParams({ logout_token: JSON.stringify(token) });
    return {
      kind: 'backchannel',
      contentType: 'application/x-www-form-urlencoded',
      body: Buffer.from(body.toString()),
    };
  }

  /** Keycloak's "Sign out all active sessions". */
  clientLogout(): RawNotice {
    const nowSeconds = Math.floor(this.clock.now() / 1000);
    const action: AdminAction = {
      issuer: ISSUER,
      clientId: CLIENT_ID,
      id: `notice-${++this.#notices}`,
      expiresAtSeconds: nowSeconds + 60,
      notBeforeSeconds: nowSeconds,
      adapterSessionIds: undefined,
      keycloakSessionIds: undefined,
    };
    return { kind: 'k_logout', contentType: 'text/plain', body: Buffer.from(JSON.stringify(action)) };
  }

  /** What the provider says at the end of a sign-in. */
  signedIn() {
    return {
      issuer: ISSUER,
      sub: SUB,
      sid: SID,
      claims: { preferred_username: SUB },
      tokens: aTokenSet({ accessExpiresAt: this.clock.now() + 5 * MINUTE }),
      idTokenIssuedAtSeconds: Math.floor(this.clock.now() / 1000),
      probe: 'introspect' as const,
    };
  }

  /** Somebody has doubts whether the session lives: a moment later than everything so far, by this process's clock. */
  doubt(): void {
    this.turns.changes('proofs');
    this.turns.changes('doubts');
    this.#aheadMs++;
    this.#demandProof();
  }

  /** Call it after every step: whether there are live connections is a thing that steps have in common. */
  noteLiveness(): void {
    const { handle } = this.#begun;
    const isLive = this.registry.isLive(handle);
    if (isLive !== this.#isLive) this.turns.changes('liveness', handle);
    this.#isLive = isLive;
  }

  close(): void {
    this.turns.open();
    this.freshness.stop();
    this.network.close();
  }

  async #closeLater(owners: readonly Owner[]): Promise<void> {
    await this.turns.waitBehind('the connections are closed');
    for (const { key } of owners) this.turns.changes('connections', key);
    await this.registry.close(owners);
  }

  /** The store as freshness knows it: what it hears may be the end of a proof. */
  #noting(store: SessionStore): SessionStore {
    return new Proxy(store, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => this.#landing(member.apply(target, args));
      },
    });
  }

  #landing<T>(answer: T): T {
    if (!(answer instanceof Promise)) return answer;
    return answer.then((settled) => {
      this.turns.changes('proofs');
      return settled;
    }) as T;
  }

  #openNetwork(parts: WorldParts, emit: (event: GateEvent) => void): Network {
    const { turns, store, freshness, registry } = this;
    const noteActivity = (session: StoredSession) => freshness.active(session);
    const decide = createDecide({
      routes: ROUTES,
      identify: createIdentify({
        store,
        freshness: {
          ...freshness,
          ensure: (session) => {
            turns.reads('proofs');
            return freshness.ensure(session);
          },
        },
      }),
      identifyBearer: () => ({ refused: 'no route of an explored world takes tokens' }),
      noteActivity,
      identity: createSessionIdentity(this.clock),
    });
    // A promise settles some microtasks before the door goes on: here that lasts as long as the schedule wants.
    const decideAndWait = async (facts: RequestFacts): Promise<Decision> => {
      const decision = await decide(facts);
      await turns.wait('the door hears the decision');
      return parts.seen?.(decision) ?? decision;
    };
    const doorParts: DoorParts = {
      snapshot: () => snapshot,
      registry,
      noteActivity,
      endSessions: this.ending.endSessions,
      countRequest: () => {},
      emit,
      ownWork: inOneSlice(),
      formIntake: new FormIntake(),
      pending: { count: 0 },
    };
    const network = new Network({
      turns,
      observer: this.witness,
      doors: { request: openDoor(doorParts), upgrade: openUpgradeDoor(doorParts) },
    });
    const transport = {
      ...TRANSPORT,
      upstreams: new UpstreamGroup([network.upstream as never], 'round_robin'),
      preserveHost: false,
    };
    const snapshot: Snapshot = {
      ...RULES,
      decide: decideAndWait,
      // Nobody comes with a bearer token here.
      decideAgain: createDecideAgain({ routes: ROUTES, isMeantForUs: () => false }),
      transport: () => transport,
    };
    return network;
  }
}

// What real Keycloaks sent, byte for byte with its headers, against the doors that receive it (security catalogue BCL-24;
// design: triggers). The clock stands at the instant of the recording, for what Keycloak signs expires within two minutes.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import Koa from 'koa';
import type { Emit } from '../../src/base/events.ts';
import { frontchannelLogout } from '../../src/http/endpoints/frontchannel-logout.ts';
import { noticeEndpoint } from '../../src/http/endpoints/notice.ts';
import type { GateContext } from '../../src/http/gate-context.ts';
import type { EndSessions } from '../../src/logout/end-sessions.ts';
import { createReceiveFrontchannelNotice } from '../../src/logout/receive-frontchannel-notice.ts';
import { createReceiveNotice, type PostedNoticeKind } from '../../src/logout/receive-notice.ts';
import type { Provider } from '../../src/oidc/provider.ts';
import { verifyAdminAction } from '../../src/oidc/verify-admin-action.ts';
import { verifyLogoutToken } from '../../src/oidc/verify-logout-token.ts';
import { CURRENT_KEYCLOAK, OLDER_KEYCLOAKS } from '../keycloak/keycloak-distribution.ts';
import { rawExchange } from '../support/raw-exchange.ts';
import { type RecordedNotice, type Recording, recordings } from '../support/recorded-notices.ts';
import { SessionDesk } from '../support/session-desk.ts';
import { testProvider } from '../support/test-provider.ts';

/** The endpoints of the gate that Keycloak itself calls; a front-channel request is the browser's. */
const KINDS: Readonly<Record<string, PostedNoticeKind>> = {
  'backchannel-logout': 'backchannel',
  k_logout: 'k_logout',
  k_push_not_before: 'k_push_not_before',
  k_test_available: 'k_test_available',
};

const SESSIONS = ['the session', 'another of its user', 'one of another user', 'one of another realm'] as const;

type Ends = readonly (typeof SESSIONS)[number][];

const OF_THE_REALM: Ends = ['the session', 'another of its user', 'one of another user'];

/** What each notice ends, by what was done in Keycloak. All sessions are a minute old. */
const ENDS: Readonly<Record<string, Ends>> = {
  'an administrator signs one session out': ['the session'],
  'the user signs out at another application': ['the session'],
  'an administrator signs one session out, and notices name only the user': ['the session', 'another of its user'],
  'an administrator signs one session out, and notices speak of offline tokens': ['the session'],
  'an administrator tests the cluster nodes': [],
  'an administrator pushes a revocation that was never set': [],
  'an administrator pushes a revocation': OF_THE_REALM,
  'an administrator signs out all active sessions': OF_THE_REALM,
};

/** The gate of a recording's realm, at the recording's time, with a server that is told. */
class RecordedRealm extends SessionDesk {
  readonly #server: Server;
  readonly #provider: Provider;

  constructor(recording: Recording, { issuer, receivedAt, endpoint }: RecordedNotice) {
    super();
    this.clock.jumpWall(receivedAt - this.clock.now());
    const { provider } = testProvider(
      {
        issuer,
        clientId: recording.clientId,
        // Keycloak before 23 sends no exp.
        logoutToken: { requireExp: Number.parseInt(recording.version, 10) > 22, requireTyp: false, maxAgeSeconds: 300 },
        fetch: async (input) => Response.json(answerOf(recording, issuer, String(input))),
      },
      { clock: this.clock, timers: this.clock },
    );
    this.#provider = provider;
    const app = new Koa();
    app.use(this.#door(endpoint));
    this.#server = createServer(app.callback());
  }

  #door(endpoint: string): (ctx: Koa.Context) => Promise<void> {
    const provider = this.#provider;
    const { store, clock } = this;
    const endSessions: EndSessions = (selector, cause) => this.ending.endSessions(selector, cause);
    const emit: Emit = (event) => this.events.push(event);
    const kind = KINDS[endpoint];
    if (kind !== undefined) {
      const receive = createReceiveNotice({
        verifyLogoutToken: (jwt) => verifyLogoutToken(provider, jwt),
        verifyAdminAction: (jwt, expected) => verifyAdminAction(provider, jwt, expected),
        endSessions,
        clock,
        emit,
      });
      return noticeEndpoint(kind, receive);
    }
    const { issuer } = provider.options;
    const receiveFrontchannelNotice = createReceiveFrontchannelNotice({ issuer, store, endSessions, clock, emit });
    return (ctx) => {
      Object.assign(ctx.state, { provider, receiveFrontchannelNotice });
      return frontchannelLogout(ctx as unknown as GateContext);
    };
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  /** Sends the request as Keycloak did; returns the whole answer. */
  async replay({ method, target, headers, body }: RecordedNotice): Promise<string> {
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    const { port } = this.#server.address() as AddressInfo;
    return rawExchange(`127.0.0.1:${port}`, `${method} ${target} HTTP/1.1\r\n${lines}\r\n${body}`);
  }

  close(): void {
    this.#provider.stop();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

function answerOf({ keys }: Recording, issuer: string, url: string): unknown {
  const at = (endpoint: string) => `${issuer}/${endpoint}`;
  if (url === at('certs')) return keys[issuer];
  assert.equal(url, at('.well-known/openid-configuration'));
  return { issuer, authorization_endpoint: at('auth'), token_endpoint: at('token'), jwks_uri: at('certs') };
}

for (const recording of recordings()) {
  describe(`BCL-24 Keycloak ${recording.version}, ${recording.notices.length} requests as they came:`, () => {
    for (const notice of recording.notices) {
      describe(`${notice.endpoint}, ${notice.title}`, () => {
        let realm: RecordedRealm;

        before(async () => {
          realm = await new RecordedRealm(recording, notice).listen();
        });

        after(() => realm.close());

        test('is answered 200, and ends what it is about and nothing else', async () => {
          const { issuer, session, receivedAt } = notice;
          const idTokenIssuedAtSeconds = Math.floor(receivedAt / 1000) - 60;
          const ours = { issuer, clientId: recording.clientId, idTokenIssuedAtSeconds };
          const signedIn = [
            realm.signIn({ ...ours, ...session }),
            realm.signIn({ ...ours, ...session, sid: 'another' }),
            realm.signIn({ ...ours }),
            realm.signIn({ ...ours, ...session, issuer: `${issuer}-2` }),
          ];
          const answer = await realm.replay(notice);
          assert.match(answer, /^HTTP\/1\.1 200 /, JSON.stringify(realm.events));
          assert.deepEqual(
            SESSIONS.filter((_, at) => !realm.isAlive(signedIn[at]!)),
            ENDS[notice.title],
          );
        });

        // What a frame's address says is not signed, and does not grow old.
        if (notice.method !== 'POST') return;

        test('is refused ten minutes later', async () => {
          realm.clock.jumpWall(10 * 60_000);
          assert.match(await realm.replay(notice), /^HTTP\/1\.1 400 /);
        });
      });
    }
  });
}

test('every Keycloak of the suite has a recording, and each recording every kind of notice', () => {
  const endpoints = [...Object.keys(KINDS), 'frontchannel-logout'].sort();
  const found = recordings().map(({ version, notices }) => ({
    version,
    endpoints: [...new Set(notices.map(({ endpoint }) => endpoint))].sort(),
  }));
  assert.deepEqual(
    found,
    [CURRENT_KEYCLOAK, ...OLDER_KEYCLOAKS].map((version) => ({ version, endpoints })),
  );
});

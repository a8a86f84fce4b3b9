// A bearer token is over when its session is: whatever ends sessions ends its live connections and refuses it from then on,
// whether it was shown here before or not (design: what ends a session).

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import type { BrowserClient } from '../../support/browser-client.ts';
import { PATHS } from '../../support/embedded-provider.ts';
import { instant } from '../../support/instant.ts';
import { TestGate } from '../../support/test-gate.ts';

const routes = (upstream: string) => [
  { name: 'app', upstream },
  { name: 'api', path: '/api', upstream, auth: 'bearer', strip_prefix: true },
];

const now = () => Math.floor(Date.now() / 1000);
const START = now();

/** A program that holds one access token. */
class Program {
  readonly #gate: TestGate;
  readonly #client: BrowserClient;
  readonly token: string;

  constructor(gate: TestGate, claims: Record<string, unknown>) {
    this.#gate = gate;
    this.#client = gate.browser();
    this.token = gate.provider.accessToken(claims);
  }

  get headers(): Record<string, string> {
    return { Authorization: `Bearer ${this.token}` };
  }

  async status(): Promise<number> {
    return (await this.#client.request(this.#gate.url('/api/echo'), { mode: 'none', headers: this.headers })).status;
  }

  /** One of each kind of live connection, all moving. */
  async connect() {
    const { headers } = this;
    const stream = this.#client.download(this.#gate.url('/api/events'), { headers });
    const download = this.#client.download(this.#gate.url('/api/download'), { headers });
    const socket = this.#client.openWebSocket(this.#gate.url('/api/ws'), { origin: null, headers });
    await Promise.all([stream.moreBytes(), download.moreBytes(), socket.opened]);
    await socket.message('tickAt');
    return { stream, download, socket };
  }
}

type Live = Awaited<ReturnType<Program['connect']>>;

async function assertCut({ stream, download, socket }: Live, answeredAt: number): Promise<void> {
  const { code, reason } = await socket.closed;
  assert.deepEqual([code, reason], [1008, 'session ended']);
  assert.deepEqual(await Promise.all([stream.ended, download.ended]), ['cut', 'cut']);
  for (const live of [stream, download, socket]) {
    assert.deepEqual(
      live.ticks().filter((tickAt) => tickAt > answeredAt),
      [],
    );
  }
}

/** As Keycloak posts it to the Admin URL. */
async function postAction(gate: TestGate, path: string, action: string, claims: Record<string, unknown>) {
  const body = gate.provider.adminAction('gate', action, claims);
  const headers = { 'Content-Type': 'text/plain' };
  const response = await fetch(gate.url(`/_gate/${path}`), { method: 'POST', headers, body });
  assert.equal(response.status, 200, await response.text());
}

interface Trigger {
  readonly title: string;
  /** What the token of the program that ends says, and of the one that lives on. */
  readonly ends: Record<string, unknown>;
  readonly lives: Record<string, unknown>;
  readonly reason: string;
  end(gate: TestGate): Promise<unknown>;
}

const TRIGGERS: readonly Trigger[] = [
  {
    title: 'a logout token with its sid',
    ends: { sub: 'sub-1', sid: 'sid-1' },
    lives: { sub: 'sub-1', sid: 'sid-2' },
    reason: 'backchannel_logout',
    end: (gate) => gate.notify(gate.provider.logoutToken({ sub: 'sub-1', sid: 'sid-1' })),
  },
  {
    title: 'a logout token with its sid, where Keycloak calls it session_state',
    ends: { sub: 'sub-1', session_state: 'sid-3' },
    lives: { sub: 'sub-1', session_state: 'sid-4' },
    reason: 'backchannel_logout',
    end: (gate) => gate.notify(gate.provider.logoutToken({ sid: 'sid-3' })),
  },
  {
    title: 'a logout token with its sub alone',
    ends: { sub: 'sub-2', sid: 'sid-5' },
    lives: { sub: 'sub-3', sid: 'sid-6' },
    reason: 'backchannel_logout',
    end: (gate) => gate.notify(gate.provider.logoutToken({ sub: 'sub-2' })),
  },
  {
    title: "Keycloak's revocation push, issued before its not-before",
    ends: { sub: 'sub-14', iat: START - 60 },
    lives: { sub: 'sub-15', iat: START - 20 },
    reason: 'not_before',
    end: (gate) => postAction(gate, 'k_push_not_before', 'PUSH_NOT_BEFORE', { notBefore: START - 40 }),
  },
  {
    title: 'an operator, by its user',
    ends: { sub: 'sub-4', preferred_username: 'dora' },
    lives: { sub: 'sub-5', preferred_username: 'emil' },
    reason: 'operator',
    end: (gate) => gate.admin('DELETE', '/api/sessions?user=dora'),
  },
  {
    title: 'an operator, by its sub',
    ends: { sub: 'sub-6' },
    lives: { sub: 'sub-7' },
    reason: 'operator',
    end: (gate) => gate.admin('DELETE', '/api/sessions?sub=sub-6'),
  },
  {
    title: 'an operator, by its handle',
    ends: { sub: 'sub-8', sid: 'sid-8', jti: 'one' },
    lives: { sub: 'sub-8', sid: 'sid-8', jti: 'two' },
    reason: 'operator',
    end: async (gate) => {
      const { body } = await gate.admin('GET', '/api/sessions?sub=sub-8');
      // Newest last: the one that ends was shown first.
      const [{ handle }] = body['sessions'] as [{ handle: string }];
      return gate.admin('DELETE', `/api/sessions/${handle}`);
    },
  },
];

describe('the end of a bearer token', () => {
  let gate: TestGate;
  before(async () => {
    gate = await TestGate.start({ config: { routes } });
  });
  after(() => gate.close());

  for (const { title, ends, lives, reason, end } of TRIGGERS) {
    test(`${title}: cuts what is live, refuses the token from then on, and touches no other`, async () => {
      const [one, unseen, other] = [
        new Program(gate, ends),
        new Program(gate, { ...ends, jti: 'unseen' }),
        new Program(gate, lives),
      ];
      const live = await one.connect();
      const others = await other.connect();
      await end(gate);
      const answeredAt = instant();
      await assertCut(live, answeredAt);
      assert.deepEqual([await one.status(), await one.status()], [401, 401]);
      const isOneTokenOnly = title.endsWith('handle');
      assert.equal(await unseen.status(), isOneTokenOnly ? 200 : 401, 'a token that was never shown before');
      await Promise.all([others.stream.moreBytes(), others.download.moreBytes()]);
      assert.equal(await other.status(), 200);
      const handle = (await gate.event('bearer.accepted', { sub: ends['sub'] }))['session'];
      const ended = await gate.event('session.ended', { session: handle });
      assert.deepEqual([ended['reason'], ended['requests'], ended['streams'], ended['websockets']], [reason, 1, 1, 1]);
      for (const connection of Object.values(others)) connection.abort();
    });
  }

  test('a request that waits for its answer when the end comes gets the 401 of a token', async () => {
    const program = new Program(gate, { sid: 'sid-9' });
    const waiting = gate.browser().download(gate.url('/api/slow'), { headers: program.headers });
    while (gate.app.seen('/slow').length === 0) await new Promise((resolve) => setImmediate(resolve));
    await gate.notify(gate.provider.logoutToken({ sid: 'sid-9' }));
    const { status, headers } = await waiting.head;
    assert.equal(status, 401);
    assert.equal(headers['www-authenticate'], 'Bearer realm="portcullis", error="invalid_token"');
  });

  test('a notice refuses tokens up to its own second, and by a sub alone none of a later one', async () => {
    const at = now();
    assert.equal(await gate.notify(gate.provider.logoutToken({ sub: 'sub-10', iat: at - 10, exp: at + 60 })), 200);
    // Issued before the notice arrived, says its provider's clock as well as ours.
    assert.equal(await new Program(gate, { sub: 'sub-10', iat: at - 11 }).status(), 401);
    assert.equal(await new Program(gate, { sub: 'sub-10', iat: at - 10 }).status(), 401);
    assert.equal(await new Program(gate, { sub: 'sub-10', iat: now() + 2 }).status(), 200, 'of a new sign-in');
  });

  test('a token that Keycloak issued for a session that it was just ending is refused', async () => {
    await gate.notify(gate.provider.logoutToken({ sid: 'sid-11', sub: 'sub-11' }));
    const late = new Program(gate, { sub: 'sub-11', sid: 'sid-11', iat: now() + 3 });
    assert.equal(await late.status(), 401);
    assert.equal(await new Program(gate, { sub: 'sub-11', sid: 'sid-12', iat: now() }).status(), 200);
  });

  test('a token whose user is ended while its key is being fetched does not come in', async () => {
    gate.provider.rotateKeys();
    const program = new Program(gate, { sub: 'sub-12' });
    const hold = gate.provider.hold(PATHS.jwks, 'answer');
    const seen = gate.app.exchanges.length;
    const shown = program.status();
    await hold.arrived;
    assert.equal((await gate.admin('DELETE', '/api/sessions?sub=sub-12')).status, 200);
    hold.release();
    assert.equal(await shown, 401);
    assert.equal(gate.app.exchanges.length, seen);
  });

  test('its cookie session and its bearer tokens end by one notice', async () => {
    const alice = await gate.signedIn('alice');
    const { sid } = await gate.event('login.succeeded', { user: 'alice' });
    const program = new Program(gate, { sub: 'sub-alice', sid });
    assert.equal(await program.status(), 200);
    await gate.provider.endSessions('alice');
    assert.equal(await program.status(), 401);
    assert.equal((await alice.request(gate.url('/echo'))).status, 401);
  });

  test('a token is listed with the sessions, marked, until its own expiry', async () => {
    const exp = now() + 120;
    const program = new Program(gate, { sub: 'sub-13', sid: 'sid-13', exp });
    await program.connect();
    const { body } = await gate.admin('GET', '/api/sessions?sub=sub-13');
    const [listed] = body['sessions'] as [Record<string, unknown>];
    assert.equal(listed['kind'], 'bearer');
    assert.equal(listed['expires_at'], new Date(exp * 1000).toISOString());
    assert.deepEqual(listed['connections'], { requests: 1, streams: 1, websockets: 1 });
    assert.ok(!JSON.stringify(body).includes(program.token.split('.')[2]!));
    await gate.signedIn('bob');
    const cookies = await gate.admin('GET', '/api/sessions?user=bob');
    assert.equal((cookies.body['sessions'] as [{ kind: string }])[0].kind, 'sign_in');
  });
});

describe('the end of all bearer tokens', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  test('"sign out all active sessions" ends every token, and one of a later second comes in', async () => {
    gate = await TestGate.start({ config: { routes } });
    const [one, unseen] = [new Program(gate, { sub: 'sub-16' }), new Program(gate, { sub: 'sub-17' })];
    const live = await one.connect();
    await postAction(gate, 'k_logout', 'LOGOUT', { notBefore: now() });
    await assertCut(live, instant());
    assert.deepEqual([await one.status(), await unseen.status()], [401, 401]);
    assert.equal(await new Program(gate, { sub: 'sub-16', iat: now() + 2 }).status(), 200);
  });
});

describe('the expiry of a bearer token', () => {
  let gate: TestGate;
  afterEach(() => gate.close());

  test('cuts its live connections, without an idle timeout before, and leaves nothing behind', async () => {
    gate = await TestGate.start({ config: { routes, session: { idle_timeout: '1s' } } });
    const program = new Program(gate, { exp: now() + 4 });
    const live = await program.connect();
    live.download.abort();
    const { code } = await live.socket.closed;
    assert.equal(code, 1008);
    assert.equal(await live.stream.ended, 'cut');
    const ended = await gate.event('session.ended');
    assert.equal(ended['reason'], 'absolute_timeout');
    assert.equal(await program.status(), 401);
    await gate.event('request.failed', { code: 'invalid_token' });
    assert.deepEqual((await gate.admin('GET', '/api/sessions')).body['sessions'], []);
  });

  test('a token that was issued longer ago than sessions may live is refused, however long it says it lives', async () => {
    gate = await TestGate.start({ config: { routes, session: { idle_timeout: '10m', absolute_timeout: '10m' } } });
    assert.equal(await new Program(gate, { iat: now() - 601, exp: now() + 3600 }).status(), 401);
    assert.equal(await new Program(gate, { iat: now() - 500, exp: now() + 3600 }).status(), 200);
  });
});

// How often a token is verified, and what may happen while it is (RFC 6750; design: never undone).

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayError } from '../../../src/base/gateway-error.ts';
import { bearerSessionHandle, bearerSessionId, parseSessionId } from '../../../src/base/ids.ts';
import { createIdentifyBearer, type RefusedToken } from '../../../src/gate/identify-bearer.ts';
import type { AccessToken } from '../../../src/oidc/verify-access-token.ts';
import type { StoredSession } from '../../../src/session/session-record.ts';
import { FreshnessDesk, MINUTE, providerDown, SECOND } from '../../support/freshness-desk.ts';
import { settled } from '../../support/manual-clock.ts';
import { ISSUER } from '../../support/session-records.ts';

const TOKEN = 'header.payload.signature';
const BEARER = { clientAddress: '192.0.2.1', userAgent: () => 'a program' };

/** The gate's side of bearer tokens, with the verification in the test's hands. */
class BearerDesk extends FreshnessDesk {
  readonly verified: string[] = [];
  /** What verification comes to; a test puts its own in the place of this. */
  onVerify: (token: string) => Promise<AccessToken> = async () => this.accessToken();
  readonly identify = createIdentifyBearer({
    store: this.store,
    freshness: this.freshness,
    clock: this.clock,
    emit: (event) => this.events.push(event),
    verifyAccessToken: (token) => {
      this.verified.push(token);
      return this.onVerify(token);
    },
    addresseeTrouble: () => undefined,
    issuer: ISSUER,
    clientId: 'wiki-gate',
    clockToleranceMs: 30 * SECOND,
    absoluteTimeoutMs: 600 * MINUTE,
  });

  accessToken(overrides: Partial<AccessToken> = {}): AccessToken {
    const now = Math.floor(this.clock.now() / 1000);
    const claims = { preferred_username: 'ada' };
    return { claims, sub: 'a', sid: 'one', issuedAtSeconds: now, expiresAtSeconds: now + 300, ...overrides };
  }

  async show(token = TOKEN): Promise<StoredSession | RefusedToken> {
    return this.identify(token, BEARER);
  }

  async session(token = TOKEN): Promise<StoredSession> {
    const shown = await this.show(token);
    assert.ok(!('refused' in shown), 'refused' in shown ? shown.refused : '');
    return shown;
  }

  async refusal(token = TOKEN): Promise<string> {
    const shown = await this.show(token);
    assert.ok('refused' in shown, 'the token came in');
    return shown.refused;
  }
}

describe('a bearer token', () => {
  it('is verified once, however often and however soon it is shown', async () => {
    const desk = new BearerDesk();
    const first = await Promise.all(Array.from({ length: 1_000 }, () => desk.session()));
    for (let n = 0; n < 1_000; n++) assert.equal(await desk.session(), first[0]);
    assert.equal(new Set(first).size, 1);
    assert.equal(desk.verified.length, 1);
    assert.equal(desk.store.size(), 1);
    assert.equal(desk.events.filter(({ event }) => event === 'bearer.accepted').length, 1);
  });

  it('that is known is identified without waiting', async () => {
    const desk = new BearerDesk();
    const session = await desk.session();
    assert.equal(desk.identify(TOKEN, BEARER), session);
  });

  it('with another signature is verified itself: its first two parts vouch for nothing', async () => {
    const desk = new BearerDesk();
    await desk.session();
    desk.onVerify = async () => {
      throw new GatewayError('token_refused', { status: 401, message: 'its signature does not hold' });
    };
    for (const forged of ['header.payload.signaturf', 'header.payload.x', 'header.payload.']) {
      assert.match(await desk.refusal(forged), /signature does not hold/);
    }
    assert.equal(desk.verified.length, 4);
    assert.equal((await desk.session()).ended, false);
  });

  it('in the other form of its signature is the same session, and no way round its end', async () => {
    const desk = new BearerDesk();
    const session = await desk.session();
    assert.equal(await desk.session('header.payload.other-form'), session);
    await desk.ending.endSessions({ by: 'handle', handle: session.record.handle }, { reason: 'operator' });
    assert.match(await desk.refusal('header.payload.other-form'), /was ended/);
    assert.match(await desk.refusal(), /was ended/);
  });

  it('that has not three parts is refused before anything is looked at', async () => {
    const desk = new BearerDesk();
    for (const text of ['', '.', '..', '...', 'a', 'a.b', 'a..c', '.b.c', 'a.b.c.d', 'a.b.c.d.e']) {
      assert.match(await desk.refusal(text), /three parts/);
    }
    assert.deepEqual(desk.verified, []);
  });

  for (const by of ['sid', 'sub', 'user', 'handle', 'all'] as const) {
    it(`whose session is ended by ${by} while it is being verified does not come in`, async () => {
      const desk = new BearerDesk();
      const verification = Promise.withResolvers<AccessToken>();
      desk.onVerify = () => verification.promise;
      const shown = desk.refusal();
      const accessToken = desk.accessToken();
      await settled();
      const handle = bearerSessionHandle(bearerSessionId(TOKEN)!);
      const selectors = {
        sid: { by: 'sid', issuer: ISSUER, sid: 'one' },
        sub: { by: 'sub', issuer: ISSUER, sub: 'a' },
        user: { by: 'user', user: 'ada' },
        handle: { by: 'handle', handle },
        all: { by: 'all' },
      } as const;
      await desk.ending.endSessions(selectors[by], { reason: 'operator' });
      verification.resolve(accessToken);
      assert.match(await shown, /was ended/);
      assert.equal(desk.store.size(), 0);
    });
  }

  it('that the provider cannot be asked about is a failure for everybody who waits, and is tried again', async () => {
    const desk = new BearerDesk();
    desk.onVerify = async () => {
      await settled();
      throw providerDown();
    };
    const waiting = [desk.show(), desk.show()];
    for (const shown of waiting) await assert.rejects(shown, { code: 'provider_unavailable' });
    desk.onVerify = async () => desk.accessToken();
    assert.equal((await desk.session()).ended, false);
  });
});

describe('the life of a bearer token', () => {
  it('ends with the token, its connections too, whatever the idle timeout and the wall clock do', async () => {
    const desk = new BearerDesk({ idleTimeoutMs: MINUTE });
    const session = await desk.session();
    desk.registry.connect(session, { streams: 1 });
    desk.clock.jumpWall(-60 * MINUTE);
    await desk.clock.pass(5 * MINUTE - SECOND, 30 * SECOND);
    assert.equal(session.ended, false);
    await desk.clock.pass(SECOND);
    assert.equal(session.ended, true);
    desk.registry.finishClosing();
    await settled();
    const [ended] = desk.ended();
    assert.deepEqual([ended!.reason, ended!.streams], ['absolute_timeout', 1]);
    assert.equal(desk.store.size(), 0);
    assert.notEqual(desk.store.create(session.record), 'ended', 'its expiry needs no memory of the end');
  });

  it('asks the provider nothing: there is nothing to refresh or to introspect', async () => {
    const desk = new BearerDesk({ revalidateMs: MINUTE });
    const session = await desk.session();
    desk.freshness.suspect(session);
    for (let n = 0; n < 9; n++) {
      await desk.clock.pass(30 * SECOND);
      await desk.session();
    }
    assert.deepEqual(desk.asked, []);
  });

  it('counts from the issue of the token: one older than sessions may live is refused', async () => {
    const desk = new BearerDesk();
    const now = Math.floor(desk.clock.now() / 1000);
    desk.onVerify = async () => desk.accessToken({ issuedAtSeconds: now - 35_970, expiresAtSeconds: now + 300 });
    assert.match(await desk.refusal(), /older than session\.absolute_timeout/);
    desk.onVerify = async () => desk.accessToken({ issuedAtSeconds: now - 35_969, expiresAtSeconds: now + 300 });
    const session = await desk.session();
    await desk.clock.pass(SECOND);
    assert.equal(session.ended, true);
  });

  it('is no younger for a provider whose clock is ahead', async () => {
    const desk = new BearerDesk();
    const accessToken = desk.accessToken();
    await desk.clock.pass(MINUTE);
    await desk.ending.endSessions({ by: 'user', user: 'ada' }, { reason: 'operator' });
    const issuedAtSeconds = accessToken.issuedAtSeconds + 60 + 29;
    desk.onVerify = async () => ({ ...accessToken, issuedAtSeconds });
    assert.match(await desk.refusal(), /was ended/);
    desk.onVerify = async () => ({ ...accessToken, issuedAtSeconds, sub: 'b', claims: {} });
    const other = await desk.session('of.somebody.else');
    assert.equal(other.record.createdAt, desk.store.estimateNow());
  });

  it('is no younger for a machine that slept: its wall clock went on, its monotonic one did not', async () => {
    const desk = new BearerDesk();
    desk.clock.jumpWall(60 * MINUTE);
    const accessToken = desk.accessToken();
    await desk.clock.pass(MINUTE);
    await desk.ending.endSessions({ by: 'user', user: 'ada' }, { reason: 'operator' });
    desk.onVerify = async () => accessToken;
    assert.match(await desk.refusal(), /was ended/);
  });
});

describe('the names of a bearer token', () => {
  it('are no cookie value, and the handle is not the id', () => {
    const id = bearerSessionId(TOKEN)!;
    assert.equal(parseSessionId(id), undefined);
    assert.match(bearerSessionHandle(id), /^b_[A-Za-z0-9_-]{22}$/);
    assert.ok(!id.includes(bearerSessionHandle(id).slice(2)));
  });

  it('differ for tokens of which one continues the other', () => {
    const ids = ['a.b.c', 'a.bc.d', 'ab.c.d', 'a.b.cd'].map(bearerSessionId);
    assert.equal(ids[0], ids[3]);
    assert.equal(new Set(ids).size, 3);
  });
});

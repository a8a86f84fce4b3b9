// Logout notices against the gate's doors, by the rows of the security catalogue 4.8 (BCL-01 to BCL-20, BCL-23; floods and
// the shared store have tests of their own, as have races in test/integration/spine). Every refusal looks like every other one.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { Answer, BrowserClient } from '../support/browser-client.ts';
import { CLIENT_ID } from '../support/fake-provider.ts';
import { ForgedGate } from '../support/forged-gate.ts';
import {
  GENUINE,
  OTHER_PUBLISHED_KEYS,
  REFUSED_BY_THEIR_SIGNATURE,
  REFUSED_BY_WHAT_THEY_SAY,
} from '../support/logout-token-attacks.ts';
import { newSigningKey } from '../support/signing-key.ts';

const FORM = 'application/x-www-form-urlencoded';
const REFUSAL = '{"error":"invalid_request","error_description":"The logout request was not carried out."}';

interface Posting {
  method?: string;
  contentType?: string;
  headers?: Record<string, string>;
  query?: string;
}

describe('a logout notice at the door', () => {
  let stage: ForgedGate;
  let alice: BrowserClient;
  let other: BrowserClient;

  before(async () => {
    stage = await ForgedGate.start();
    stage.fake.jwks.keys.push(...OTHER_PUBLISHED_KEYS);
    alice = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
    other = await stage.signedIn({ sub: 'other', sid: 'sid-of-other' });
  });

  after(() => stage.close());

  const post = (body: string | Buffer, { method = 'POST', contentType = FORM, headers, query = '' }: Posting = {}) =>
    stage.browser().request(`${stage.addresses.publicUrl}/_gate/backchannel-logout${query}`, {
      method,
      mode: 'none',
      headers: { ...(contentType !== '' && { 'Content-Type': contentType }), ...headers },
      ...(method !== 'GET' && method !== 'HEAD' && { body }),
    });
  const formOf = (token: string) => new URLSearchParams({ logout_token: token }).toString();
  const send = (token: string) => post(formOf(token));

  function assertAccepted(answer: Answer): void {
    assert.deepEqual([answer.status, answer.text], [200, '{"logged_out":true}']);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['set-cookie'], undefined);
  }

  async function assertRefused(answer: Answer): Promise<void> {
    assert.deepEqual([answer.status, answer.text], [400, REFUSAL]);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.equal(answer.headers['set-cookie'], undefined);
    assert.ok(await stage.isSignedIn(alice), 'the session');
  }

  describe('is refused, like every other that is refused, and touches no session:', () => {
    for (const [what, token] of [...REFUSED_BY_WHAT_THEY_SAY, ...REFUSED_BY_THEIR_SIGNATURE]) {
      test(what, async () => {
        await assertRefused(await send(token(stage.fake)));
        assert.equal(stage.fake.server.count('/evil'), 0);
      });
    }

    for (const [what, body, posting] of [
      ['the token twice', (token: string) => `${formOf(token)}&${formOf(token)}`, {}],
      [
        'the token as JSON',
        (token: string) => JSON.stringify({ logout_token: token }),
        { contentType: 'application/json' },
      ],
      ['the form as text', formOf, { contentType: 'text/plain' }],
      ['the form without a type', formOf, { contentType: '' }],
      [
        'the form in parts',
        (token: string) => `--b\r\nContent-Disposition: form-data; name="logout_token"\r\n\r\n${token}\r\n--b--\r\n`,
        { contentType: 'multipart/form-data; boundary=b' },
      ],
      ['an empty body', () => '', {}],
    ] as const) {
      test(`BCL-13 ${what}`, async () => {
        await assertRefused(await post(body(stage.fake.logoutToken()), posting));
      });
    }

    test('BCL-13 the token in the query and not in the body', async () => {
      await assertRefused(await post('', { query: `?${formOf(stage.fake.logoutToken())}` }));
    });
  });

  describe('is turned away before it is read:', () => {
    test('BCL-13 a compressed body', async () => {
      const answer = await post(gzipSync(formOf(stage.fake.logoutToken())), {
        headers: { 'Content-Encoding': 'gzip' },
      });
      assert.equal(answer.status, 415);
      assert.ok(await stage.isSignedIn(alice));
    });

    test('BCL-13 a body of 1 MiB', async () => {
      const answer = await post(`${formOf(stage.fake.logoutToken())}&x=${'x'.repeat(1024 * 1024)}`);
      assert.equal(answer.status, 413);
      assert.ok(await stage.isSignedIn(alice));
    });

    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
      test(`BCL-13 the method ${method}`, async () => {
        const answer = await post(formOf(stage.fake.logoutToken()), { method, query: `?${formOf('x')}` });
        assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST']);
        assert.equal(answer.headers['cache-control'], 'no-store');
        assert.ok(await stage.isSignedIn(alice));
      });
    }
  });

  describe('is carried out and answered 200 with a body that nobody may store:', () => {
    for (const [what, token] of GENUINE) {
      test(what, async () => {
        const ending = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
        assertAccepted(await send(token(stage.fake)));
        assert.deepEqual([await stage.isSignedIn(ending), await stage.isSignedIn(other)], [false, true]);
      });
    }

    for (const [what, contentType, more] of [
      ['with a charset', `${FORM};charset=UTF-8`, ''],
      ['with the charset of old Javas', `${FORM}; charset=ISO-8859-1`, ''],
      ['with other parameters', FORM, '&state=x&logout_token_hint=y'],
    ] as const) {
      test(`BCL-07 BCL-13 the form ${what}`, async () => {
        const ending = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
        assertAccepted(await post(`${formOf(stage.fake.logoutToken())}${more}`, { contentType }));
        assert.equal(await stage.isSignedIn(ending), false);
      });
    }

    test('BCL-01 about a session that nobody has, and about one that has ended already', async () => {
      const ending = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      for (const sid of ['never seen', 'sid-1', 'sid-1']) assertAccepted(await send(stage.fake.logoutToken({ sid })));
      assert.equal(await stage.isSignedIn(ending), false);
    });

    test('BCL-14 again with the same jti: answered like the first, and whoever has signed in since stays', async () => {
      const token = stage.fake.logoutToken();
      const before = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      assertAccepted(await send(token));
      const since = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      assertAccepted(await send(token));
      assert.deepEqual([await stage.isSignedIn(before), await stage.isSignedIn(since)], [false, true]);
    });

    test('BCL-14 again after it could not be carried out, because the key that signed it could not be had', async () => {
      const ending = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      const rotated = newSigningKey('RS256', 'rotated');
      const token = stage.fake.logoutToken({}, { header: { kid: 'rotated' }, signer: rotated });
      const restore = stage.fake.server.mutate('/jwks', () => ({ status: 503, headers: {}, body: '' }));
      assert.deepEqual([(await send(token)).text, await stage.isSignedIn(ending)], [REFUSAL, true]);
      restore();
      stage.fake.jwks.keys.push(rotated.publicJwk);
      assertAccepted(await send(token));
      assert.equal(await stage.isSignedIn(ending), false);
    });

    test('BCL-14 with the jti of another notice, about another session', async () => {
      const [one, two] = [
        await stage.signedIn({ sub: 'a', sid: 'one' }),
        await stage.signedIn({ sub: 'b', sid: 'two' }),
      ];
      assertAccepted(await send(stage.fake.logoutToken({ jti: 'same', sub: 'a', sid: 'one' })));
      assertAccepted(await send(stage.fake.logoutToken({ jti: 'same', sub: 'b', sid: 'two' })));
      assert.deepEqual([await stage.isSignedIn(one), await stage.isSignedIn(two)], [false, false]);
    });

    test('BCL-15 about a user alone and sent again: who signed in after it first came stays, in the same second too', async () => {
      const before = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      const token = stage.fake.logoutToken({ sid: undefined });
      assertAccepted(await send(token));
      const since = await stage.signedIn({ sub: 'alice', sid: 'sid-2' });
      assertAccepted(await send(token));
      assert.deepEqual([await stage.isSignedIn(before), await stage.isSignedIn(since)], [false, true]);
    });

    test('BCL-15 about a user alone, issued before a new sign-in and come after it: ends what existed when it came', async () => {
      const iat = Math.floor(Date.now() / 1000) - 5;
      const since = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      assertAccepted(await send(stage.fake.logoutToken({ sid: undefined, iat })));
      assert.equal(await stage.isSignedIn(since), false);
      assert.ok(await stage.isSignedIn(await stage.signedIn({ sub: 'alice', sid: 'sid-1' })), 'the next sign-in');
    });

    test('BCL-16 about a sid that three sessions have: all three, and nobody else', async () => {
      const three = [];
      for (let at = 0; at < 3; at++) three.push(await stage.signedIn({ sub: 'alice', sid: 'shared' }));
      const sibling = await stage.signedIn({ sub: 'alice', sid: 'another' });
      assertAccepted(await send(stage.fake.logoutToken({ sub: undefined, sid: 'shared' })));
      assert.deepEqual(await Promise.all(three.map((each) => stage.isSignedIn(each))), [false, false, false]);
      assert.deepEqual([await stage.isSignedIn(sibling), await stage.isSignedIn(other)], [true, true]);
    });

    test('BCL-16 about a user with five sessions of two sids, the older sid first: exactly what is left of them', async () => {
      const sids = ['older', 'older', 'newer', 'newer', 'newer'];
      const five: BrowserClient[] = [];
      for (const sid of sids) five.push(await stage.signedIn({ sub: 'many', sid }));
      const alive = () => Promise.all(five.map((each) => stage.isSignedIn(each)));
      assertAccepted(await send(stage.fake.logoutToken({ sub: 'many', sid: 'older' })));
      assert.deepEqual(await alive(), [false, false, true, true, true]);
      assertAccepted(await send(stage.fake.logoutToken({ sub: 'many', sid: undefined })));
      assert.deepEqual(await alive(), [false, false, false, false, false]);
      assert.ok(await stage.isSignedIn(other));
    });
  });

  test('BCL-10 is no credential: not as a bearer, not as a cookie, not as the hint of a logout', async () => {
    const token = stage.fake.logoutToken({ sub: 'other', sid: 'sid-of-other' });
    const ask = (path: string, headers: Record<string, string>) =>
      stage.browser().request(`${stage.addresses.publicUrl}${path}`, { headers });
    assert.equal((await ask('/echo', { Authorization: `Bearer ${token}` })).status, 401);
    assert.equal((await ask('/echo', { Cookie: `portcullis=${token}` })).status, 401);
    await ask(`/_gate/logout?id_token_hint=${token}`, {});
    assert.ok(await stage.isSignedIn(other));
  });

  describe('with keys that change or cannot be had:', () => {
    test('BCL-20 the key set is down, the key is at hand: carried out', async () => {
      const ending = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      const restore = stage.fake.server.mutate('/jwks', () => ({ status: 503, headers: {}, body: '' }));
      assertAccepted(await send(stage.fake.logoutToken()));
      restore();
      assert.equal(await stage.isSignedIn(ending), false);
    });

    test('BCL-20 a key that was published a moment ago: fetched, and carried out', async () => {
      const ending = await stage.signedIn({ sub: 'alice', sid: 'sid-1' });
      const fresh = newSigningKey('RS256', 'fresh');
      stage.fake.jwks.keys.push(fresh.publicJwk);
      assertAccepted(await send(stage.fake.logoutToken({}, { header: { kid: 'fresh' }, signer: fresh })));
      assert.equal(await stage.isSignedIn(ending), false);
    });
  });

  describe('is answered by the endpoint itself, whatever stands before it:', () => {
    const token = (sid: string) => formOf(stage.fake.logoutToken({ sub: undefined, sid }));

    test('BCL-23 no session, no origin check, no redirect to https or to sign-in on the public listener', async () => {
      const ending = await stage.signedIn({ sub: 'alice', sid: 'through the front' });
      const headers = {
        Origin: 'https://evil.example',
        Referer: 'https://evil.example/',
        'Sec-Fetch-Site': 'cross-site',
        'Sec-Fetch-Mode': 'navigate',
        Accept: 'text/html',
        'X-Forwarded-Proto': 'http',
        Cookie: 'portcullis=nobody',
      };
      assertAccepted(await post(token('through the front'), { headers }));
      assert.equal(await stage.isSignedIn(ending), false);
    });

    test('BCL-23 under any host name on the admin listener, without its token', async () => {
      const ending = await stage.signedIn({ sub: 'alice', sid: 'through the back' });
      const answer = await stage.browser().request(`${stage.addresses.adminUrl}/backchannel-logout`, {
        method: 'POST',
        mode: 'none',
        headers: { Host: 'gate.internal:9090', 'Content-Type': FORM },
        body: token('through the back'),
      });
      assertAccepted(answer);
      assert.equal(await stage.isSignedIn(ending), false);
    });
  });

  test('tells operators why and nobody else: no token, sub or sid of a refused notice is in the log', async () => {
    await send(stage.fake.logoutToken({ sid: 'secret-sid', aud: `${CLIENT_ID}-not` }));
    const refused = stage.gate.log.filter(({ event }) => event === 'notice.refused');
    assert.ok(refused.length > REFUSED_BY_WHAT_THEY_SAY.length);
    assert.ok(refused.every((line) => typeof line['why'] === 'string' && line['why'] !== ''));
    assert.doesNotMatch(stage.gate.written(), /secret-sid|eyJ[\w-]{10,}/);
  });
});

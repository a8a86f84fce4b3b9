// What becomes of sessions and notices while the store fails (security catalogue BCL-19 and SESS-08; design: receiving a
// logout token, decided cases).

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { BrowserClient } from '../support/browser-client.ts';
import { instant } from '../support/instant.ts';
import { type Gate, url } from './gate-pair.ts';
import type { RedisServer } from './redis-server.ts';
import { ServerPair } from './server-pair.ts';

/** How the store fails, and how it is well again. */
interface Fault {
  readonly name: string;
  begin(server: RedisServer): Promise<unknown>;
  end(server: RedisServer): Promise<unknown>;
}

const FAULTS: readonly Fault[] = [
  {
    name: 'down',
    begin: (server) => server.stop(),
    end: (server) => server.start(),
  },
  {
    name: 'slow',
    begin: async (server) => server.signal('SIGSTOP'),
    end: async (server) => server.signal('SIGCONT'),
  },
  {
    name: 'read-only',
    begin: (server) => server.command('CONFIG', 'SET', 'min-replicas-to-write', '1'),
    end: (server) => server.command('CONFIG', 'SET', 'min-replicas-to-write', '0'),
  },
];

describe('a store that fails', () => {
  let server: RedisServer;
  let pair: ServerPair;
  before(async () => {
    pair = await ServerPair.startWith({}, ['--appendonly', 'yes', '--appendfsync', 'always']);
    server = pair.server;
  });
  after(() => pair.close());

  /** The first gate's answer to an honest notice for everything that the user has, as it tells it itself. */
  async function notice(user: string): Promise<{ answer: unknown; tookMs: number }> {
    const { log } = pair.a.process;
    const [sentAt, written] = [instant(), log.length];
    await pair.provider.endSessions(user);
    const tookMs = instant() - sentAt;
    const line = log.slice(written).find(({ event }) => event === 'notice.accepted' || event === 'notice.refused');
    return { answer: line?.event, tookMs };
  }

  /** The first status that is not one of a lease that has still to lapse. */
  async function statusAfterLease(browser: BrowserClient, gate: Gate): Promise<number> {
    const until = instant() + 1_100;
    let status = 0;
    do status = (await browser.request(url(gate, '/echo'))).status;
    while (status === 200 && instant() < until);
    return status;
  }

  function endsTold(before: readonly number[]): string[] {
    return [pair.a, pair.b].flatMap((gate, i) =>
      gate.process.log
        .slice(before[i])
        .filter(({ event }) => event === 'session.ended')
        .map((line) => `${line['user']} ${line['reason']} by ${gate === pair.a ? 'a' : 'b'}`),
    );
  }

  async function recovered(browser: BrowserClient): Promise<void> {
    for (const gate of [pair.a, pair.b]) {
      while ((await browser.request(url(gate, '/echo'))).status !== 200) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  for (const fault of FAULTS) {
    test(`BCL-19: ${fault.name}: a notice is refused within 4 s, has stopped the session here all the same, and is applied when the store is well`, async () => {
      const alice = await pair.signedIn(pair.a, 'alice');
      const bob = await pair.signedIn(pair.a, 'bob');
      await pair.signedIn(pair.b, 'carol');
      const before = [pair.a, pair.b].map(({ process }) => process.log.length);
      assert.equal((await alice.request(url(pair.b, '/echo'))).status, 200);
      const here = alice.download(url(pair.a, '/events'));
      const there = alice.download(url(pair.b, '/events'));
      const bobs = bob.download(url(pair.a, '/events'));
      await Promise.all([here.moreBytes(), there.moreBytes(), bobs.moreBytes()]);
      await fault.begin(server);
      try {
        const { answer, tookMs } = await notice('alice');
        assert.equal(answer, 'notice.refused');
        assert.ok(tookMs < 4_000, `${tookMs} ms`);
        assert.equal((await notice('carol')).answer, 'notice.refused');
        assert.equal(await here.ended, 'cut');
        assert.notEqual((await alice.request(url(pair.a, '/echo'))).status, 200);
        assert.equal(await statusAfterLease(bob, pair.a), 503);
        assert.equal(await statusAfterLease(bob, pair.b), 503);
        assert.equal((await bob.request(url(pair.a, '/1k'))).status, 200, 'public paths go on');
        const metrics = await fetch(`${pair.a.addresses.adminUrl}/metrics`).then((answer) => answer.text());
        assert.match(metrics, /^portcullis_store_errors_total [1-9]/m);
        await bobs.moreBytes();
      } finally {
        await fault.end(server);
      }
      assert.equal(await there.ended, 'cut', 'the other gate hears of it when the store is well');
      await recovered(bob);
      for (const gate of [pair.a, pair.b]) assert.equal((await alice.request(url(gate, '/echo'))).status, 401);
      await bobs.moreBytes();
      // Whoever was told accounts for each session, for Carol's too, which the other gate held: once, and nobody else does.
      while (endsTold(before).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
      const expected = ['alice backchannel_logout by a', 'carol backchannel_logout by a'];
      assert.deepEqual(endsTold(before).sort(), expected);
    });
  }

  test('a store whose memory is full ends sessions, goes on with those that exist, and takes no new ones', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    const bob = await pair.signedIn(pair.a, 'bob');
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    try {
      assert.equal((await notice('alice')).answer, 'notice.accepted');
      assert.equal((await alice.request(url(pair.b, '/echo'))).status, 401);
      assert.equal((await bob.request(url(pair.b, '/echo'))).status, 200);
      const carol = pair.browser();
      const page = await carol.submit(await carol.navigate(url(pair.a, '/echo')), { username: 'carol' });
      assert.equal(page.status, 503);
      assert.equal((await carol.request(url(pair.a, '/echo'))).status, 401);
    } finally {
      await server.command('CONFIG', 'SET', 'maxmemory', '0');
    }
  });

  test('a store that was flushed: everybody signs in anew, what was ended stays so, and nothing fails', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    const bob = await pair.signedIn(pair.b, 'bob');
    const stream = bob.download(url(pair.b, '/events'));
    await stream.moreBytes();
    assert.equal((await notice('alice')).answer, 'notice.accepted');
    await server.command('FLUSHALL');
    assert.equal(await stream.ended, 'cut', 'nothing remembers that session any more');
    for (const gate of [pair.a, pair.b]) {
      for (const browser of [alice, bob]) assert.equal((await browser.request(url(gate, '/echo'))).status, 401);
    }
    const page = await bob.navigate(url(pair.b, '/echo'));
    assert.equal(page.status, 200);
    const keys = await server.command('KEYS', 'portcullis:{ends}:t:*');
    assert.match(keys, /^\*[1-9]/, 'every replica has written again what it remembers');
  });

  test('a password that was changed is a store that cannot be used, and the gate says which way', async () => {
    const bob = await pair.signedIn(pair.a, 'bob');
    await server.command('ACL', 'SETUSER', 'default', 'resetpass', '>another');
    await server.dropClients('another');
    const lost = await pair.a.process.event('store.lost', ({ why }) => /password/.test(String(why)));
    assert.match(String(lost?.['why']), /the server wants a password|user name or password is wrong/);
    assert.equal(await statusAfterLease(bob, pair.a), 503);
  });
});

// `session.secret` of two gates that share a store, changed while they run.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Gate, url } from './gate-pair.ts';
import { ServerPair } from './server-pair.ts';

const OLD = 'a session secret that only tests know';
const NEW = 'a newer session secret that only tests know';

describe('two gates whose session secret changes', () => {
  let pair: ServerPair;
  before(async () => {
    pair = await ServerPair.startWith();
  });
  after(() => pair.close());

  /** Each gate after the other, as they are told. */
  async function rotate(...secret: readonly string[]): Promise<void> {
    for (const { process, config } of [pair.a, pair.b] as readonly (Gate & { config: { session?: object } })[]) {
      const { log } = process;
      const before = log.length;
      await process.rewrite({ ...config, session: { ...config.session, secret } });
      const reloaded = () => log.slice(before).find(({ event }) => event === 'config.reloaded');
      while (reloaded() === undefined) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.deepEqual(reloaded()!['restart_needed'], []);
    }
  }

  test('sign nobody out while the former is in the list, and then those whom only that knew, without an error', async () => {
    const alice = await pair.signedIn(pair.a, 'alice');
    const statuses = async (browser: typeof alice): Promise<number[]> => {
      const answers = [await browser.request(url(pair.a, '/echo')), await browser.request(url(pair.b, '/echo'))];
      // A connection that is left alone for as long as this takes may be closed by the gate.
      browser.close();
      return answers.map(({ status }) => status);
    };
    alice.close();
    await rotate(OLD, NEW);
    await rotate(NEW, OLD);
    const bob = await pair.signedIn(pair.a, 'bob');
    bob.close();
    assert.deepEqual(
      [await statuses(alice), await statuses(bob)],
      [
        [200, 200],
        [200, 200],
      ],
    );
    await rotate(NEW);
    await pair.server.dropClients();
    for (const { process } of [pair.a, pair.b]) {
      const ready = () => process.log.filter(({ event }) => event === 'store.ready').length;
      while (ready() < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal((await pair.a.process.event('store.lost'))?.['why'], 'the connection was broken off');
    assert.deepEqual(
      await statuses(alice),
      [401, 401],
      'what was remembered is asked for again, and nobody can read it',
    );
    assert.deepEqual(await statuses(bob), [200, 200]);
    assert.equal((await (await pair.signedIn(pair.b, 'carol')).request(url(pair.a, '/echo'))).status, 200);
  });
});

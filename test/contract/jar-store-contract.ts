// What every store of jars does. A store for replicas brings its own sessions: `desk` makes one and ends one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JarStore } from '../../src/session/jar-store.ts';
import type { StoredSession } from '../../src/session/session-record.ts';

export interface JarDesk {
  readonly jars: JarStore;
  signIn(): Promise<StoredSession>;
  end(session: StoredSession): Promise<void>;
  /** A new sign-in over the same SSO session gives it another id. */
  signInAgain(session: StoredSession): Promise<StoredSession>;
}

const changes = (...entries: [string, string | undefined][]) => new Map(entries);

export function jarStoreContract(name: string, open: () => Promise<JarDesk>): void {
  describe(`${name} as a store of jars`, () => {
    it('gives back what was put, by session and by jar, and nothing of another', async () => {
      const { jars, signIn } = await open();
      const [one, other] = [await signIn(), await signIn()];
      await jars.write(one, 'wiki', changes(['/ a', 'a=1'], ['/ b', 'b=1']));
      await jars.write(one, 'blog', changes(['/ a', 'a=2']));
      assert.deepEqual([...(await jars.read(one, 'wiki'))].sort(), ['a=1', 'b=1']);
      assert.deepEqual(await jars.read(one, 'blog'), ['a=2']);
      assert.deepEqual(await jars.read(other, 'wiki'), []);
      assert.deepEqual(await jars.read(one, 'shop'), []);
    });

    it('changes one cookie and leaves the others, whoever writes at the same time', async () => {
      const { jars, signIn } = await open();
      const session = await signIn();
      await jars.write(session, 'wiki', changes(['/ a', 'a=1'], ['/ b', 'b=1']));
      await Promise.all([
        jars.write(session, 'wiki', changes(['/ a', 'a=2'])),
        jars.write(session, 'wiki', changes(['/ b', undefined], ['/ c', 'c=1'])),
        jars.write(session, 'wiki', changes(['/ d', 'd=1'])),
      ]);
      assert.deepEqual([...(await jars.read(session, 'wiki'))].sort(), ['a=2', 'c=1', 'd=1']);
      await jars.write(session, 'wiki', changes(['/ a', undefined], ['/ c', undefined], ['/ d', undefined]));
      assert.deepEqual(await jars.read(session, 'wiki'), []);
    });

    it('keeps the jars of a session that a new sign-in has given another id', async () => {
      const { jars, signIn, signInAgain } = await open();
      const session = await signIn();
      await jars.write(session, 'wiki', changes(['/ a', 'a=1']));
      assert.deepEqual(await jars.read(await signInAgain(session), 'wiki'), ['a=1']);
    });

    it('hands the jars of a session that has ended out once, finds nothing in it any more and keeps nothing for it', async () => {
      const { jars, signIn, end } = await open();
      const session = await signIn();
      await jars.write(session, 'wiki', changes(['/ a', 'a=1']));
      await end(session);
      assert.deepEqual(await jars.read(session, 'wiki'), []);
      await jars.write(session, 'wiki', changes(['/ b', 'b=1']));
      assert.deepEqual([...(await jars.takeOut(session))], [['wiki', ['a=1']]]);
      await jars.write(session, 'wiki', changes(['/ c', 'c=1']));
      assert.deepEqual([...(await jars.takeOut(session))], []);
    });
  });
}

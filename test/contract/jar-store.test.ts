// The memory store of jars, held to the contract.

import { newSessionId } from '../../src/base/ids.ts';
import { MemoryJarStore } from '../../src/session/memory-jar-store.ts';
import { SessionDesk } from '../support/session-desk.ts';
import { jarStoreContract } from './jar-store-contract.ts';

jarStoreContract('memory', async () => {
  const desk = new SessionDesk();
  return {
    jars: new MemoryJarStore(),
    signIn: async () => desk.signIn(),
    end: async ({ record: { handle } }) => {
      await desk.ending.endSessions({ by: 'handle', handle }, { reason: 'operator' });
    },
    signInAgain: async (session) => {
      const { record } = session;
      desk.store.replaceId(session, { ...record, id: newSessionId(), version: record.version + 1 });
      return session;
    },
  };
});

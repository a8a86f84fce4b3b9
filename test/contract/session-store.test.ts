// The contract suite of session stores, run by every store there is.

import { MemorySessionStore } from '../../src/session/memory-session-store.ts';
import { SteppedStore } from '../support/explorer/stepped-store.ts';
import { Turns } from '../support/explorer/turns.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { sessionStoreContract } from './session-store-contract.ts';

sessionStoreContract('memory store', () => {
  const clock = new ManualClock();
  const store = new MemorySessionStore({ clock, maxSessions: 1_000, maxSessionLifetimeMs: 10 * 60 * 60_000 });
  return { store, advance: (ms) => clock.advance(ms), close: () => {} };
});

// The reference for shared stores that races are explored with, here with nobody who makes it wait.
sessionStoreContract('stepped store', () => {
  const clock = new ManualClock();
  const store = new SteppedStore({ clock, turns: new Turns(), stopHere: () => {}, estimateNow: () => clock.now() });
  return { store, advance: (ms) => clock.advance(ms), close: () => {} };
});

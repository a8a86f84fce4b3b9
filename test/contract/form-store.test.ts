// The memory store of forms, held to the contract.

import { MemoryFormStore } from '../../src/session/memory-form-store.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { formStoreContract, LIMITS } from './form-store-contract.ts';

formStoreContract('memory', async () => {
  const clock = new ManualClock();
  return {
    forms: new MemoryFormStore({ clock, timers: clock, limits: LIMITS }),
    wait: async (ms) => clock.advance(ms),
  };
});

// The gates that are explored: whole ones, and ones that have lost one of the checks by which the promise is kept.

import type { Decision } from '../../../src/gate/decide.ts';
import { ConnectionRegistry, type Owner } from '../../../src/proxy/connection-registry.ts';
import { MemorySessionStore } from '../../../src/session/memory-session-store.ts';
import type { SessionRecord, StoredSession } from '../../../src/session/session-record.ts';
import { distantStore } from './distant-store.ts';
import { type SteppedCheck, SteppedStore } from './stepped-store.ts';
import type { ExploredStore, WorldParts } from './world.ts';

/** Far from any bound. */
const LIMITS = { maxSessions: 64, maxSessionLifetimeMs: 10 * 60 * 60_000 };

function overMemory(Store: typeof MemorySessionStore): WorldParts {
  return {
    openStore({ clock, turns, stopHere, estimateNow }): ExploredStore {
      const store = new Store({ clock, ...LIMITS });
      return {
        store: distantStore(store, { turns, stopHere, estimateNow }),
        finds: (id) => store.find(id) !== undefined,
        left: () => store.list({}, LIMITS.maxSessions, undefined).sessions.map(({ record }) => record),
      };
    },
  };
}

function overSteps(without?: SteppedCheck): WorldParts {
  return {
    openStore({ clock, turns, stopHere, estimateNow }): ExploredStore {
      const store = new SteppedStore({ clock, turns, stopHere, estimateNow, without });
      return { store, finds: (id) => store.finds(id), left: () => store.left() };
    },
  };
}

/** By the names that schedules are printed with. */
export const WHOLE_GATES = {
  memory: overMemory(MemorySessionStore),
  stepped: overSteps(),
} satisfies Record<string, WorldParts>;

/** As no end could have come before it. */
function beyondEveryEnd(record: SessionRecord): SessionRecord {
  return { ...record, beganAt: Number.POSITIVE_INFINITY, idTokenIssuedAtSeconds: Number.POSITIVE_INFINITY };
}

/** Creates without a look at the tombstones. */
class HastyCreate extends MemorySessionStore {
  override create(record: SessionRecord): StoredSession | 'ended' {
    return super.create(beyondEveryEnd(record));
  }
}

/** Writes what it is given, whether the session is still there or not. */
class RevivingUpdate extends MemorySessionStore {
  override update(session: StoredSession, next: SessionRecord): 'updated' | 'changed' | 'ended' {
    const outcome = super.update(session, next);
    if (outcome !== 'ended') return outcome;
    super.create(beyondEveryEnd(next));
    return 'updated';
  }
}

/** Remembers what it has read, and does not look whether that has ended since. */
class StaleRead extends MemorySessionStore {
  readonly #remembered = new Map<string, StoredSession>();

  override find(id: SessionRecord['id']): StoredSession | undefined {
    const found = super.find(id);
    if (found !== undefined) this.#remembered.set(id, { ...copyOf(found), ended: false });
    return found ?? this.#remembered.get(id);
  }
}

function copyOf({ record, lastSeenAt }: StoredSession): Omit<StoredSession, 'ended'> {
  return { record, lastSeenAt };
}

/** A door that takes the decision's word for it: to it no session ever ends. */
function unaware(decision: Decision): Decision {
  if (decision.kind !== 'allow' || decision.session === undefined) return decision;
  return { ...decision, session: { ...copyOf(decision.session), ended: false } };
}

/** Closes connections, and does not stop them before. */
class LateStop extends ConnectionRegistry {
  override stop(key: string): Owner | undefined {
    const owner = this.find(key);
    if (owner !== undefined) Object.assign(owner, { stop: () => {} });
    return super.stop(key);
  }
}

/** Gates that lack one check, by what they lack. */
export const BROKEN_GATES: Readonly<Record<string, WorldParts>> = {
  'memory without the tombstones at create': overMemory(HastyCreate),
  'memory without the presence at update': overMemory(RevivingUpdate),
  'memory without the end at read': overMemory(StaleRead),
  'memory without the look before the registration': { ...WHOLE_GATES.memory, seen: unaware },
  'memory without the stop before the closes': {
    ...WHOLE_GATES.memory,
    openRegistry: (closing) => new LateStop(undefined, closing),
  },
  'stepped without the look before the registration': { ...WHOLE_GATES.stepped, seen: unaware },
  ...Object.fromEntries(
    (
      [
        'tombstones at create',
        'presence at update',
        'tombstones at find',
        'ends heard while an answer is under way',
      ] as const satisfies readonly SteppedCheck[]
    ).map((check) => [`stepped without the ${check}`, overSteps(check)]),
  ),
};

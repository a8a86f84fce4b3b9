// `session.recheck`: what of it follows from a configuration, and what belongs to the process.

import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import type { Config } from '../config/model.ts';
import type { LiveAdmission } from '../gate/live-admission.ts';
import { createCanAsk, createRecheck, type Recheck, type RecheckOptions } from '../gate/recheck.ts';
import type { Provider } from '../oidc/provider.ts';
import type { ConnectionRegistry } from '../proxy/connection-registry.ts';
import type { StoredSession } from '../session/session-record.ts';
import type { SessionStore } from '../session/session-store.ts';
import { tellOfRefreshTokens } from './tell-of-refresh-tokens.ts';

export interface Rechecks {
  /** What a configuration asks for; undefined where it is off. */
  of(config: Config, isLogout: RecheckOptions['isLogout']): Recheck | undefined;
  /** Sees whether the provider gives refresh tokens, and whether the configuration in force fits that. */
  noteSignIn(session: StoredSession): void;
  /** Ends the connections of a session that waits for its browser, but for exempt ones; none while the provider is down. */
  cutUnproven(session: StoredSession): Promise<void>;
  reconfigure(next: Config): void;
}

export interface RecheckParts {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly registry: ConnectionRegistry;
  readonly provider: Provider;
  readonly store: SessionStore;
}

/** As long as a request waits for any other proof. */
const REACHED_WITHIN_MS = 3_000;

export function buildRechecks(config: Config, { clock, emit, registry, provider, store }: RecheckParts): Rechecks {
  const isReachable = async (): Promise<boolean> => (await provider.reach(REACHED_WITHIN_MS)) !== undefined;
  const canAsk = createCanAsk({ clock, emit, isReachable });
  const of: Rechecks['of'] = ({ session }, isLogout) =>
    session.recheck && createRecheck({ ...session.recheck, store, canAsk, isLogout });
  // No logout is a connection that goes on.
  const ofConnections = (next: Config) => of(next, () => false);
  let current = ofConnections(config);
  return {
    of,
    noteSignIn: tellOfRefreshTokens({ emit, clock, isRechecked: () => current !== undefined }),
    async cutUnproven(session) {
      // Confirmed meanwhile, it has all of its connections.
      if (!(await canAsk(session)) || !current?.isDue(session)) return;
      const { isExempt } = current;
      registry.recheck(session.record.handle, (tag) => (tag as LiveAdmission).unproven({ isExempt }));
    },
    reconfigure(next) {
      current = ofConnections(next);
    },
  };
}

// What the private door is built from.

import type { Context } from 'koa';
import type { Emit } from '../base/events.ts';
import type { Secret } from '../base/secret.ts';
import type { EndSessions } from '../logout/end-sessions.ts';
import type { ConnectionRegistry } from '../proxy/connection-registry.ts';
import type { SessionStore } from '../session/session-store.ts';

export interface AdminParts {
  readonly store: SessionStore;
  readonly registry: ConnectionRegistry;
  readonly endSessions: EndSessions;
  /** What an operator ends here ends at the provider too. */
  readonly operatorEndsSso: boolean;
  readonly emit: Emit;
  readonly issuer: string;
  readonly sessionLimits: { readonly idleTimeoutMs: number; readonly absoluteTimeoutMs: number };
  /** undefined: the API is off. */
  readonly token: Secret | undefined;
  /** Why the gate cannot serve sign-ins now; empty when it can. */
  readiness(): readonly string[];
  metrics(): Promise<{ contentType: string; text: string }>;
  /** Notices on this listener, at the same names without the prefix; absent when `admin.notices` is off. */
  readonly notices: Readonly<Record<string, (ctx: Context) => Promise<void>>>;
}

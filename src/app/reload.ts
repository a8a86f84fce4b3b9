// Another configuration while the gate runs (design/config.md): built whole, then put in force in one turn. No connection
// is dropped for it but those that the new rules do not allow (design: decided cases).

import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { formatProblem, type LoadResult } from '../config/load-config.ts';
import type { KeyPair } from '../config/model.ts';
import type { LiveAdmission } from '../gate/live-admission.ts';
import type { UpstreamGroup } from '../proxy/upstream-group.ts';
import { buildInForce, type GateParts } from './build-gate.ts';
import { errorLine } from './error-line.ts';
import { type UntilRestart, untilRestart } from './until-restart.ts';

/** Longer than any request waits for its decision: then nobody dispatches to a former upstream any more. */
const RETIRE_AFTER_MS = 60_000;

export interface Listeners {
  readonly publicServer: Server;
  readonly adminServer: Server;
}

/** Never throws: what cannot be put in force is told, and everything is as it was. */
export function createReload(parts: GateParts, listeners: Listeners): (loaded: LoadResult) => void {
  const { emit } = parts.telemetry;
  const { config: started } = parts.current;
  return (loaded) => {
    if ('problems' in loaded) {
      return emit({ event: 'config.refused', problems: loaded.problems.map(formatProblem) });
    }
    try {
      emit({
        event: 'config.reloaded',
        restart_needed: putInForce(parts, untilRestart(started, loaded.config), listeners),
      });
    } catch (error) {
      emit({ event: 'config.refused', problems: [errorLine(error)] });
    }
  };
}

/** @returns the keys that need a restart */
function putInForce(
  parts: GateParts,
  { config, restartNeeded }: UntilRestart,
  { publicServer, adminServer }: Listeners,
): readonly string[] {
  const former = parts.current;
  // Whatever can fail comes first, while nothing has changed.
  const next = buildInForce(config, parts);
  parts.sessions.reconfigure(former.config, config);
  parts.current = next;
  parts.telemetry.relevel(config.log.level);
  recertify(publicServer, config.server.tls);
  recertify(adminServer, config.admin.tls);
  parts.doorParts.registry.recheckAll((tag) => (tag as LiveAdmission).reloaded(next.snapshot.decideAgain));
  retire(parts, former.upstreams);
  return restartNeeded;
}

/** For handshakes to come; those that were made stay as they are. */
function recertify(server: Server, tls: KeyPair | undefined): void {
  if (tls === undefined) return;
  (server as TlsServer).setSecureContext({ cert: tls.certPem, key: tls.keyPem.reveal() });
}

function retire({ retiring, timers }: GateParts, upstreams: readonly UpstreamGroup[]): void {
  for (const upstream of upstreams) retiring.add(upstream);
  timers.after(RETIRE_AFTER_MS, () => {
    for (const upstream of upstreams) void upstream.close().finally(() => retiring.delete(upstream));
  });
}

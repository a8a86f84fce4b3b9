// What no key shows by itself: contradictions between keys (design/config.md, design/decided.md). Pure.

import { checkCookie } from './checks/cookie-checks.ts';
import { checkListeners } from './checks/listener-checks.ts';
import { checkProvider } from './checks/provider-checks.ts';
import { checkRoutes } from './checks/route-checks.ts';
import { checkSecretTwins } from './checks/secret-twins.ts';
import { checkSession } from './checks/session-checks.ts';
import { checkStore } from './checks/store-checks.ts';
import type { Finding, IsWritten } from './problem.ts';
import type { ConfigDraft } from './sections/config-file.ts';

/** Everything that does not go together. Holes in the draft were reported before and are passed over. */
export function crossChecks(draft: ConfigDraft, isWritten: IsWritten): Finding[] {
  return CHECKS.flatMap((check) => check(draft, isWritten));
}

const CHECKS = [
  checkListeners,
  checkProvider,
  checkSession,
  checkStore,
  checkCookie,
  checkSecretTwins,
  checkRoutes,
] as const;

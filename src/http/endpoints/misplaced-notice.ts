// POST /k_* at the root where the Admin URL is served elsewhere. Never forwarded, and never silently lost: what Keycloak
// believes that it has ended goes on here until somebody hears of it.

import type { Emit } from '../../base/events.ts';
import { GatewayError } from '../../base/gateway-error.ts';
import type { AdminActionKind } from '../../logout/understand-admin-action.ts';

const WHY =
  "it came to the root of the public origin, which is the client's Admin URL in Keycloak (the root URL where none was given): " +
  'append proxy_prefix to that Admin URL, or set logout.keycloak_admin_url to root';

/** The endpoint for one kind: 404, and an event that names the key. */
export function misplacedNotice(kind: AdminActionKind, emit: Emit): () => void {
  return () => {
    emit({ event: 'notice.refused', kind, why: WHY });
    throw new GatewayError('not_found', { status: 404, message: 'the Admin URL is not served at the root' });
  };
}

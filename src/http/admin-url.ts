// Keycloak's Admin URL: it puts one of three names behind the URL that its client has (Keycloak's adapter protocol). A client
// made without one gets its root URL for it, so these POSTs come to the root of the public origin without anybody's wish.

import { ADMIN_ACTIONS, type AdminActionKind } from '../logout/understand-admin-action.ts';

/** Where it is served (`logout.keycloak_admin_url`). */
export type AdminUrlPlace = 'prefix' | 'root' | 'off';

/** The notice that a POST to the root is, by its path to the letter; undefined for every other request. */
export function noticeAtRoot(method: string, target: string): AdminActionKind | undefined {
  if (method !== 'POST' || !target.startsWith('/k_')) return undefined;
  const query = target.indexOf('?');
  const name = query === -1 ? target.slice(1) : target.slice(1, query);
  return Object.hasOwn(ADMIN_ACTIONS, name) ? (name as AdminActionKind) : undefined;
}

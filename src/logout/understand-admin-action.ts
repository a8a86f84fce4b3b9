// Keycloak's admin actions as notices (design: triggers; keycloak semantics of its own adapters).

import type { NoticeKind } from '../base/events.ts';
import type { AdminAction, AdminActionName } from '../oidc/verify-admin-action.ts';
import type { Notice, NoticedEnd } from './notice.ts';

/** The notices of the Admin URL; each is the name of its endpoint too. */
export type AdminActionKind = Extract<NoticeKind, 'k_logout' | 'k_push_not_before' | 'k_test_available'>;

/** What the `action` of each must be. */
export const ADMIN_ACTIONS: Readonly<Record<AdminActionKind, AdminActionName>> = {
  k_logout: 'LOGOUT',
  k_push_not_before: 'PUSH_NOT_BEFORE',
  k_test_available: 'TEST_AVAILABILITY',
};

export function understandAdminAction(kind: AdminActionKind, action: AdminAction): Notice {
  const { issuer, id, expiresAtSeconds, notBeforeSeconds } = action;
  const handles = action.adapterSessionIds ?? [];
  const sids = action.keycloakSessionIds ?? [];
  return {
    issuer,
    name: JSON.stringify([kind, issuer, id, expiresAtSeconds, notBeforeSeconds, handles, sids]),
    sub: undefined,
    sid: sids.length === 1 ? sids[0] : undefined,
    ends: endsOf(kind, action, { handles, sids }),
    names: handles.length + sids.length > 0 ? 'sessions' : 'everybody',
  };
}

function endsOf(
  kind: AdminActionKind,
  action: AdminAction,
  { handles, sids }: { handles: readonly string[]; sids: readonly string[] },
): readonly NoticedEnd[] {
  const { issuer, clientId, notBeforeSeconds } = action;
  switch (kind) {
    case 'k_test_available':
      return [];
    case 'k_push_not_before':
      return notBefore(action);
    case 'k_logout':
      break;
  }
  // Who names no session means all of them, whether it leaves the lists out or sends them empty, as Keycloak's own adapters
  // read it. Those of this very second too, which a not-before alone would spare.
  if (handles.length + sids.length === 0) {
    const selector = { by: 'client', issuer, clientId } as const;
    return [{ selector, reason: 'k_logout', issuedAtSeconds: notBeforeSeconds }];
  }
  return [
    // A session that was signed in anew may still be known to Keycloak by the name it was not given; its sid finds it.
    ...handles.map((handle) => ({ selector: { by: 'handle', handle }, reason: 'k_logout' }) as const),
    ...sids.map((sid) => ({ selector: { by: 'sid', issuer, sid }, reason: 'k_logout' }) as const),
    ...notBefore(action),
  ];
}

/** 0 says that none is set, which takes nothing back. */
function notBefore({ issuer, clientId, notBeforeSeconds }: AdminAction): readonly NoticedEnd[] {
  if (notBeforeSeconds === 0) return [];
  const selector = { by: 'client_tokens', issuer, clientId, issuedBeforeSeconds: notBeforeSeconds } as const;
  return [{ selector, reason: 'not_before' }];
}

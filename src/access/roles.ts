// Keycloak's roles: realm roles in `realm_access.roles`, client roles in `resource_access.<client>.roles`
// (design: config.md, `access`).

import type { Claims } from '../base/tokens.ts';
import { claimAt } from './claim-path.ts';

const REALM_ROLES = ['realm_access', 'roles'] as const;

/** The claim path and name that a configured role stands for: `admin` a realm role, `account:manage` a client's role. */
export function parseRole(role: string): { readonly path: readonly string[]; readonly name: string } {
  // Role names contain colons now and then, client ids (URLs of SAML-minded people apart) hardly ever: first colon.
  const colon = role.indexOf(':');
  return colon === -1
    ? { path: REALM_ROLES, name: role }
    : { path: ['resource_access', role.slice(0, colon), 'roles'], name: role.slice(colon + 1) };
}

/** Whether `claims` have the role. Only a list of texts holds roles; anything else holds none. */
export function hasRole(claims: Claims, role: { readonly path: readonly string[]; readonly name: string }): boolean {
  const roles = claimAt(claims, role.path);
  return Array.isArray(roles) && roles.includes(role.name);
}

/** All roles in the words of the configuration, realm roles first: `admin`, `account:manage`. */
export function allRoles(claims: Claims): readonly string[] {
  const names = onlyTexts(claimAt(claims, REALM_ROLES));
  const clients = claimAt(claims, ['resource_access']);
  if (typeof clients !== 'object' || clients === null || Array.isArray(clients)) return names;
  for (const client of Object.keys(clients)) {
    for (const role of onlyTexts(claimAt(claims, ['resource_access', client, 'roles'])))
      names.push(`${client}:${role}`);
  }
  return names;
}

function onlyTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : [];
}

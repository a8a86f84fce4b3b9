// An admin action: what Keycloak posts to a client's Admin URL (its adapter protocol; no specification, see DECISIONS.md). It
// has no `iss` and no `aud`: it is ours because a key of our realm signed it and its `resource` is our client.

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { type CompactJws, parseCompactJws, type Refuse } from './compact-jws.ts';
import { isNotBefore } from './not-before.ts';
import type { Provider } from './provider.ts';
import { isEpochSeconds, isIdentifier } from './token-claims.ts';

/** Keycloak's have about 600 bytes, and some 80 more for each session that they name. */
const MAX_BYTES = 64 * 1024;
/** Keycloak gives them 30 s. */
const MAX_LIFETIME_SECONDS = 120;
/** Addresses of keys. We take keys from one place; a token that suggests another is refused, and nobody is asked there. */
const KEY_REFERENCES = ['jku', 'x5u', 'x5c'];
/** Each of them says "another kind of token": no admin action has a subject, an event, a nonce, a party or a `typ` inside. */
const FOREIGN_CLAIMS = ['sub', 'sid', 'azp', 'nonce', 'events', 'typ'];

export type AdminActionName = 'LOGOUT' | 'PUSH_NOT_BEFORE' | 'TEST_AVAILABILITY';

export interface AdminAction {
  readonly issuer: string;
  readonly clientId: string;
  /** One per action; a repeat of the same action has the same. */
  readonly id: string;
  readonly expiresAtSeconds: number;
  /** 0 where none is set. */
  readonly notBeforeSeconds: number;
  /** What we sent as `client_session_state`; undefined where the action has no such list. */
  readonly adapterSessionIds: readonly string[] | undefined;
  /** The sessions' `sid`; undefined where the action has no such list. */
  readonly keycloakSessionIds: readonly string[] | undefined;
}

/**
 * What a genuine admin action of our provider for our client says. Everything that costs nothing is looked at before any
 * key. Any asymmetric algorithm will do for which the provider publishes a key: Keycloak signs these with the realm's
 * default, whatever our client's ID tokens are signed with.
 * @throws GatewayError `notice_refused` (400), its message for operators; `provider_unavailable` when no key can be had
 */
export async function verifyAdminAction(
  provider: Provider,
  jwt: string,
  expected: AdminActionName,
): Promise<AdminAction> {
  const jws = parseCompactJws(jwt, { maxBytes: MAX_BYTES, refuse });
  checkHeader(jws);
  const action = readAction(provider, jws.claims, expected);
  const verdict = await provider.keys.verify(jws);
  if (verdict === 'unknown_key') throw refuse('the provider has no key with its kid and alg');
  if (verdict !== 'valid') throw refuse("its signature does not hold with the provider's keys");
  return action;
}

const refuse: Refuse = (why) =>
  new GatewayError('notice_refused', { status: 400, message: `the admin action is refused: ${why}` });

function checkHeader({ header }: CompactJws): void {
  const reference = KEY_REFERENCES.find((name) => Object.hasOwn(header, name));
  if (reference) throw refuse(`its header has "${reference}", which is not accepted`);
  const { typ } = header;
  if (typ !== undefined && (typeof typ !== 'string' || typ.toLowerCase() !== 'jwt')) {
    throw refuse('its typ is that of another kind of token');
  }
}

function readAction(provider: Provider, claims: Claims, expected: AdminActionName): AdminAction {
  const { issuer, clientId } = provider.options;
  const { action, resource, id, iss, adapterSessionIds, keycloakSessionIds } = claims;
  const foreign = FOREIGN_CLAIMS.find((name) => Object.hasOwn(claims, name));
  if (foreign) throw refuse(`it has "${foreign}": it is another kind of token`);
  if (action !== expected) throw refuse(`its action is not ${expected}`);
  if (resource !== clientId) throw refuse('its resource is not our client');
  // No version sends one; one that is there must be ours, for realms that were copied share their keys.
  if (iss !== undefined && iss !== issuer) throw refuse('its iss is not provider.issuer');
  if (!isIdentifier(id)) throw refuse('its id is missing or malformed');
  return {
    issuer,
    clientId,
    id,
    expiresAtSeconds: checkExpiration(provider, claims),
    notBeforeSeconds: checkNotBefore(provider, claims, expected),
    adapterSessionIds: checkList(adapterSessionIds, 'adapterSessionIds'),
    keycloakSessionIds: checkList(keycloakSessionIds, 'keycloakSessionIds'),
  };
}

function checkExpiration(provider: Provider, { expiration }: Claims): number {
  const nowSeconds = provider.clock.now() / 1000;
  const { clockToleranceSeconds: tolerance } = provider.options;
  const skew = 'compare the clocks of this machine and of the provider';
  if (!isEpochSeconds(expiration)) throw refuse('its expiration is missing or not a time');
  if (expiration <= nowSeconds - tolerance) {
    throw refuse(`it expired ${Math.round(nowSeconds - expiration)} s ago; ${skew}`);
  }
  if (expiration > nowSeconds + MAX_LIFETIME_SECONDS + tolerance) {
    throw refuse(`it expires only in ${Math.round(expiration - nowSeconds)} s; ${skew}`);
  }
  return expiration;
}

function checkNotBefore(provider: Provider, { notBefore }: Claims, action: AdminActionName): number {
  if (action === 'TEST_AVAILABILITY') return 0;
  const isOptional = action === 'LOGOUT';
  if (isOptional && (notBefore === undefined || notBefore === null)) return 0;
  if (!isNotBefore(provider, notBefore)) throw refuse('its notBefore is missing, not a time, or in the future');
  return notBefore;
}

/** Absent and null are the same: which one a version writes depends on how it serialises. */
function checkList(list: unknown, name: string): readonly string[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (!Array.isArray(list) || !list.every(isIdentifier)) throw refuse(`its ${name} is not a list of session ids`);
  return list;
}

// The header sets of gates that people move from, name by name as those send them, tokens left out
// (design: surface.md, "Headers to the upstream").

import type { Claims } from '../base/tokens.ts';
import { claimText } from './header-template.ts';
import { foldName, type HeaderEncoding, headerList } from './header-text.ts';
import { allRoles } from './roles.ts';

export type HeaderPreset = 'oauth2-proxy' | 'gatekeeper' | 'authelia' | 'mod_auth_openidc' | 'none';

/** What identity headers are made of. */
export interface Identity {
  readonly sub: string;
  /** For people: preferred_username, else email, else sub. */
  readonly user: string;
  readonly claims: Claims;
  /** When the access token ends, for the preset that tells it. */
  readonly accessExpiresAt?: number | undefined;
  /** The session's access token as it is now. */
  readonly accessToken?: string | undefined;
}

type HeaderPair = readonly [string, string | undefined];

interface PresetTable {
  /** Names that the preset sends, and those that applications written for that gate trust besides. */
  readonly names: readonly string[];
  /** Top-level claims; those that every ID token has are not named. */
  readonly claims: readonly string[];
  /** Name and value pairs; a missing claim has none. */
  readonly headers: (identity: Identity, encoding: HeaderEncoding) => readonly HeaderPair[];
}

/** Each preset in one place. */
export const HEADER_PRESETS: Readonly<Record<HeaderPreset, PresetTable>> = {
  'oauth2-proxy': {
    names: [
      'X-Forwarded-User',
      'X-Forwarded-Email',
      'X-Forwarded-Preferred-Username',
      'X-Forwarded-Groups',
      'X-Forwarded-Access-Token',
      // As it names them towards nginx's auth_request, which passes them on.
      'X-Auth-Request-User',
      'X-Auth-Request-Email',
      'X-Auth-Request-Preferred-Username',
      'X-Auth-Request-Groups',
      'X-Auth-Request-Access-Token',
    ],
    claims: ['email', 'preferred_username', 'groups'],
    // User is the subject there, unless configured otherwise (`--oidc-…-claim`, default `sub`).
    headers: ({ sub, claims }, encoding) => [
      ['X-Forwarded-User', encoding.text(sub)],
      ['X-Forwarded-Email', claimText(claims['email'], encoding)],
      ['X-Forwarded-Preferred-Username', claimText(claims['preferred_username'], encoding)],
      ['X-Forwarded-Groups', listText(claims['groups'], encoding)],
    ],
  },
  gatekeeper: {
    names: [
      'X-Auth-Audience',
      'X-Auth-Email',
      'X-Auth-ExpiresIn',
      'X-Auth-Groups',
      'X-Auth-Roles',
      'X-Auth-Subject',
      'X-Auth-Token',
      'X-Auth-Userid',
      'X-Auth-Username',
    ],
    claims: ['email', 'groups', 'realm_access', 'resource_access'],
    // Userid is the name there too, and Subject the id.
    headers: ({ sub, user, claims, accessExpiresAt }, encoding) => [
      ['X-Auth-Audience', listText(claims['aud'], encoding)],
      ['X-Auth-Email', claimText(claims['email'], encoding)],
      ['X-Auth-ExpiresIn', accessExpiresAt === undefined ? undefined : goTime(accessExpiresAt)],
      ['X-Auth-Groups', listText(claims['groups'], encoding)],
      ['X-Auth-Roles', headerList(allRoles(claims), encoding)],
      ['X-Auth-Subject', encoding.text(sub)],
      ['X-Auth-Userid', encoding.text(user)],
      ['X-Auth-Username', encoding.text(user)],
    ],
  },
  authelia: {
    names: ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email'],
    claims: ['groups', 'name', 'email'],
    headers: ({ user, claims }, encoding) => [
      ['Remote-User', encoding.text(user)],
      ['Remote-Groups', listText(claims['groups'], encoding)],
      ['Remote-Name', claimText(claims['name'], encoding)],
      ['Remote-Email', claimText(claims['email'], encoding)],
    ],
  },
  // Its names come from claims, so transport removes everything that begins with OIDC_.
  mod_auth_openidc: { names: [], claims: [], headers: ({ claims }, encoding) => openidcClaims(claims, encoding) },
  none: { names: [], claims: [], headers: () => [] },
};

/** A claim that is a list by its nature: a single text is one entry, whose commas make no second one. */
function listText(claim: unknown, encoding: HeaderEncoding): string | undefined {
  return claimText(Array.isArray(claim) ? claim : [claim], encoding);
}

/** As Go prints an instant: `2020-03-31 09:30:50 +0000 UTC`. */
function goTime(instantMs: number): string | undefined {
  if (!(Math.abs(instantMs) <= 8.64e15)) return undefined;
  return new Date(instantMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' +0000 UTC');
}

// They belong to one exchange with the provider and say nothing of the user.
const PROTOCOL_CLAIMS = new Set(['nonce', 'at_hash', 'c_hash', 's_hash']);
const TOKEN_CHARACTERS = /^[A-Za-z0-9!#$&'*+.^_`|~-]+$/;

/**
 * `OIDC_CLAIM_<name>` for each claim but null; characters that no header name can have become `-`. Of two claims that fold to
 * one name only the one with the plain name is sent.
 */
function openidcClaims(claims: Claims, encoding: HeaderEncoding): readonly HeaderPair[] {
  const names = Object.keys(claims).filter((name) => name !== '' && !PROTOCOL_CLAIMS.has(name));
  const plain = names.filter((name) => TOKEN_CHARACTERS.test(name));
  const rewritten = names.filter((name) => !TOKEN_CHARACTERS.test(name));
  const seen = new Set<string>();
  const pairs: HeaderPair[] = [];
  for (const name of [...plain, ...rewritten]) {
    const header = `OIDC_CLAIM_${name.replace(/[^A-Za-z0-9!#$&'*+.^_`|~-]/g, '-')}`;
    const folded = foldName(header);
    if (seen.has(folded)) continue;
    seen.add(folded);
    pairs.push([header, claimText(openidcValue(claims[name]), encoding)]);
  }
  return pairs;
}

/** As that module prints a value: booleans as digits, fractions with six places, objects as JSON, of a list only its texts and booleans. */
function openidcValue(claim: unknown): unknown {
  if (typeof claim === 'boolean') return Number(claim);
  if (typeof claim === 'number') return Number.isInteger(claim) || !Number.isFinite(claim) ? claim : claim.toFixed(6);
  if (Array.isArray(claim)) return claim.filter((entry) => typeof entry !== 'number').map(openidcListEntry);
  return typeof claim === 'object' && claim !== null ? JSON.stringify(claim) : claim;
}

function openidcListEntry(entry: unknown): unknown {
  return typeof entry === 'boolean' ? Number(entry) : entry;
}

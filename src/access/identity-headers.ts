// Who the user is, for the upstream: a route's preset and its own templates, as raw header pairs
// (design: surface.md, "Headers to the upstream"; security catalogue HDR-01 to HDR-10).

import { GatewayError } from '../base/gateway-error.ts';
import { claimsOfRule, type RuleOptions } from './access-rules.ts';
import { ASSERTED_CLAIMS } from './assertion-claims.ts';
import { type BasicAuthOptions, compileBasicCredentials } from './basic-credentials.ts';
import { HEADER_PRESETS, type HeaderPreset, type Identity } from './header-presets.ts';
import { compileTemplate } from './header-template.ts';
import {
  foldName,
  HEADER_ENCODINGS,
  type HeaderEncodingName,
  MAX_HEADER_VALUE_LENGTH,
  MAX_TOKEN_LENGTH,
} from './header-text.ts';

export interface IdentityHeaderOptions {
  readonly preset: HeaderPreset;
  /** Header name to template; a name of the preset replaces the preset's. */
  readonly set?: Readonly<Record<string, string>>;
  /** Of claims in the preset and in `set`; default: percent. */
  readonly encoding?: HeaderEncodingName;
  readonly basicAuth?: BasicAuthOptions | undefined;
  /** Where the session's access token goes; default: nowhere. */
  readonly accessToken?: 'none' | 'authorization' | 'x-forwarded-access-token' | 'x-auth-token';
  /** Signed elsewhere; here it says only which claims are needed. */
  readonly signedAssertion?: boolean;
}

/** Hears of each header that is left out although its claims are there: its name, and why. */
export type OnLeftOut = (name: string, why: string) => void;

/**
 * Flat raw pairs (name, value, name, value, …), at most one per name, every value printable ASCII or bytes of UTF-8, as
 * `encoding` says. A claim that is missing, empty or has no text gives no header; a text longer than 4 KiB (an access token:
 * 16 KiB) neither, nor a user name that HTTP Basic cannot carry, and then `onLeftOut` hears of it.
 */
export type IdentityHeaders = (identity: Identity, onLeftOut?: OnLeftOut) => readonly string[];

/** @throws GatewayError `header_invalid` for a template or header name that is none. */
export function compileIdentityHeaders(options: IdentityHeaderOptions): IdentityHeaders {
  const own = Object.entries(options.set ?? {}).map(([name, text]) => {
    refuseName(name);
    return { name, template: compileTemplate(text) };
  });
  const ownNames = new Set(own.map(({ name }) => foldName(name)));
  if (ownNames.size < own.length) throw invalid('two headers of `set` differ only in letter case or punctuation');
  const preset = HEADER_PRESETS[options.preset];
  const encoding = HEADER_ENCODINGS[options.encoding ?? 'percent'];
  const basic = options.basicAuth && compileBasicCredentials(options.basicAuth);
  const tokenHeader = TOKEN_HEADERS[options.accessToken ?? 'none'];
  return (identity, onLeftOut) => {
    const pairs: string[] = [];
    const add = (name: string, value: string | undefined, limit = MAX_HEADER_VALUE_LENGTH) => {
      if (value === undefined) return;
      if (value.length > limit) onLeftOut?.(name, `its value is longer than ${limit / 1024} KiB`);
      else pairs.push(name, value);
    };
    for (const [name, value] of preset.headers(identity, encoding)) if (!ownNames.has(foldName(name))) add(name, value);
    for (const { name, template } of own) add(name, template.render(identity.claims, encoding));
    if (basic !== undefined) {
      const credentials = basic.render(identity.claims);
      if (typeof credentials === 'object') onLeftOut?.('Authorization', credentials.leftOut);
      else add('Authorization', credentials);
    }
    if (tokenHeader !== undefined && VISIBLE.test(identity.accessToken ?? '')) {
      add(tokenHeader.name, `${tokenHeader.scheme}${identity.accessToken}`, MAX_TOKEN_LENGTH);
    }
    return pairs;
  };
}

const TOKEN_HEADERS = {
  none: undefined,
  authorization: { name: 'Authorization', scheme: 'Bearer ' },
  'x-forwarded-access-token': { name: 'X-Forwarded-Access-Token', scheme: '' },
  'x-auth-token': { name: 'X-Auth-Token', scheme: '' },
} as const;
/** RFC 6749 appendix A.12; anything else could not stand in a header. */
const VISIBLE = /^[\u0021-\u007e]+$/;

/**
 * Names whose client-sent copies are removed from requests to `own`, public paths included: what any preset sends and any
 * route sets. `Authorization` is among them only where `own` sets it: elsewhere the client's passes. Compare them folded
 * to letters and digits. `OIDC_CLAIM_*` has no end of names; transport removes the whole prefix.
 */
export function identityHeaderNames(
  routes: readonly IdentityHeaderOptions[],
  own?: IdentityHeaderOptions,
): readonly string[] {
  const names = new Map<string, string>();
  const add = (name: string) => names.set(name.toLowerCase(), name);
  for (const preset of Object.values(HEADER_PRESETS)) preset.names.forEach(add);
  for (const { set } of routes) Object.keys(set ?? {}).forEach(add);
  names.delete('authorization');
  Object.keys(own?.set ?? {}).forEach(add);
  if (own?.basicAuth !== undefined || own?.accessToken === 'authorization') add('Authorization');
  return [...names.values()];
}

/** Top-level claims that rules and headers refer to: where one is missing from the ID token, UserInfo is asked. */
export function neededClaims(
  routes: readonly { readonly access?: readonly RuleOptions[]; readonly headers?: IdentityHeaderOptions }[],
): readonly string[] {
  const names = new Set<string>();
  for (const { access, headers } of routes) {
    for (const rule of access ?? []) for (const name of claimsOfRule(rule)) names.add(name);
    if (headers === undefined) continue;
    for (const name of HEADER_PRESETS[headers.preset].claims) names.add(name);
    for (const text of Object.values(headers.set ?? {}))
      for (const name of compileTemplate(text).claims) names.add(name);
    if (headers.signedAssertion) for (const name of ASSERTED_CLAIMS) names.add(name);
    if (headers.basicAuth !== undefined)
      for (const name of compileBasicCredentials(headers.basicAuth).claims) names.add(name);
  }
  return [...names];
}

const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;

// They frame the message, route it, or are written by the gate itself.
const RESERVED = new Set(
  [
    ...[
      'connection',
      'content-length',
      'transfer-encoding',
      'host',
      'te',
      'trailer',
      'upgrade',
      'keep-alive',
      'expect',
    ],
    ...['proxy-connection', 'proxy-authorization', 'proxy-authenticate', 'cookie', 'set-cookie', 'forwarded'],
    ...['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'],
  ].map(foldName),
);

function refuseName(name: string): void {
  if (!TOKEN.test(name)) throw invalid(`${JSON.stringify(name)} is no header name`);
  if (RESERVED.has(foldName(name))) throw invalid(`${name} is the gate's own and cannot be set`);
}

function invalid(message: string): GatewayError {
  return new GatewayError('header_invalid', { status: 500, message });
}

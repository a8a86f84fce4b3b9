// HTTP Basic credentials of each user for the upstream (RFC 7617; design: config.md, `headers.basic_auth`).

import { GatewayError } from '../base/gateway-error.ts';
import type { Secret } from '../base/secret.ts';
import type { Claims } from '../base/tokens.ts';
import { claimAt, parseClaimPath } from './claim-path.ts';
import { compileTemplate, rawText } from './header-template.ts';

export interface BasicAuthOptions {
  /** A template. */
  readonly username: string;
  /** The same for every user, or the claim that holds each user's own. */
  readonly password: Secret | { readonly claim: string };
}

export interface BasicCredentials {
  /** Top-level claims that it needs. */
  readonly claims: readonly string[];
  /** The value of `Authorization`; undefined where a claim is missing; or why RFC 7617 has no credentials for this user. */
  readonly render: (claims: Claims) => string | undefined | { readonly leftOut: string };
}

const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/;

/** @throws GatewayError `header_invalid` for a template or claim path that is none. */
export function compileBasicCredentials({ username, password }: BasicAuthOptions): BasicCredentials {
  const name = compileTemplate(username);
  const secret = compilePassword(password);
  return {
    claims: [...name.claims, ...secret.claims],
    render(claims) {
      const user = name.renderRaw(claims);
      const word = secret.of(claims);
      if (user === undefined || word === undefined) return undefined;
      // A colon ends the name (section 2): what follows it would be taken for the password.
      if (user.includes(':')) return { leftOut: 'the user name has a colon, and HTTP Basic ends the name there' };
      const credentials = `${user}:${word}`;
      if (CONTROLS.test(credentials)) return { leftOut: 'HTTP Basic has no control characters in name and password' };
      if (!credentials.isWellFormed()) return { leftOut: 'the user name or password is no well-formed Unicode' };
      return `Basic ${Buffer.from(credentials).toString('base64')}`;
    },
  };
}

function compilePassword(password: BasicAuthOptions['password']): {
  readonly claims: readonly string[];
  readonly of: (claims: Claims) => string | undefined;
} {
  if (!('claim' in password)) return { claims: [], of: () => password.reveal() };
  const path = parseClaimPath(password.claim);
  if (path === undefined) {
    throw new GatewayError('header_invalid', {
      status: 500,
      message: `${JSON.stringify(password.claim)} is no claim path`,
    });
  }
  return { claims: path.slice(0, 1), of: (claims) => rawText(claimAt(claims, path)) };
}

// `routes[].headers`: headers that contradict one another, credentials that cannot be made, and identity for nobody.

import { foldHeaderName } from '../kinds/headers.ts';
import { childPath, type Finding, type IsWritten } from '../problem.ts';
import type { RouteDraft } from '../sections/config-file.ts';

type HeadersDraft = NonNullable<RouteDraft['headers']>;

/** What a route tells its upstream of the user. */
export function checkHeaders(path: string, { headers, auth }: RouteDraft, isWritten: IsWritten): Finding[] {
  if (headers === undefined) return [];
  const at = `${path}.headers`;
  return [
    ...checkTwins(at, headers),
    ...checkAuthors(at, headers),
    ...checkBasicAuth(`${at}.basic_auth`, headers, isWritten),
    ...(auth?.includes('public') ? checkNobody(at, headers) : []),
  ];
}

function checkTwins(at: string, { set }: HeadersDraft): Finding[] {
  const seen = new Map<string, string>();
  const findings: Finding[] = [];
  for (const name of set?.keys() ?? []) {
    // Applications that turn header names into variables cannot tell them apart.
    const folded = foldHeaderName(name);
    const other = seen.get(folded);
    if (other !== undefined) {
      const message = `to many applications this is the same header as ${other}`;
      findings.push({ path: childPath(`${at}.set`, name), message, cure: 'keep one of the two' });
    }
    seen.set(folded, name);
  }
  return findings;
}

/** Keys that say what a header holds; one header can have one of them. */
function checkAuthors(at: string, headers: HeadersDraft): Finding[] {
  const authors = new Map<string, string>();
  for (const name of headers.set?.keys() ?? []) authors.set(foldHeaderName(name), childPath('set', name));
  const findings: Finding[] = [];
  const claim = (header: string, key: string) => {
    const other = authors.get(foldHeaderName(header));
    if (other !== undefined) {
      const message = `both ${other} and ${key} say what ${header} holds`;
      findings.push({ path: `${at}.${key}`, message, cure: 'keep one of the two' });
    }
    authors.set(foldHeaderName(header), key);
  };
  if (headers.basic_auth !== undefined) claim('Authorization', 'basic_auth');
  if (headers.access_token === 'authorization') claim('Authorization', 'access_token');
  if (headers.access_token === 'x-forwarded-access-token') claim('X-Forwarded-Access-Token', 'access_token');
  if (headers.access_token === 'x-auth-token') claim('X-Auth-Token', 'access_token');
  if (headers.signed_assertion === true) claim('X-Portcullis-Assertion', 'signed_assertion');
  return findings;
}

const PASSWORDS = ['password', 'password_file', 'password_claim'] as const;

function checkBasicAuth(at: string, { basic_auth: basic }: HeadersDraft, isWritten: IsWritten): Finding[] {
  if (basic === undefined) return [];
  const findings: Finding[] = [];
  const given = PASSWORDS.filter((key) => isWritten(`${at}.${key}`));
  if (given.length === 0) {
    const cure = 'write password or password_file, or password_claim where each user has their own';
    findings.push({ path: at, message: 'there is no password', cure });
  } else if (given.includes('password_claim') && given.length > 1) {
    const message = `both ${given[0]} and password_claim are given`;
    findings.push({ path: `${at}.password_claim`, message, cure: 'keep one of the two' });
  }
  // What is in braces is a claim and not looked at here.
  if (basic.username?.replaceAll(/\{[^{}]+\}/g, '').includes(':')) {
    const message = 'HTTP Basic ends the user name at its first colon (RFC 7617 section 2)';
    findings.push({ path: `${at}.username`, message, cure: 'write it without a colon' });
  }
  for (const key of ['password', 'password_file'] as const) {
    if (!/[\u0000-\u001f\u007f-\u009f]/.test(basic[key]?.reveal() ?? '')) continue;
    const message = 'HTTP Basic has no control characters in a password (RFC 7617 section 2)';
    findings.push({ path: `${at}.${key}`, message, cure: 'write it on one line, without tabs' });
  }
  return findings;
}

/** On a public route nobody is known, so nothing of this would ever be sent. */
function checkNobody(at: string, headers: HeadersDraft): Finding[] {
  const keys = [
    ...(headers.basic_auth === undefined ? [] : ['basic_auth']),
    ...(headers.access_token === undefined || headers.access_token === 'none' ? [] : ['access_token']),
    ...(headers.signed_assertion === true ? ['signed_assertion'] : []),
  ];
  return keys.map((key) => ({
    path: `${at}.${key}`,
    message: 'the route is public: nobody is known there, and this would never be sent',
    cure: `remove ${key}, or remove auth: public and write rules with auth: public for the paths that need no sign-in`,
  }));
}

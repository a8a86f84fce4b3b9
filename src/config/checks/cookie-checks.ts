// `session.cookie`: what browsers accept under which name (RFC 6265bis sections 4.1.3 and 5.6), and for whom.

import { isIP } from 'node:net';
import type { Origin } from '../kinds/urls.ts';
import type { Finding } from '../problem.ts';
import type { ConfigDraft } from '../sections/config-file.ts';

/** The session cookie against the public URLs: prefixes, Secure, SameSite and Domain must be what browsers accept. */
export function checkCookie({ session, public_url }: ConfigDraft): Finding[] {
  const cookie = session?.cookie;
  const urls = (public_url ?? []).filter((url) => url !== undefined);
  if (cookie === undefined || urls.length === 0) return [];
  const findings: Finding[] = [];
  const plain = urls.find((url) => url.scheme === 'http');
  const name = cookie.name?.toLowerCase() ?? '';
  const prefix = ['__host-', '__secure-'].find((each) => name.startsWith(each));
  if (prefix !== undefined && plain !== undefined) {
    findings.push({
      path: 'session.cookie.name',
      message: `browsers accept a name that begins with ${cookie.name!.slice(0, prefix.length)} over https only, and ${plain.origin} is plain http`,
      cure: 'remove the name, or write portcullis',
    });
  }
  if (prefix === '__host-' && cookie.domain !== undefined) {
    findings.push({
      path: 'session.cookie.name',
      message: 'browsers accept a name that begins with __Host- only without a domain',
      cure: 'write __Secure-portcullis, or remove the domain',
    });
  }
  if (cookie.same_site === 'none' && plain !== undefined) {
    findings.push({
      path: 'session.cookie.same_site',
      message: `browsers accept same_site: none over https only, and ${plain.origin} is plain http`,
      cure: 'write lax',
    });
  }
  if (cookie.domain !== undefined) findings.push(...checkDomain(cookie.domain, urls));
  return findings;
}

function checkDomain(domain: string, urls: readonly Origin[]): Finding[] {
  const path = 'session.cookie.domain';
  if (isIP(domain) !== 0) {
    return [
      { path, message: 'browsers accept no address as a domain', cure: 'write null: each host has its own session' },
    ];
  }
  const outside = urls.find(({ hostname }) => hostname !== domain && !hostname.endsWith(`.${domain}`));
  if (outside !== undefined) {
    return [
      {
        path,
        message: `the public host ${outside.hostname} is not in this domain, and browsers there refuse the cookie`,
        cure: 'write a domain that all public hosts end with, or null',
      },
    ];
  }
  if (!domain.includes('.') && domain !== 'localhost') {
    return [
      {
        path,
        message: 'browsers accept no top-level domain',
        cure: 'write a domain with a dot, such as example.com, or null',
      },
    ];
  }
  return [];
}

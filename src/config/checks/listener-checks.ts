// `public_url`, `server` and `admin`: where the gate listens and what it serves.

import type { ListenAddress } from '../kinds/network.ts';
import { isLoopback, type Origin } from '../kinds/urls.ts';
import type { Finding } from '../problem.ts';
import type { ConfigDraft } from '../sections/config-file.ts';
import { checkKeyPair } from './key-pair-checks.ts';
import { trustsEverybody } from './trusts-everybody.ts';

/** Listeners, public URLs and trusted proxies against one another. */
export function checkListeners({ public_url, server, admin }: ConfigDraft): Finding[] {
  const findings: Finding[] = [];
  findings.push(...checkPublicUrls(public_url ?? [], server?.allow_http));
  findings.push(...checkTrustedProxies(server?.trusted_proxies ?? []));
  if (server?.limits?.url_bytes !== undefined && server.limits.url_bytes > (server.limits.header_bytes ?? Infinity)) {
    findings.push({
      path: 'server.limits.url_bytes',
      message: 'the URL may be larger than the whole head that it is a part of (header_bytes)',
      cure: 'write a size up to header_bytes, or raise header_bytes',
    });
  }
  if (server?.listen && admin?.listen && collide(server.listen, admin.listen)) {
    findings.push({
      path: 'admin.listen',
      message: 'users (server.listen) and operators would arrive at the same address',
      cure: 'write another port, such as 127.0.0.1:9090',
    });
  }
  for (const [path, pair] of [
    ['server.tls', server?.tls],
    ['admin.tls', admin?.tls],
  ] as const) {
    if (pair) findings.push(...checkKeyPair(path, pair));
  }
  return findings;
}

function checkPublicUrls(urls: readonly (Origin | undefined)[], allowHttp: boolean | undefined): Finding[] {
  const findings: Finding[] = [];
  urls.forEach((url, i) => {
    if (url === undefined) return;
    const path = `public_url[${i}]`;
    if (url.scheme === 'http' && allowHttp === false && !isLoopback(url.hostname)) {
      const message = 'plain http outside loopback: passwords and sessions would travel in the clear';
      findings.push({ path, message, cure: 'write https://, or accept it with server.allow_http: true' });
    }
    if (urls.slice(0, i).some((earlier) => earlier?.origin === url.origin)) {
      findings.push({ path, message: 'this origin is listed twice', cure: 'remove one of the two' });
    }
  });
  return findings;
}

function checkTrustedProxies(cidrs: readonly (string | undefined)[]): Finding[] {
  const everybody = trustsEverybody(cidrs.filter((cidr) => cidr !== undefined));
  if (everybody === undefined) return [];
  const alone = cidrs.findIndex((cidr) => cidr !== undefined && trustsEverybody([cidr]));
  return [
    {
      path: alone === -1 ? 'server.trusted_proxies' : `server.trusted_proxies[${alone}]`,
      message: `this trusts every ${everybody} address, so that every client could say who it is`,
      cure: 'write the addresses of your proxies only, such as 10.0.0.0/8',
    },
  ];
}

const ANY = new Set(['0.0.0.0', '::']);

/** The same port, on addresses of which one includes the other. Port 0 is another one each time. */
function collide(a: ListenAddress, b: ListenAddress): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const anywhere = [a.host, b.host].some((host) => host === undefined || ANY.has(host));
  return anywhere || a.host?.toLowerCase() === b.host?.toLowerCase();
}

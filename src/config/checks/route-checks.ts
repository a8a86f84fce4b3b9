// `routes`: routes that hide one another, rules that never come true, and hosts that nobody serves.

import type { RequestHost } from '../kinds/network.ts';
import { isBelow } from '../kinds/paths.ts';
import type { Origin } from '../kinds/urls.ts';
import { childPath, type Finding, type IsWritten } from '../problem.ts';
import type { ConfigDraft, RouteDraft } from '../sections/config-file.ts';
import { checkHeaders } from './header-checks.ts';
import { checkKeyPair } from './key-pair-checks.ts';
import { checkLogout } from './logout-checks.ts';
import { checkParameters } from './provider-checks.ts';
import { checkRules } from './rule-checks.ts';

/** Routes against one another and against the public URLs. */
export function checkRoutes(draft: ConfigDraft, isWritten: IsWritten): Finding[] {
  const routes = draft.routes ?? [];
  return routes.flatMap((route, i) => {
    if (route === undefined) return [];
    const path = childPath('routes', i);
    const earlier = routes.slice(0, i).filter((each) => each !== undefined);
    return [
      ...checkTwins(path, route, earlier),
      ...checkPlace(path, route, draft),
      ...checkUpstreams(path, route),
      ...checkTls(path, route, isWritten),
      ...checkSignIn(path, route),
      ...checkHeaders(path, route, isWritten),
      ...checkRules(path, route),
      ...checkLogout(path, route, draft),
    ];
  });
}

function checkTwins(path: string, route: RouteDraft, earlier: readonly RouteDraft[]): Finding[] {
  const findings: Finding[] = [];
  const twin = earlier.some(
    (other) => route.path !== undefined && other.path === route.path && hostKey(other) === hostKey(route),
  );
  if (twin) {
    const message = 'another route above has the same host and path, so this one would never be used';
    findings.push({ path: `${path}.path`, message, cure: 'write another path or host, or remove one of the two' });
  }
  if (route.name !== undefined && earlier.some((other) => other.name === route.name)) {
    findings.push({
      path: `${path}.name`,
      message: 'another route above has the same name',
      cure: 'write a name of its own: logs and metrics go by it',
    });
  }
  return findings;
}

/** What the route table tells routes apart by; ports it doesn't see. */
function hostKey({ host }: RouteDraft): string | undefined {
  return host?.hostname;
}

function checkPlace(path: string, { host, path: prefix, upstream }: RouteDraft, draft: ConfigDraft): Finding[] {
  const findings: Finding[] = [];
  const urls = (draft.public_url ?? []).filter((url) => url !== undefined);
  // With a hole among the public URLs the host may be the one that is missing.
  const known = urls.length > 0 && urls.length === draft.public_url?.length;
  if (host !== undefined && known && !urls.some((url) => serves(url, host))) {
    const message = 'no public_url has this host, so the route would never be used';
    findings.push({
      path: `${path}.host`,
      message,
      cure: `write one of ${urls.map((url) => url.host).join(', ')}, or add the host to public_url`,
    });
  } else if (host?.port !== undefined && urls.filter((url) => url.hostname === host.hostname).length > 1) {
    const message = 'routes do not tell ports of one host apart';
    findings.push({
      path: `${path}.host`,
      message,
      cure: 'write the host without its port: the route is for all of them',
    });
  }
  if (prefix !== undefined && draft.proxy_prefix !== undefined && isBelow(prefix, draft.proxy_prefix)) {
    const message = `paths under ${draft.proxy_prefix} belong to the gate itself and are never forwarded`;
    findings.push({ path: `${path}.path`, message, cure: 'write another path, or another proxy_prefix' });
  }
  for (const [i, each] of (upstream ?? []).entries()) {
    if (each === undefined || !urls.some((url) => url.origin === each.origin)) continue;
    const message = 'this is a public_url: the gate would forward to itself';
    const at = upstream!.length === 1 ? `${path}.upstream` : childPath(`${path}.upstream`, i);
    findings.push({ path: at, message, cure: 'write the address of the application behind the gate' });
  }
  return findings;
}

function serves(url: Origin, host: RequestHost): boolean {
  return url.hostname === host.hostname && (host.port === undefined || host.port === url.port);
}

/** The same one twice, or a way to choose where there is no choice. */
function checkUpstreams(path: string, { upstream, balance }: RouteDraft): Finding[] {
  const origins = (upstream ?? []).map((each) => each?.origin);
  const findings = origins.flatMap((origin, i) => {
    if (origin === undefined || origins.indexOf(origin) === i) return [];
    const message = 'the same upstream stands in this list before';
    return [{ path: childPath(`${path}.upstream`, i), message, cure: 'remove one of the two' }];
  });
  if (balance !== 'session' || origins.length !== 1) return findings;
  const message = 'there is one upstream, so there is nothing to choose';
  return [...findings, { path: `${path}.balance`, message, cure: 'remove it, or write several upstreams' }];
}

/** Nobody signs in where nobody has to, or by a token. */
function checkSignIn(path: string, { auth, access, authorization_params: parameters }: RouteDraft): Finding[] {
  const findings = checkParameters(path, parameters);
  if (!parameters?.size || auth === undefined) return findings;
  if ([auth, ...(access ?? []).map((rule) => rule?.auth)].some((ways) => ways?.includes('session'))) return findings;
  const message = 'nobody signs in on this route, so these parameters are not used';
  const cure = 'remove them, or let users sign in (auth: session)';
  return [...findings, { path: `${path}.authorization_params`, message, cure }];
}

function checkTls(path: string, { upstream, upstream_tls }: RouteDraft, isWritten: IsWritten): Finding[] {
  if (upstream_tls === undefined) return [];
  const at = `${path}.upstream_tls`;
  if (upstream?.some((each) => each?.scheme === 'http')) {
    return [
      {
        path: at,
        message: 'the upstream is plain http, so these certificates are not used',
        cure: 'write an https:// upstream, or remove upstream_tls',
      },
    ];
  }
  for (const [one, other] of [
    ['cert_file', 'key_file'],
    ['key_file', 'cert_file'],
  ] as const) {
    if (!isWritten(`${at}.${one}`) || isWritten(`${at}.${other}`)) continue;
    const message = one === 'cert_file' ? 'a client certificate without its key' : 'a key without its certificate';
    return [{ path: `${at}.${one}`, message, cure: `add ${other}, or remove ${one}` }];
  }
  return checkKeyPair(at, upstream_tls);
}

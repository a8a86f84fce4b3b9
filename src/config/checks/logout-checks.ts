// `routes[].logout` and `routes[].cookies`: what would never work, and what somebody must have meant otherwise.

import { foldHeaderName } from '../kinds/headers.ts';
import { isBelow, pathOfAddress } from '../kinds/paths.ts';
import { childPath, type Finding } from '../problem.ts';
import type { ConfigDraft, RouteDraft } from '../sections/config-file.ts';

/** Headers of an answer that browsers, caches and connections go by: a logout that took one away would break the answer. */
const MEANT_FOR_BROWSERS = new Set(
  [
    ...['accept-ranges', 'age', 'allow', 'cache-control', 'clear-site-data', 'content-disposition', 'content-encoding'],
    ...['content-language', 'content-location', 'content-range', 'content-security-policy', 'content-type', 'date'],
    ...['etag', 'expires', 'last-modified', 'link', 'location', 'pragma', 'refresh', 'retry-after', 'server', 'vary'],
    ...['strict-transport-security', 'via', 'www-authenticate', 'x-content-type-options', 'x-frame-options'],
  ].map(foldHeaderName),
);

/** One route's logout settings, against the route itself. */
export function checkLogout(at: string, route: RouteDraft, draft: ConfigDraft): Finding[] {
  return [
    ...checkSessions(at, route),
    ...checkJar(at, route),
    ...checkPaths(at, route, draft),
    ...checkResponseHeader(at, route),
    ...checkRelay(at, route, draft),
  ];
}

/** Nobody is known on a public route, so there is nothing to end. */
function checkSessions(at: string, { auth, logout }: RouteDraft): Finding[] {
  if (!auth?.includes('public') || logout === undefined) return [];
  const used = (logout.paths?.length ?? 0) > 0 || logout.response_header !== undefined;
  if (!used) return [];
  const message = 'this route is public: no request on it has a session that could end';
  return [{ path: `${at}.logout`, message, cure: 'remove logout, or let users sign in (auth: session)' }];
}

function checkJar(at: string, { auth, cookies }: RouteDraft): Finding[] {
  if (cookies !== 'jar' || !auth?.includes('public')) return [];
  const message = 'this route is public: no request on it has a session that could keep cookies';
  return [{ path: `${at}.cookies`, message, cure: 'write pass, or let users sign in (auth: session)' }];
}

function checkRelay(at: string, { logout }: RouteDraft, { public_url }: ConfigDraft): Finding[] {
  const url = URL.parse(logout?.relay?.url ?? '');
  if (url === null || !public_url?.some((each) => each?.origin === url.origin)) return [];
  const message = 'this is an address of the gate itself, and nobody is signed in any more when it is called';
  return [{ path: `${at}.logout.relay.url`, message, cure: "write the application's own address, behind the gate" }];
}

function checkPaths(at: string, { path, logout, access }: RouteDraft, { proxy_prefix }: ConfigDraft): Finding[] {
  return (logout?.paths ?? []).flatMap((address, i) => {
    if (address === undefined || path === undefined) return [];
    const logoutPath = pathOfAddress(address);
    const place = childPath(`${at}.logout.paths`, i);
    if (!isBelow(logoutPath, path)) {
      const message = `requests for this path never come here: its route is for ${path}`;
      return [{ path: place, message, cure: `write the whole path as the browser sends it, beginning with ${path}` }];
    }
    if (proxy_prefix !== undefined && isBelow(logoutPath, proxy_prefix)) {
      const message = `paths under ${proxy_prefix} belong to the gate itself and are never forwarded`;
      return [{ path: place, message, cure: "write the application's own logout address" }];
    }
    const first = access?.find((rule) => rule?.path !== undefined && isBelow(logoutPath, rule.path));
    if (first?.auth !== 'public' || first.methods !== undefined) return [];
    const message = 'a rule makes this path public: no request for it has a session that could end';
    return [{ path: place, message, cure: 'write a rule for this path, without auth: public, before that one' }];
  });
}

function checkResponseHeader(at: string, { logout, headers }: RouteDraft): Finding[] {
  const name = logout?.response_header;
  if (name === undefined) return [];
  const folded = foldHeaderName(name);
  const place = `${at}.logout.response_header`;
  const cure = 'write a header of its own, such as X-Portcullis-Logout';
  if (MEANT_FOR_BROWSERS.has(folded)) {
    return [{ path: place, message: 'browsers need this header, and the gate would take it away', cure }];
  }
  const identity = [...(headers?.set?.keys() ?? [])].find((each) => foldHeaderName(each) === folded);
  if (identity === undefined) return [];
  const message = `the application is told of the user by ${identity}, and would log everybody out where it echoes it`;
  return [{ path: place, message, cure }];
}

// What is allowed and yet worth saying at every start and check: nothing here keeps the gate from starting. Pure.

import { isLoopback } from './kinds/urls.ts';
import { childPath, type Finding } from './problem.ts';
import { ruleWarnings } from './rule-warnings.ts';
import type { ConfigFile } from './sections/config-file.ts';

/** Warnings about a file without mistakes. */
export function warnings(file: ConfigFile): Finding[] {
  return [
    ...plainHttpWarnings(file),
    ...portWarnings(file),
    ...audienceWarnings(file),
    ...tokenWarnings(file),
    ...file.routes.flatMap((route, i) => ruleWarnings(route, file, childPath('routes', i))),
    ...file.routes.flatMap((route, i) => relayWarnings(route, childPath('routes', i))),
    ...file.routes.flatMap((route, i) => jarWarnings(route, file.routes.slice(0, i), childPath('routes', i))),
  ];
}

function plainHttpWarnings({ public_url, provider }: ConfigFile): Finding[] {
  const findings: Finding[] = [];
  const plain = public_url.findIndex(({ scheme, hostname }) => scheme === 'http' && !isLoopback(hostname));
  if (plain !== -1) {
    const message =
      'plain http outside loopback was accepted (server.allow_http): passwords and sessions travel in the clear';
    findings.push({ path: `public_url[${plain}]`, message, cure: 'use https wherever anybody else is on the network' });
  }
  if (public_url.some(({ scheme }) => scheme === 'https') && public_url.some(({ scheme }) => scheme === 'http')) {
    const message = 'some origins are https and some plain http, so the session cookie of all of them is not Secure';
    findings.push({ path: 'public_url', message, cure: 'serve the plain-http ones by a gate of their own' });
  }
  const issuer = new URL(provider.issuer);
  if (issuer.protocol === 'http:' && !isLoopback(issuer.hostname)) {
    const message =
      'a plain-http provider outside loopback was accepted: whoever changes the traffic can sign in as anybody';
    findings.push({ path: 'provider.issuer', message, cure: 'use https, or accept it for tests only' });
  }
  return findings;
}

/** Keycloak's account console: unless a role mapping was taken away, it is in the token of every user and application. */
const EVERYBODYS_AUDIENCE = 'account';

function audienceWarnings({ provider }: ConfigFile): Finding[] {
  return provider.bearer_audiences.flatMap((audience, i) => {
    if (audience !== EVERYBODYS_AUDIENCE) return [];
    const message =
      'nearly every token of a Keycloak realm has this audience: one for any other application gets in here';
    const cure = 'give the clients that may call an audience mapper with client_id, and remove this one';
    return [{ path: `provider.bearer_audiences[${i}]`, message, cure }];
  });
}

/** 64 bits, as hexadecimal digits: nobody guesses them over a network. */
const LEAST_TOKEN_BYTES = 16;

function tokenWarnings({ admin }: ConfigFile): Finding[] {
  const key = admin.token === undefined ? 'token_file' : 'token';
  const token = admin[key];
  if (token === undefined || Buffer.byteLength(token.reveal()) >= LEAST_TOKEN_BYTES) return [];
  const message = `shorter than ${LEAST_TOKEN_BYTES} bytes, and whoever guesses it sees who is signed in and can end every session`;
  return [{ path: `admin.${key}`, message, cure: 'make one: openssl rand -base64 32' }];
}

/** A loopback address is this machine's own, so nothing stands between it and the listener. */
function portWarnings({ public_url, server }: ConfigFile): Finding[] {
  const { port } = server.listen;
  const here = public_url.findIndex(({ origin, hostname, scheme }) => {
    if (!isLoopback(hostname)) return false;
    return Number(new URL(origin).port || (scheme === 'https' ? 443 : 80)) !== port;
  });
  if (here === -1 || port === 0) return [];
  const message = `this address is on this machine, and the gate listens on port ${port}: nothing may answer there`;
  return [
    { path: `public_url[${here}]`, message, cure: 'set server.listen to the same port, unless something forwards it' },
  ];
}

type Route = ConfigFile['routes'][number];

function relayWarnings({ upstream, cookies, logout }: Route, at: string): Finding[] {
  const { relay } = logout;
  if (relay === undefined) return [];
  const findings: Finding[] = [];
  const { origin: relayOrigin } = new URL(relay.url);
  const origins = upstream.map(({ origin }) => origin);
  if (!origins.includes(relayOrigin)) {
    const message = `not the route's upstream: ${relayOrigin} gets the user's identity headers and the application's cookies`;
    const cure = `write an address at ${origins[0]}, unless this is the same application`;
    findings.push({ path: `${at}.logout.relay.url`, message, cure });
  }
  if (cookies === 'pass') {
    const message =
      "the gate has none of the application's cookies to call it with: it can end a session by the identity headers only";
    const cure = 'write cookies: jar, unless the application goes by those headers';
    findings.push({ path: `${at}.logout.relay`, message, cure });
  }
  return findings;
}

/** An application that knows a browser by its cookies on one route does not know it on the other. */
function jarWarnings({ upstream, cookies }: Route, earlier: readonly Route[], at: string): Finding[] {
  const origins = upstream.map(({ origin }) => origin);
  const other = earlier.find((route) => route.cookies !== cookies && origins.includes(route.upstream[0]!.origin));
  if (other === undefined) return [];
  const message = `another route to ${other.upstream[0]!.origin} says cookies: ${other.cookies}: the application will not know a user of one route on the other`;
  return [
    { path: `${at}.cookies`, message, cure: 'write the same for both, unless the application has no sessions there' },
  ];
}

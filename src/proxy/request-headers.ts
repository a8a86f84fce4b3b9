// From a client's raw headers to those that the upstream sees (RFC 9110 section 7.6; RFC 9700 section 4.13: what carries
// security meaning is the proxy's to say). One pass, spelling, order and repeats kept; the gate's own headers come last.

import { escapedPath } from './escaped-path.ts';
import { RequestHeaderClasses } from './header-names.ts';
import { type OwnCookieNames, OwnCookies } from './own-cookies.ts';

export interface RequestHeaderPolicyOptions {
  /** Every name that any route sets or any preset knows: removed from what clients send, on public paths too. */
  readonly identityNames: Iterable<string>;
  readonly ownCookies: OwnCookieNames;
  /** The Host that the upstream sees, unless the client's own is kept. */
  readonly upstreamHost: string;
  readonly preserveHost: boolean;
  /** What is taken off the path: X-Forwarded-Prefix, as Traefik sends it. */
  readonly strippedPrefix?: string;
}

/** What the gate knows of the client's connection: X-Forwarded-For, -Host, -Proto and -Port. */
export interface ForwardedFacts {
  readonly for: string;
  readonly host: string;
  readonly proto: string;
  readonly port: string;
}

/** What the gate adds to one request. */
export interface GateHeaders {
  readonly forwarded: ForwardedFacts;
  /** Flat pairs: who the user is. Empty on public paths. */
  readonly identity: readonly string[];
  /** In the place of the client's own cookies, '' for none; undefined: they go on, without the gate's. */
  readonly cookie?: string | undefined;
}

const NOT_NAMEABLE = new Set(['content-length', 'transfer-encoding', 'host', 'cookie', 'authorization']);
/** They authenticate a connection, and ours to the upstream are shared. */
const CONNECTION_BOUND_AUTH = /^\s*(?:ntlm|negotiate)\b/i;

/** Makes an upstream's request headers out of a client's; one per route. */
export class RequestHeaderPolicy {
  readonly #classes: RequestHeaderClasses;
  readonly #ownCookies: OwnCookies;
  readonly #upstreamHost: string | undefined;
  readonly #strippedPrefix: string;

  constructor(options: RequestHeaderPolicyOptions) {
    this.#classes = new RequestHeaderClasses(options.identityNames);
    this.#ownCookies = new OwnCookies(options.ownCookies);
    this.#upstreamHost = options.preserveHost ? undefined : options.upstreamHost;
    this.#strippedPrefix = escapedPath(options.strippedPrefix ?? '');
  }

  /**
   * Complete raw pairs for the upstream: Host first, then what the client may send, X-Forwarded-*, and the identity last.
   * Content-Length stays (undici checks the body against it), Transfer-Encoding is left to whoever writes the body.
   */
  build(rawHeaders: readonly string[], { forwarded, identity, cookie }: GateHeaders): string[] {
    const named = connectionNamed(rawHeaders);
    const out: string[] = ['Host', this.#upstreamHost ?? forwarded.host];
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = rawHeaders[i]!;
      const value = rawHeaders[i + 1]!;
      if (named?.has(name.toLowerCase())) continue;
      switch (this.#classes.of(name)) {
        case 'pass':
        case 'contentLength':
          out.push(name, value);
          break;
        case 'cookie': {
          if (cookie !== undefined) break;
          const rest = this.#ownCookies.strip(value);
          if (rest !== '') out.push(name, rest);
          break;
        }
        case 'authorization':
          // These tie a user to a connection, and ours are shared: see the refusal of the upstream's challenge.
          if (!CONNECTION_BOUND_AUTH.test(value)) out.push(name, value);
          break;
      }
    }
    if (cookie) out.push('Cookie', cookie);
    out.push('X-Forwarded-For', forwarded.for, 'X-Forwarded-Host', forwarded.host);
    out.push('X-Forwarded-Proto', forwarded.proto, 'X-Forwarded-Port', forwarded.port);
    if (this.#strippedPrefix !== '') out.push('X-Forwarded-Prefix', this.#strippedPrefix);
    for (let i = 0; i < identity.length; i++) out.push(identity[i]!);
    return out;
  }

  /** Changes what `build` made, for another upstream than the policy's own. */
  readdress(headers: string[], upstreamHost: string): void {
    if (this.#upstreamHost !== undefined) headers[1] = upstreamHost;
  }
}

/**
 * Lower-case names that Connection headers list, or undefined where they list none but the usual. It cannot remove what
 * the gate itself relies on; identity headers are added after it (CVE-2026-33805, CVE-2024-45410).
 */
function connectionNamed(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let named: Set<string> | undefined;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i]!.length !== 10 || rawHeaders[i]!.toLowerCase() !== 'connection') continue;
    const value = rawHeaders[i + 1]!;
    if (value === 'keep-alive' || value === 'close' || value === 'Upgrade' || value === 'Keep-Alive') continue;
    for (const token of value.toLowerCase().split(',')) {
      const name = token.trim();
      if (name === '' || NOT_NAMEABLE.has(name)) continue;
      named ??= new Set();
      named.add(name);
    }
  }
  return named;
}

// From the upstream's raw response headers to those that the client sees: spelling, order and repeats kept, hop-by-hop and
// the gate's own cookies removed (RFC 9110 section 7.6.1). The same pass finds how the body is framed.

import { privateCacheControl, variesByCookie } from './cache-control.ts';
import { OriginRewrite, type OriginRewriteOptions } from './origin-rewrite.ts';
import { type OwnCookieNames, OwnCookies } from './own-cookies.ts';

export interface ResponseHeaderPolicyOptions {
  readonly ownCookies: OwnCookieNames;
  /** `private`: no shared cache may keep it, and a page of which the upstream says nothing no browser either (routes with sessions). */
  readonly cache: 'private' | 'as the upstream says';
  /** `keep`: the upstream's cookies do not go to the client, and are in `setCookies`. */
  readonly cookies?: 'pass' | 'keep';
  /** A header by which the upstream speaks to the gate alone: never the client's, its value is in `logoutAsked`. */
  readonly logoutHeader?: string;
  /** By what else than the cookie the answer of a private route may differ. */
  readonly alsoVariesBy?: 'Authorization';
  /** Absent: addresses go out as the upstream wrote them. */
  readonly rewrite?: OriginRewriteOptions;
}

export interface ResponseHead {
  readonly kind: 'head';
  /** Flat pairs for `writeHead`. */
  readonly headers: string[];
  /** Bytes of the body by Content-Length, -1 where there is none. */
  readonly contentLength: number;
  readonly chunked: boolean;
  readonly eventStream: boolean;
  /** `Set-Cookie` lines as the upstream wrote them, where they are kept from the client; undefined where there are none. */
  readonly setCookies: readonly string[] | undefined;
  /** What the upstream's logout header says; '' where it comes more than once with different values. */
  readonly logoutAsked: string | undefined;
}

/** Why a response is not passed on. */
export interface ResponseRefusal {
  readonly kind: 'refused';
  readonly code: 'upstream_invalid' | 'upstream_ntlm';
  readonly why: string;
}

type ResponseHeaderClass =
  | 'drop'
  | 'connection'
  | 'contentLength'
  | 'transferEncoding'
  | 'contentType'
  | 'setCookie'
  | 'location'
  | 'refresh'
  | 'challenge'
  | 'cacheControl'
  | 'sharedCache'
  | 'vary';

const CLASSES: ReadonlyMap<string, ResponseHeaderClass> = new Map([
  ['connection', 'connection'],
  ['keep-alive', 'drop'],
  ['proxy-connection', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['proxy-authentication-info', 'drop'],
  ['te', 'drop'],
  ['trailer', 'drop'],
  ['upgrade', 'drop'],
  ['content-length', 'contentLength'],
  ['transfer-encoding', 'transferEncoding'],
  ['content-type', 'contentType'],
  ['set-cookie', 'setCookie'],
  ['location', 'location'],
  ['content-location', 'location'],
  ['refresh', 'refresh'],
  ['www-authenticate', 'challenge'],
  ['cache-control', 'cacheControl'],
  ['vary', 'vary'],
  // Caches in front of us obey these before Cache-Control.
  ['cdn-cache-control', 'sharedCache'],
  ['cloudflare-cdn-cache-control', 'sharedCache'],
  ['surrogate-control', 'sharedCache'],
  ['x-accel-expires', 'sharedCache'],
]);

/** What a Connection header of the upstream cannot take away. */
const NOT_NAMEABLE = new Set(['content-length', 'set-cookie', 'cache-control', 'vary']);
const LONGEST = 28;
const SHORTEST = 2;
/** Schemes that authenticate a connection and not a request: another user would be handed it (CVE-2026-88007). */
const CONNECTION_BOUND = /(?:^|,)\s*(?:ntlm|negotiate)(?:\s|,|$)/i;
/** What the back button shows again after a logout, unless the browser keeps nothing of it (security catalogue LOGOUT-06). */
const PAGE = /^\s*(?:text\/html|application\/xhtml\+xml)\s*(?:;|$)/i;
const EVENT_STREAM = /^\s*text\/event-stream\s*(?:;|$)/i;

/** Makes a client's response headers out of an upstream's; one per route and public origin. */
export class ResponseHeaderPolicy {
  readonly #ownCookies: OwnCookies;
  readonly #private: boolean;
  readonly #keepsCookies: boolean;
  readonly #logoutHeader: string | undefined;
  readonly #alsoVariesBy: string | undefined;
  readonly #rewrite: OriginRewrite | undefined;

  constructor(options: ResponseHeaderPolicyOptions) {
    this.#ownCookies = new OwnCookies(options.ownCookies);
    this.#private = options.cache === 'private';
    this.#keepsCookies = options.cookies === 'keep';
    this.#logoutHeader = options.logoutHeader?.toLowerCase();
    this.#alsoVariesBy = options.alsoVariesBy;
    this.#rewrite = options.rewrite && new OriginRewrite(options.rewrite);
  }

  /** @param raw flat pairs, as bytes or as text */
  build(raw: readonly (Buffer | string)[]): ResponseHead | ResponseRefusal {
    const pass = new Pass();
    for (let i = 0; i < raw.length; i += 2) {
      const name = text(raw[i]!);
      const value = text(raw[i + 1]!);
      const length = name.length;
      const kind = length < SHORTEST || length > LONGEST ? undefined : CLASSES.get(name.toLowerCase());
      if (kind === undefined) pass.headers.push(name, value);
      else this.#take(pass, kind, name, value);
    }
    if (pass.refusal !== undefined) return pass.refusal;
    if (this.#logoutHeader !== undefined) pass.logoutAsked = takeOut(pass.headers, this.#logoutHeader);
    if (pass.named !== undefined) dropNamed(pass.headers, pass.named);
    if (this.#private) {
      if (!pass.hasCacheControl) pass.headers.push('Cache-Control', pass.isPage ? 'private, no-store' : 'private');
      if (!pass.variesByCookie) pass.headers.push('Vary', 'Cookie');
      if (this.#alsoVariesBy !== undefined) pass.headers.push('Vary', this.#alsoVariesBy);
    }
    return pass;
  }

  #take(pass: Pass, kind: ResponseHeaderClass, name: string, value: string): void {
    switch (kind) {
      case 'connection':
        if (value !== 'keep-alive' && value !== 'close') pass.name(value);
        return;
      case 'contentLength':
        pass.contentLength = Number(value);
        break;
      case 'transferEncoding':
        if (value.trim().toLowerCase() !== 'chunked') pass.refuse('upstream_invalid', 'an unknown transfer coding');
        pass.chunked = true;
        return;
      case 'contentType':
        pass.eventStream = EVENT_STREAM.test(value);
        pass.isPage = PAGE.test(value);
        break;
      case 'setCookie':
        if (this.#ownCookies.isSetBy(value)) return;
        if (this.#keepsCookies) {
          pass.setCookies ??= [];
          pass.setCookies.push(value);
          return;
        }
        pass.headers.push(name, this.#rewrite?.setCookie(value) ?? value);
        return;
      case 'location':
        pass.headers.push(name, this.#rewrite?.location(value) ?? value);
        return;
      case 'refresh':
        pass.headers.push(name, this.#rewrite?.refresh(value) ?? value);
        return;
      case 'challenge':
        if (CONNECTION_BOUND.test(value)) pass.refuse('upstream_ntlm', 'a challenge that authenticates the connection');
        break;
      case 'cacheControl':
        pass.hasCacheControl = true;
        pass.headers.push(name, this.#private ? privateCacheControl(value) : value);
        return;
      case 'sharedCache':
        if (this.#private) return;
        break;
      case 'vary':
        pass.variesByCookie ||= variesByCookie(value);
        break;
      case 'drop':
        return;
    }
    pass.headers.push(name, value);
  }
}

/** What one pass over the headers gathers. */
class Pass implements ResponseHead {
  readonly kind = 'head';
  readonly headers: string[] = [];
  contentLength = -1;
  chunked = false;
  eventStream = false;
  setCookies: string[] | undefined = undefined;
  logoutAsked: string | undefined = undefined;
  hasCacheControl = false;
  isPage = false;
  variesByCookie = false;
  named: Set<string> | undefined = undefined;
  refusal: ResponseRefusal | undefined = undefined;

  refuse(code: ResponseRefusal['code'], why: string): void {
    this.refusal ??= { kind: 'refused', code, why };
  }

  name(connection: string): void {
    for (const token of connection.toLowerCase().split(',')) {
      const name = token.trim();
      if (name === '' || NOT_NAMEABLE.has(name)) continue;
      this.named ??= new Set();
      this.named.add(name);
    }
  }
}

function dropNamed(headers: string[], named: ReadonlySet<string>): void {
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (named.has(headers[i]!.toLowerCase())) continue;
    headers[kept++] = headers[i]!;
    headers[kept++] = headers[i + 1]!;
  }
  headers.length = kept;
}

/** Removes every header of this lower-case name; its value, trimmed, or '' where they differ. */
function takeOut(headers: string[], name: string): string | undefined {
  let found: string | undefined;
  let kept = 0;
  for (let i = 0; i < headers.length; i += 2) {
    if (headers[i]!.toLowerCase() === name) {
      const value = headers[i + 1]!.trim();
      found = found === undefined || found === value ? value : '';
      continue;
    }
    headers[kept++] = headers[i]!;
    headers[kept++] = headers[i + 1]!;
  }
  headers.length = kept;
  return found;
}

function text(bytes: Buffer | string): string {
  return typeof bytes === 'string' ? bytes : bytes.toString('latin1');
}

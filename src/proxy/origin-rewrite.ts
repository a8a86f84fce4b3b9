// An upstream's own addresses in Location, Content-Location, Refresh and Set-Cookie, turned into public ones (RFC 9110
// section 10.2.2, RFC 6265 section 5.2). Only the exact origin: a prefix of text is not an origin (`http://wiki:3000@evil`,
// `http://wiki:30001`). Where a prefix was stripped, the upstream's paths are put below it again.

import { escapedPath } from './escaped-path.ts';

export interface OriginRewriteOptions {
  /** Scheme, host and port, no path; all. */
  readonly upstreamOrigins: readonly string[];
  /** Origins besides, by which the upstream may call itself: it is asked under the public host, and sees no TLS. */
  readonly aliases?: readonly string[];
  readonly publicOrigin: string;
  /** What `strip_prefix` took off the path: put back, unless the upstream has done it (X-Forwarded-Prefix). */
  readonly strippedPrefix?: string;
}

/** Scheme, if any, and authority (RFC 3986 section 4.2: `//host` is the scheme of whoever reads it). */
const BEGINNING = /^(https?:)?\/\/([^/?#\\]*)(?=$|[/?#])/i;
/** A path that leads elsewhere than it seems to. */
const DOT_SEGMENT = /^[^?#]*\/(?:\.|%2e){1,2}(?:[/?#]|$)/i;
/** Seconds, and what stands before the address: `5; url=`. */
const REFRESH_HEAD = /^[\t ]*\d+(?:\.\d*)?[\t ]*[;,][\t ]*(?:url[\t ]*=[\t ]*)?["']?/i;
const COOKIE_PATH = /(;[ \t]*path[ \t]*=[ \t]*)(\/[^;]*)/gi;
/** Browsers take these for the whole host only. */
const HOST_COOKIE = /^[ \t]*__host-/i;

export class OriginRewrite {
  readonly #own: ReadonlySet<string>;
  readonly #publicOrigin: string;
  readonly #prefix: string;
  readonly #cookieDomain: RegExp;

  constructor(options: OriginRewriteOptions) {
    const { upstreamOrigins, aliases = [], publicOrigin, strippedPrefix = '' } = options;
    const upstreams = upstreamOrigins.map((origin) => new URL(origin));
    this.#own = new Set([...upstreams.map(({ origin }) => origin), ...aliases]);
    this.#publicOrigin = publicOrigin;
    this.#prefix = escapedPath(strippedPrefix);
    const hosts = upstreams.map(({ hostname }) => hostname.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
    this.#cookieDomain = new RegExp(`;[ \\t]*domain[ \\t]*=[ \\t]*\\.?(?:${hosts})[ \\t]*(?=;|$)`, 'gi');
  }

  /** Relative references, other origins and what cannot be parsed stay as they are. */
  location(value: string): string {
    const [beginning, scheme, authority] = BEGINNING.exec(value) ?? [];
    if (beginning !== undefined) {
      const isOwn = this.#isOwn(scheme, authority!);
      return isOwn ? this.#publicOrigin + this.#below(value.slice(beginning.length)) : value;
    }
    return value.startsWith('/') && !value.startsWith('//') ? this.#below(value) : value;
  }

  /** `0; url=…`, as browsers read it (HTML, "shared declarative refresh steps"). */
  refresh(value: string): string {
    const head = REFRESH_HEAD.exec(value)?.[0];
    return head === undefined ? value : head + this.location(value.slice(head.length));
  }

  /** Without the upstream's host name as Domain, which no browser on the public name would accept; its Path below the prefix. */
  setCookie(value: string): string {
    const ours = value.replace(this.#cookieDomain, '');
    if (this.#prefix === '' || HOST_COOKIE.test(ours)) return ours;
    return ours.replace(COOKIE_PATH, (_, head: string, path: string) => {
      if (isBelow(path.trimEnd(), this.#prefix)) return head + path;
      return head + this.#prefix + (path === '/' ? '' : path);
    });
  }

  #isOwn(scheme: string | undefined, authority: string): boolean {
    if (authority.includes('@')) return false;
    const schemes = scheme === undefined ? ['http:', 'https:'] : [scheme];
    return schemes.some((each) => this.#own.has(URL.parse(`${each}//${authority}`)?.origin ?? ''));
  }

  /** The rest of an own address, from its path on. */
  #below(rest: string): string {
    if (this.#prefix === '') return rest;
    const path = DOT_SEGMENT.test(rest) ? this.#resolved(rest) : rest;
    return isBelow(path, this.#prefix) ? path : this.#prefix + path;
  }

  #resolved(rest: string): string {
    const { pathname, search, hash } = new URL(this.#publicOrigin + rest);
    return pathname + search + hash;
  }
}

/** A `Set-Cookie` as an upstream means it to which `strippedPrefix` was told: its Path without that. */
export function withoutCookiePrefix(line: string, strippedPrefix: string): string {
  const prefix = escapedPath(strippedPrefix);
  return line.replace(COOKIE_PATH, (whole, head: string, path: string) =>
    isBelow(path.trimEnd(), prefix) ? `${head}${path.slice(prefix.length).trimEnd() || '/'}` : whole,
  );
}

/** By whole segments. */
function isBelow(address: string, prefix: string): boolean {
  return address.startsWith(prefix) && /^(?:$|[/?#])/.test(address.slice(prefix.length));
}

// An upstream's own addresses in Location, Content-Location, Refresh and Set-Cookie, turned into public ones (RFC 9110
// section 10.2.2, RFC 6265 section 5.2). Only the exact origin: a prefix of text is not an origin (`http://wiki:3000@evil`,
// `http://wiki:30001`). Where a prefix was stripped, the upstream's paths are put below it again.

export interface OriginRewriteOptions {
  /** Scheme, host and port, no path; all. */
  readonly upstreamOrigins: readonly string[];
  readonly publicOrigin: string;
  /** What `strip_prefix` took off the path: put back. */
  readonly strippedPrefix?: string;
}

/** Seconds, and what stands before the address: `5; url=`. */
const REFRESH_HEAD = /^[\t ]*\d+(?:\.\d*)?[\t ]*[;,][\t ]*(?:url[\t ]*=[\t ]*)?["']?/i;
const COOKIE_PATH = /(;[ \t]*path[ \t]*=[ \t]*)(\/[^;]*)/gi;
/** Browsers take these for the whole host only. */
const HOST_COOKIE = /^[ \t]*__host-/i;

export class OriginRewrite {
  readonly #origins: readonly string[];
  readonly #replacement: string;
  readonly #prefix: string;
  readonly #cookieDomain: RegExp;

  constructor(options: OriginRewriteOptions) {
    const upstreams = options.upstreamOrigins.map((origin) => new URL(origin));
    this.#origins = upstreams.flatMap(spellings);
    // As a header spells it.
    this.#prefix = options.strippedPrefix ? new URL(options.strippedPrefix, options.publicOrigin).pathname : '';
    this.#replacement = options.publicOrigin + this.#prefix;
    const hosts = upstreams.map(({ hostname }) => hostname.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|');
    this.#cookieDomain = new RegExp(`;[ \\t]*domain[ \\t]*=[ \\t]*\\.?(?:${hosts})[ \\t]*(?=;|$)`, 'gi');
  }

  location(value: string): string {
    // A path of the upstream's; two slashes begin another host.
    if (value.startsWith('/')) return value.startsWith('//') ? value : this.#prefix + value;
    for (const origin of this.#origins) {
      if (!value.startsWith(origin)) continue;
      const next = value.charAt(origin.length);
      if (next === '' || next === '/' || next === '?' || next === '#') {
        return this.#replacement + value.slice(origin.length);
      }
    }
    return value;
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
    return ours.replace(
      COOKIE_PATH,
      (_, head: string, path: string) => head + this.#prefix + (path === '/' ? '' : path),
    );
  }
}

/** The default port may be written out, and then comes first: the shorter one is its beginning. */
function spellings({ origin, port, protocol }: URL): string[] {
  return port === '' ? [`${origin}:${protocol === 'https:' ? 443 : 80}`, origin] : [origin];
}

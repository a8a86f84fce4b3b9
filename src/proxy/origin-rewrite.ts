// An upstream's own address in Location and Set-Cookie, turned into the public one (RFC 9110 section 10.2.2). Only the exact
// origin: a prefix of text is not an origin (`http://wiki:3000@evil`, `http://wiki:30001`).

export interface OriginRewriteOptions {
  /** Scheme, host and port, no path; both. */
  readonly upstreamOrigin: string;
  readonly publicOrigin: string;
  /** What `strip_prefix` took off the path: put back. */
  readonly strippedPrefix?: string;
}

export class OriginRewrite {
  readonly #origins: readonly string[];
  readonly #replacement: string;
  readonly #cookieDomain: RegExp;

  constructor(options: OriginRewriteOptions) {
    const upstream = new URL(options.upstreamOrigin);
    const defaultPort = upstream.protocol === 'https:' ? '443' : '80';
    this.#origins = upstream.port === '' ? [`${upstream.origin}:${defaultPort}`, upstream.origin] : [upstream.origin];
    this.#replacement = options.publicOrigin + (options.strippedPrefix ?? '');
    const host = upstream.hostname.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    this.#cookieDomain = new RegExp(`;[ \\t]*domain[ \\t]*=[ \\t]*\\.?${host}[ \\t]*(?=;|$)`, 'gi');
  }

  location(value: string): string {
    for (const origin of this.#origins) {
      if (!value.startsWith(origin)) continue;
      const next = value.charAt(origin.length);
      if (next === '' || next === '/' || next === '?' || next === '#') {
        return this.#replacement + value.slice(origin.length);
      }
    }
    return value;
  }

  /** Without the upstream's host name as Domain, which no browser on the public name would accept. */
  setCookie(value: string): string {
    return value.replace(this.#cookieDomain, '');
  }
}

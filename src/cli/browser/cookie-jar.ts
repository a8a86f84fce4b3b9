// The cookies of one browser (RFC 6265 as far as a gate can tell): host, Domain, Path, Secure, expiry, and the name
// prefixes __Host- and __Secure-. Loopback counts as secure, as it does in Chromium.

interface StoredCookie {
  name: string;
  value: string;
  domain: string;
  isHostOnly: boolean;
  path: string;
  isSecure: boolean;
  isHttpOnly: boolean;
  sameSite: string | undefined;
  expiresAt: number;
}

/** Keeps what `Set-Cookie` says and gives back what a browser would send to a URL. */
export class CookieJar {
  readonly #cookies: StoredCookie[] = [];

  /** Takes one `Set-Cookie` line of an answer from `url`; a line that a browser refuses changes nothing. */
  take(line: string, url: URL): void {
    const cookie = parse(line, url);
    if (cookie === undefined) return;
    const before = this.#cookies.findIndex(
      (other) => other.name === cookie.name && other.domain === cookie.domain && other.path === cookie.path,
    );
    if (before >= 0) this.#cookies.splice(before, 1);
    if (cookie.expiresAt > Date.now()) this.#cookies.push(cookie);
  }

  /** The `Cookie` header for `url`, longest path first; undefined when there is none to send. */
  header(url: URL): string | undefined {
    const sent = this.#cookies
      .filter((cookie) => cookie.expiresAt > Date.now() && isSentTo(cookie, url))
      .sort((a, b) => b.path.length - a.path.length);
    return sent.length === 0 ? undefined : sent.map(({ name, value }) => `${name}=${value}`).join('; ');
  }

  /** The value of the cookie `name` that `url` would be sent. */
  value(name: string, url: string | URL): string | undefined {
    return this.#cookies.find((cookie) => cookie.name === name && isSentTo(cookie, new URL(url)))?.value;
  }

  /** Names of all cookies that are kept. */
  names(): string[] {
    return this.#cookies.map(({ name }) => name);
  }

  /** Puts a cookie in by hand: one that was stolen, or is kept after it was taken away. */
  put(name: string, value: string, url: string | URL): void {
    this.take(`${name}=${value}; Path=/`, new URL(url));
  }

  /** Forgets the cookies of one name. */
  remove(name: string): void {
    for (let at = this.#cookies.length - 1; at >= 0; at -= 1) {
      if (this.#cookies[at]!.name === name) this.#cookies.splice(at, 1);
    }
  }

  clear(): void {
    this.#cookies.length = 0;
  }
}

function parse(line: string, url: URL): StoredCookie | undefined {
  const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
  const equals = pair.indexOf('=');
  if (equals < 1) return undefined;
  const cookie: StoredCookie = {
    name: pair.slice(0, equals),
    value: pair.slice(equals + 1),
    domain: url.hostname,
    isHostOnly: true,
    path: url.pathname.slice(0, Math.max(1, url.pathname.lastIndexOf('/'))),
    isSecure: false,
    isHttpOnly: false,
    sameSite: undefined,
    expiresAt: Number.POSITIVE_INFINITY,
  };
  let maxAgeSeconds: number | undefined;
  for (const attribute of attributes) {
    const [key = '', value = ''] = attribute.split(/=(.*)/s);
    const name = key.toLowerCase();
    if (name === 'path' && value.startsWith('/')) cookie.path = value;
    else if (name === 'domain' && value !== '') {
      cookie.domain = value.replace(/^\./, '').toLowerCase();
      cookie.isHostOnly = false;
    } else if (name === 'secure') cookie.isSecure = true;
    else if (name === 'httponly') cookie.isHttpOnly = true;
    else if (name === 'samesite') cookie.sameSite = value;
    else if (name === 'expires') cookie.expiresAt = Date.parse(value) || cookie.expiresAt;
    else if (name === 'max-age') maxAgeSeconds = Number(value);
  }
  if (maxAgeSeconds !== undefined) cookie.expiresAt = maxAgeSeconds <= 0 ? 0 : Date.now() + maxAgeSeconds * 1000;
  return isAccepted(cookie, url) ? cookie : undefined;
}

function isAccepted(cookie: StoredCookie, url: URL): boolean {
  if (!cookie.isHostOnly && !isWithin(url.hostname, cookie.domain)) return false;
  if (cookie.isSecure && !isTrustworthy(url)) return false;
  if (cookie.name.startsWith('__Host-')) return cookie.isSecure && cookie.isHostOnly && cookie.path === '/';
  return !cookie.name.startsWith('__Secure-') || cookie.isSecure;
}

function isSentTo(cookie: StoredCookie, url: URL): boolean {
  const isHost = cookie.isHostOnly ? url.hostname === cookie.domain : isWithin(url.hostname, cookie.domain);
  const isPath =
    url.pathname === cookie.path ||
    (url.pathname.startsWith(cookie.path) && (cookie.path.endsWith('/') || url.pathname[cookie.path.length] === '/'));
  return isHost && isPath && (!cookie.isSecure || isTrustworthy(url));
}

function isWithin(host: string, domain: string): boolean {
  return host === domain || host.endsWith(`.${domain}`);
}

function isTrustworthy(url: URL): boolean {
  return url.protocol === 'https:' || url.protocol === 'wss:' || /^(127\.|localhost$|\[::1\]$)/.test(url.hostname);
}

// Cookies as the gate reads and writes them (RFC 10025). Read strictly: a name that comes twice is nobody's.

/** Deeper paths and longer names than anybody has; what an answer says must be bounded. */
const MOST_LEVELS = 6;

/** What the gate's cookies have in common: how they are named and how far they reach. */
export interface CookieScope {
  /** The session cookie's name. */
  readonly sessionName: string;
  /** The name of the cookie that says who was signed in last: the session cookie's, and more behind it. */
  readonly lastUserName: string;
  /** Names of login transaction cookies begin so. */
  readonly loginPrefix: string;
  readonly secure: boolean;
  readonly sameSite: 'lax' | 'strict' | 'none';
  readonly domain: string | undefined;
  /** Path of login transaction cookies: the callback, and nothing else, sees them. */
  readonly callbackPath: string;
}

/**
 * The value of the one cookie with this name; undefined where there is none or more than one (cookie tossing: an
 * attacker's copy must never win by standing first or last).
 */
export function readCookie(header: string | undefined, name: string): string | undefined {
  if (header === undefined) return undefined;
  let found: string | undefined;
  let start = 0;
  while (start < header.length) {
    let end = header.indexOf(';', start);
    if (end === -1) end = header.length;
    let from = start;
    while (from < end && isBlank(header.charCodeAt(from))) from++;
    if (header.startsWith(name, from) && header.charCodeAt(from + name.length) === 0x3d) {
      if (found !== undefined) return undefined;
      found = header.slice(from + name.length + 1, end).trimEnd();
    }
    start = end + 1;
  }
  return found;
}

/** True where the name comes more than once: somebody else's copy lies beside ours. */
export function isTossed(header: string | undefined, name: string): boolean {
  return cookieNames(header, name).filter((found) => found === name).length > 1;
}

/**
 * `Set-Cookie`s that remove every copy of the session cookie that a request for `target` on `host` can have brought along:
 * for each path above it, and for each domain above the host.
 */
export function expiredCopies(scope: CookieScope, { target, host }: { target: string; host: string }): string[] {
  const segments = target.split('?')[0]!.split('/').slice(1, MOST_LEVELS);
  const paths = ['/', ...segments.map((_, at) => `/${segments.slice(0, at + 1).join('/')}`)];
  const labels = host.replace(/:\d+$/, '').split('.').slice(-MOST_LEVELS);
  const domains = labels.slice(0, -1).map((_, at) => `; Domain=${labels.slice(at).join('.')}`);
  const end = `; Max-Age=0; HttpOnly${scope.secure ? '; Secure' : ''}`;
  return paths.flatMap((path) =>
    ['', ...domains].map((domain) => `${scope.sessionName}=; Path=${path}${domain}${end}`),
  );
}

/** Names of the cookies in `header` that begin with `prefix`. */
export function cookieNames(header: string | undefined, prefix: string): string[] {
  if (header === undefined) return [];
  const names: string[] = [];
  for (const pair of header.split(';')) {
    const name = pair.slice(0, pair.indexOf('=')).trim();
    if (name.startsWith(prefix)) names.push(name);
  }
  return names;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** `Set-Cookie` for the session: host-wide, unreadable to scripts, gone with the browser. */
export function sessionCookie(scope: CookieScope, value: string): string {
  return attributes(scope, `${scope.sessionName}=${value}; Path=/`);
}

/**
 * `Set-Cookie`s for a user who leaves: the session cookie, and who was signed in last, are removed. With the attributes that
 * they were set with, or browsers keep them.
 */
export function farewellCookies(scope: CookieScope): string[] {
  return [scope.sessionName, scope.lastUserName].map((name) => attributes(scope, `${name}=; Path=/; Max-Age=0`));
}

/** `Set-Cookie` that says who was signed in last; it reaches as far as the session cookie. */
export function lastUserCookie(scope: CookieScope, value: string): string {
  return attributes(scope, `${scope.lastUserName}=${value}; Path=/`);
}

/** `Set-Cookie` for one login transaction. Lax, whatever the session cookie is: the callback is a cross-site redirect. */
export function loginCookie(scope: CookieScope, name: string, value: string, maxAgeSeconds: number): string {
  const secure = scope.secure ? '; Secure' : '';
  return `${name}=${value}; Path=${scope.callbackPath}; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${secure}`;
}

function attributes(scope: CookieScope, pair: string): string {
  const domain = scope.domain === undefined ? '' : `; Domain=${scope.domain}`;
  const sameSite = `; SameSite=${scope.sameSite[0]!.toUpperCase()}${scope.sameSite.slice(1)}`;
  return `${pair}${domain}; HttpOnly${sameSite}${scope.secure ? '; Secure' : ''}`;
}

// What an application's cookies mean (RFC 6265bis section 5), by tough-cookie, and the bounds of a jar. Pure: jars are
// lists of texts here, wherever they are kept.

import { Cookie, CookieJar, cookieCompare, domainMatch, MemoryCookieStore } from 'tough-cookie';
import type { JarChanges } from './jar-store.ts';

/** A request to the application, as its cookies see it. */
export interface CookiePlace {
  /** The client's side of it: whether `Secure` cookies travel. */
  readonly scheme: 'http' | 'https';
  /** The path and query that the application is asked for. */
  readonly target: string;
}

/** An application may be known to itself by its own host name or by the public one; any other domain is somebody else's. */
export interface SetCookiePlace extends CookiePlace {
  readonly hosts: readonly string[];
}

/** What RFC 6265bis section 5.8 wants to know of who asks: `strict` for the site itself, `none` for another one. */
export type SameSiteContext = 'strict' | 'lax' | 'none';

/** As browsers have it (RFC 6265bis sections 5.6 and 5.7): octets of name and value, and of the path. */
const MAX_COOKIE_BYTES = 4096;
const MAX_PATH_BYTES = 1024;
/** The least that browsers offer one host. What is over goes, the oldest first. */
const MAX_COOKIES = 50;
/** Of a whole jar, names and values: twice of what servers take as a request's header. */
const MAX_JAR_BYTES = 32 * 1024;
/** Of one answer; the last ones count. */
const MAX_LINES = 100;

/** Jars know no hosts: each belongs to one application, which is always asked under the same one. */
const HOST = 'application.invalid';

/** The Cookie header for a request, '' where no cookie goes with it. */
export function cookieHeader(cookies: readonly string[], place: CookiePlace, sameSiteContext: SameSiteContext): string {
  if (cookies.length === 0) return '';
  return jarOf(cookies.map(parsed)).getCookieStringSync(urlOf(place), { sameSiteContext });
}

/** What the `Set-Cookie` lines of an answer change in a jar; those that a browser would refuse change nothing. */
export function changesBy(cookies: readonly string[], lines: readonly string[], place: SetCookiePlace): JarChanges {
  const held = new Map(cookies.map((text) => [keyOf(parsed(text)), parsed(text)]));
  const jar = jarOf([...held.values()]);
  const changes = new Map<string, string | undefined>();
  for (const line of lines.slice(-MAX_LINES)) {
    const cookie = cookieIn(line, place.hosts);
    if (cookie === undefined) continue;
    const kept = jar.setCookieSync(cookie, urlOf(place), { ignoreError: true });
    if (kept === undefined) continue;
    const isOver = kept.TTL() <= 0;
    if (isOver) held.delete(keyOf(kept));
    else held.set(keyOf(kept), kept);
    changes.set(keyOf(kept), isOver ? undefined : JSON.stringify(kept.toJSON()));
  }
  for (const cookie of tooMany([...held.values()])) changes.set(keyOf(cookie), undefined);
  return changes;
}

/** The cookie that a line sets, as a browser would keep it; undefined where it would not. */
function cookieIn(line: string, hosts: readonly string[]): Cookie | undefined {
  const cookie = Cookie.parse(line);
  if (cookie === undefined || isTooLarge(cookie) || !isAtHome(cookie, hosts)) return undefined;
  // Whatever host it names, it stays with this application.
  cookie.domain = null;
  // Attributes that nobody knows mean nothing, and would count nowhere.
  cookie.extensions = null;
  // What browsers take for the default (RFC 6265bis section 5.6.7.1).
  cookie.sameSite ??= 'lax';
  return cookie;
}

/** Those that must go, so that the rest is within the bounds. */
function tooMany(cookies: readonly Cookie[]): Cookie[] {
  const oldestFirst = cookies.toSorted((a, b) => createdAt(a) - createdAt(b));
  let bytes = oldestFirst.reduce((sum, cookie) => sum + bytesOf(cookie), 0);
  const gone: Cookie[] = [];
  for (const cookie of oldestFirst) {
    if (oldestFirst.length - gone.length <= MAX_COOKIES && bytes <= MAX_JAR_BYTES) break;
    gone.push(cookie);
    bytes -= bytesOf(cookie);
  }
  return gone;
}

function isAtHome({ domain }: Cookie, hosts: readonly string[]): boolean {
  if (domain === null) return true;
  try {
    return hosts.some((host) => domainMatch(host, domain) === true);
  } catch {
    // No name that any host could have.
    return false;
  }
}

function isTooLarge(cookie: Cookie): boolean {
  return bytesOf(cookie) > MAX_COOKIE_BYTES || Buffer.byteLength(cookie.path ?? '') > MAX_PATH_BYTES;
}

function bytesOf({ key, value }: Cookie): number {
  return Buffer.byteLength(key) + Buffer.byteLength(value);
}

function createdAt({ creation }: Cookie): number {
  return creation instanceof Date ? creation.getTime() : 0;
}

/** A jar tells cookies apart by name and path (RFC 6265bis section 5.7, step 23; the domain is always the same). */
function keyOf({ path, key }: Cookie): string {
  return `${path} ${key}`;
}

function parsed(text: string): Cookie {
  const cookie = Cookie.fromJSON(text);
  if (cookie === undefined) throw new Error('a jar holds a text that is no cookie');
  return cookie;
}

function jarOf(cookies: readonly Cookie[]): CookieJar {
  const store = new MemoryCookieStore();
  for (const cookie of cookies.toSorted(cookieCompare)) void store.putCookie(cookie);
  return new CookieJar(store, { rejectPublicSuffixes: false, prefixSecurity: 'strict' });
}

function urlOf({ scheme, target }: CookiePlace): string {
  return `${scheme}://${HOST}${target}`;
}

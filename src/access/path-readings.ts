// A raw request path as every upstream may read it: canonical ones have one reading and are found out in one pass
// (design: decided.md, "a path that isn't canonical"; security catalogue PATH-01 to PATH-26).

import { CHARACTER_KINDS, DOT, PLAIN, QUERY, REFUSED, SLASH } from './path-characters.ts';
import { type DecodedPath, decodeEscapes, readEscapes } from './path-escapes.ts';

/** More readings than this no honest path has (a dozen is much); the rest is refused rather than computed. */
const MAX_READINGS = 96;

/** Nor more text in all of them together: it bounds what a hostile path of 8 KiB costs to a few milliseconds. */
const MAX_READ_CHARACTERS = 64 * 1024;

export interface PathReadings {
  readonly kind: 'readings';
  /** Public rules hold only for canonical paths: no `//`, dot segments, `\`, `;`, and no escape that hides a character. */
  readonly canonical: boolean;
  /** Every reading, decoded; the first is what a server sees that only undoes harmless escapes. */
  readonly paths: readonly string[];
}

/** Refused with 400 whatever the route says. `why` is for operators and quotes nothing of the request. */
export interface BadPath {
  readonly kind: 'bad';
  readonly why: string;
}

/**
 * The end of the path in `target` (its length, or the index of `?`) if the path is plain ASCII and every reader agrees on
 * it, else -1. One pass, no allocation: the answer for nearly every request.
 */
export function plainPathEnd(target: string): number {
  const length = target.length;
  if (length === 0 || target.charCodeAt(0) !== 0x2f) return -1;
  let segmentStart = 1;
  let onlyDots = true;
  let at = 1;
  for (; at < length; at++) {
    const kind = CHARACTER_KINDS[target.charCodeAt(at)];
    if (kind === PLAIN) onlyDots = false;
    else if (kind === SLASH) {
      const size = at - segmentStart;
      // None, one or two dots: an empty segment or a dot segment.
      if (onlyDots && size <= 2) return -1;
      segmentStart = at + 1;
      onlyDots = true;
    } else if (kind === QUERY) break;
    else if (kind !== DOT) return -1;
  }
  const size = at - segmentStart;
  if (onlyDots && (size === 1 || size === 2)) return -1;
  // A raw `#` behind the path too: some servers cut there, and no browser sends one.
  return at < length && target.indexOf('#', at) !== -1 ? -1 : at;
}

/** All readings of the path of a raw request target (origin-form), or why it is refused. Linear in the target's length. */
export function pathReadings(target: string): PathReadings | BadPath {
  if (target.charCodeAt(0) !== 0x2f) return bad('the request target is not in origin-form');
  if (target.includes('#')) return bad('a raw # in the request target');
  const query = target.indexOf('?');
  const raw = query === -1 ? target : target.slice(0, query);
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (code > 0xff || CHARACTER_KINDS[code] === REFUSED) return bad('a control character or space in the path');
  }
  const base = readEscapes(raw);
  if (base.kind === 'bad') return base;
  const paths = closure(base);
  if (paths === undefined) return bad('the path can be read in too many ways');
  return { kind: 'readings', canonical: !base.hides && isCanonicalShape(base.path), paths };
}

/** How a path reads behind a prefix that is stripped: what is left is read again by itself, from its own first slash. */
export function readingsBehindPrefix(target: string, prefix: string): PathReadings | BadPath {
  const rest = pathReadings(targetBehindPrefix(target, prefix));
  return rest.kind === 'bad' ? rest : { ...rest, paths: rest.paths.map((path) => prefix + path) };
}

/**
 * The target without the segments of `prefix` (decoded, no trailing slash), query kept: what `strip_prefix` forwards.
 * Counts segments rather than characters, because the prefix may be written with escapes (CVE-2026-40912).
 */
export function targetBehindPrefix(target: string, prefix: string): string {
  const query = target.indexOf('?');
  const end = query === -1 ? target.length : query;
  let at = 0;
  for (let segments = prefix.split('/').length - 1; segments > 0 && at < end; segments--) {
    const slash = target.indexOf('/', at + 1);
    at = slash === -1 || slash > end ? end : slash;
  }
  return at === end ? `/${target.slice(end)}` : target.slice(at);
}

function bad(why: string): BadPath {
  return { kind: 'bad', why };
}

function isCanonicalShape(path: string): boolean {
  return !/[\\;]|\/\/|\/\.{1,2}(?:\/|$)/.test(path);
}

/** A reading on the way: `encoded` while escapes that hide something are still in it. */
interface Reading {
  readonly path: string;
  readonly encoded: boolean;
  /** An authority is dropped at most once: nobody parses the rest of a path as a URL again. */
  readonly authorityDropped: boolean;
}

/** Everything that the steps below make of a path, in any order, to a fixpoint; undefined where that is too much. */
function closure(base: DecodedPath): readonly string[] | undefined {
  const first: Reading = { path: base.path, encoded: base.escapesLeft, authorityDropped: false };
  const seen = new Map<string, Reading>([[keyOf(first), first]]);
  let characters = base.path.length;
  // A Map's iterator also visits what is added while it runs: this is the fixpoint.
  for (const reading of seen.values()) {
    for (const next of steps(reading)) {
      const key = keyOf(next);
      if (seen.has(key)) continue;
      characters += next.path.length;
      if (seen.size === MAX_READINGS || characters > MAX_READ_CHARACTERS) return undefined;
      seen.set(key, next);
    }
  }
  return [...new Set(Array.from(seen.values(), (reading) => reading.path))];
}

function keyOf(reading: Reading): string {
  return `${reading.encoded ? 'e' : 'd'}${reading.authorityDropped ? 'a' : '-'}${reading.path}`;
}

/** What one more layer of an upstream may do to a path. Escapes are decoded once and never twice (PATH-07). */
function steps(reading: Reading): Reading[] {
  const { path, encoded } = reading;
  const next: Reading[] = [];
  const add = (changed: string) => {
    if (changed !== path) next.push({ ...reading, path: changed });
  };
  add(path.replaceAll('\\', '/'));
  add(path.replace(/\/{2,}/g, '/'));
  add(path.replace(/;[^/]*/g, ''));
  add(resolveDots(path, 'dots'));
  if (encoded) {
    add(resolveDots(path, 'dots and their escapes'));
    next.push({ ...reading, path: decodeEscapes(path, 'all'), encoded: false });
    // Routers that split at `/` first and decode each segment afterwards.
    next.push({ ...reading, path: decodeEscapes(path, 'all but separators'), encoded: false });
  } else {
    // A second parser after the decoding takes what was %3F or %23 for the end of the path (CVE-2026-41059).
    add(path.replace(/[?#].*$/s, ''));
  }
  if (path.startsWith('//') && !reading.authorityDropped) {
    // `new URL(req.url, base)`, as many applications do it, takes the first segment of `//x/admin` for a host.
    next.push({ ...reading, path: path.replace(/^\/\/+[^/]*/, '') || '/', authorityDropped: true });
  }
  return next;
}

const DOT_ESCAPE = /%2e/gi;
const DOT_SEGMENT_START = /\/(?:\.|%2e)/i;

/** RFC 3986 5.2.4; `..` above the root is dropped. WHATWG URL takes `%2e` for a dot without decoding anything else. */
function resolveDots(path: string, which: 'dots' | 'dots and their escapes'): string {
  if (!(which === 'dots' ? path.includes('/.') : DOT_SEGMENT_START.test(path))) return path;
  const kept: string[] = [];
  const segments = path.split('/');
  for (let at = 1; at < segments.length; at++) {
    const segment = segments[at]!;
    const dots = which === 'dots' || segment.length > 6 ? segment : segment.replace(DOT_ESCAPE, '.');
    const last = at === segments.length - 1;
    if (dots === '..') kept.pop();
    else if (dots !== '.') {
      kept.push(segment);
      continue;
    }
    if (last) kept.push('');
  }
  return `/${kept.join('/')}`;
}

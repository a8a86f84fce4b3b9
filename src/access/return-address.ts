// Where a user goes after sign-in or logout: an address of our own origin, or its root
// (security catalogue 4.4, RED-01 to RED-12).

import { pathReadings } from './path-readings.ts';

/** It travels in a cookie of 4 KiB with the rest of a login transaction. */
export const MAX_RETURN_ADDRESS_LENGTH = 2048;

// Browsers strip tabs and line ends inside a URL, and some strip more: nothing of it is taken.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const PATH_ADDRESS = /^\/(?![/\\])/;
const ABSOLUTE_ADDRESS = /^https?:\/\/[^/\\?#@]+(?:[/?#]|$)/i;

/**
 * `raw` as an absolute URL on `publicOrigin`, ASCII only; the origin's root for anything that is no address of that
 * very origin, belongs to the gate itself (a loop, or a forced logout), is too long, or reads differently in
 * different programs. `publicOrigin` as URL.origin writes it; `gatePrefix` like `/_gate`. Never throws.
 */
export function safeReturnAddress(raw: string | undefined, publicOrigin: string, gatePrefix: string): string {
  return returnAddress(raw, publicOrigin, gatePrefix) ?? `${publicOrigin}/`;
}

/** The same, undefined where `raw` is no such address. */
export function returnAddress(raw: string | undefined, publicOrigin: string, gatePrefix: string): string | undefined {
  if (typeof raw !== 'string' || raw.length > MAX_RETURN_ADDRESS_LENGTH) return undefined;
  if (CONTROLS.test(raw) || !raw.isWellFormed()) return undefined;
  if (!PATH_ADDRESS.test(raw) && !ABSOLUTE_ADDRESS.test(raw)) return undefined;
  if (/^[^?#]*\\/.test(raw)) return undefined;
  const url = URL.parse(raw, publicOrigin);
  if (url === null || url.origin !== publicOrigin || url.username !== '' || url.password !== '') return undefined;
  const readings = pathReadings(url.pathname);
  if (readings.kind === 'bad') return undefined;
  // `/.//evil.com` has the path `//evil.com`: harmless behind our origin, but not to whoever cuts the origin off.
  if (readings.paths.some((path) => path.startsWith('//') || isOwn(path, gatePrefix))) return undefined;
  const address = url.origin + url.pathname + url.search + url.hash;
  return address.length > MAX_RETURN_ADDRESS_LENGTH ? undefined : address;
}

function isOwn(path: string, gatePrefix: string): boolean {
  return path === gatePrefix || path.startsWith(`${gatePrefix}/`);
}

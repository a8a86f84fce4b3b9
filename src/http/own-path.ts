// Does a request target name one of the gate's own paths? Byte for byte: other spellings of the prefix are not ours,
// and the route table refuses them.

/** The path below the prefix (`/callback`), or undefined where the target is the app's. */
export function ownPath(target: string, prefix: string): string | undefined {
  if (!target.startsWith(prefix)) return undefined;
  const after = target.charCodeAt(prefix.length);
  if (Number.isNaN(after) || after === 0x3f) return '';
  if (after !== 0x2f) return undefined;
  const query = target.indexOf('?', prefix.length);
  return query === -1 ? target.slice(prefix.length) : target.slice(prefix.length, query);
}

/** Where a sign-in begins that leads to `returnTo`, an address of ours. */
export function signInPath(prefix: string, returnTo: string): string {
  return `${prefix}/login?return_to=${encodeURIComponent(returnTo)}`;
}

/** Where a logout begins after which somebody else can sign in on the way to `returnTo`. */
export function otherAccountPath(prefix: string, returnTo: string): string {
  return `${prefix}/logout?return_to=${encodeURIComponent(returnTo)}`;
}

/** True for the address at which the provider hands a sign-in back. */
export function isCallback(target: string, prefix: string): boolean {
  return ownPath(target, prefix) === '/callback';
}

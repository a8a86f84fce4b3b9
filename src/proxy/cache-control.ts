// What a signed-in user gets is nobody else's: no shared cache may keep it (RFC 9111 section 5.2.2, RFC 9213).

const DIRECTIVE = /(?:[^,"]|"(?:[^"\\]|\\.)*")+/g;

/**
 * A Cache-Control value as it may leave a route with sessions: `public` and `s-maxage` are gone, `private` is there
 * unless `no-store` already says more. `private="field"`, which allows storing the rest, becomes plain `private`.
 */
export function privateCacheControl(value: string): string {
  const directives = (value.match(DIRECTIVE) ?? []).map((directive) => directive.trim()).filter((text) => text !== '');
  const kept = directives.filter((directive) => {
    const name = directive.split('=', 1)[0]!.trim().toLowerCase();
    if (name === 'private') return !directive.includes('=');
    return name !== 'public' && name !== 's-maxage';
  });
  const isPrivate = kept.some((directive) => /^(?:private|no-store)$/i.test(directive));
  if (isPrivate && kept.length === directives.length) return value;
  return isPrivate ? kept.join(', ') : ['private', ...kept].join(', ');
}

/** True where a Vary value already covers the cookie. */
export function variesByCookie(value: string): boolean {
  return value.split(',').some((name) => name.trim() === '*' || name.trim().toLowerCase() === 'cookie');
}

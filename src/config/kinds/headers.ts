// Header names that the gate may set, and templates of claims for their values.

import type { Kind } from '../kind.ts';
import { parsedText } from './scalars.ts';

/** Framing, hop-by-hop and routing: they belong to the connection or to the gate itself (RFC 9110 section 7.6.1). */
const NOT_SETTABLE = new Set(
  [
    ...['connection', 'content-length', 'expect', 'host', 'http2-settings', 'keep-alive', 'te', 'trailer', 'upgrade'],
    ...['proxy-authenticate', 'proxy-authorization', 'proxy-connection', 'transfer-encoding', 'cookie', 'set-cookie'],
    ...['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
  ].map(foldHeaderName),
);

/** Letters and digits only: how applications that turn header names into variables confuse them. */
export function foldHeaderName(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

/** Why a header of this name cannot be set, or undefined where it can. */
export function refuseHeaderName(name: string): { wrong: string; cure: string } | undefined {
  if (!/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) {
    return { wrong: 'this is no header name', cure: 'write letters, digits and hyphens, such as X-Remote-User' };
  }
  const folded = foldHeaderName(name);
  if (NOT_SETTABLE.has(folded) || folded.startsWith('secwebsocket')) {
    return {
      wrong: 'this header belongs to the connection or to the gate and cannot be set',
      cure: 'remove it, or write another name, such as X-Remote-User',
    };
  }
  return undefined;
}

/** These are no claims, and a token in a header leaks into logs of the application. */
const TOKENS = new Set(['access_token', 'id_token', 'refresh_token']);

const CLAIM_PATH = /^(?:[^\s\\.{}]|\\[.\\])+(?:\.(?:[^\s\\.{}]|\\[.\\])+)*$/;

/** From the left, so that `{{` is a brace before it begins a placeholder. */
const TEMPLATE_PARTS = /\{\{|\}\}|\{([^{}]*)\}|[^{}]+/gy;
const PLACEHOLDER_CURE = 'write {claim}, or {claim.member} for a claim inside another, such as {realm_access.roles}';

/** Text with claims in braces: `{preferred_username}`, `{realm_access.roles}`; `\.` is a dot in a claim's name, `{{` a brace. */
export const claimTemplate: Kind<string> = parsedText<string>({
  expected: 'text with claims in braces, such as "{preferred_username}"',
  parse(text) {
    if (!/^[\u0020-\u007e]*$/.test(text)) {
      return { wrong: 'holds a character that no header can carry', cure: 'write printable ASCII on one line' };
    }
    let read = 0;
    for (const [part, placeholder] of text.matchAll(TEMPLATE_PARTS)) {
      read += part.length;
      if (placeholder === undefined || isClaimPath(placeholder)) continue;
      if (TOKENS.has(placeholder)) return { wrong: 'asks for a token, which is no claim', cure: PLACEHOLDER_CURE };
      const exactCure = `${PLACEHOLDER_CURE}, in place of ${part}`;
      return { wrong: 'has a placeholder that names no claim', cure: PLACEHOLDER_CURE, exactCure };
    }
    if (read === text.length) return { value: text };
    return { wrong: 'has a brace without its partner', cure: `${PLACEHOLDER_CURE}; {{ or }} is a brace` };
  },
});

/** A claim by its dotted path. */
export const claimPath: Kind<string> = parsedText<string>({
  expected: 'the name of a claim, such as sid',
  parse: (path) =>
    isClaimPath(path)
      ? { value: path }
      : { wrong: 'is no claim', cure: 'write a name, or names with dots between them; \\. is a dot in a name' },
});

/** A claim's name, or dotted names of claims inside one another: `realm_access.roles`. */
export function isClaimPath(path: string): boolean {
  return !TOKENS.has(path) && CLAIM_PATH.test(path);
}

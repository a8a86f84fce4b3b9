// Header templates of the configuration: text with claims in braces, `{preferred_username}`, `{realm_access.roles}`
// (design: config.md, `headers.set`).

import { GatewayError } from '../base/gateway-error.ts';
import type { Claims } from '../base/tokens.ts';
import { claimAt, parseClaimPath, textsOf } from './claim-path.ts';
import { type HeaderEncoding, headerList } from './header-text.ts';

export interface HeaderTemplate {
  /** Top-level claims that it needs. */
  readonly claims: readonly string[];
  /** The header's value, or undefined where a claim is missing or has no text: then there is no header at all. */
  readonly render: (claims: Claims, encoding: HeaderEncoding) => string | undefined;
  /** The same with the claims' own texts, not encoded for a header. */
  readonly renderRaw: (claims: Claims) => string | undefined;
}

const PARTS = /\{\{|\}\}|\{([^{}]*)\}|[^{}]+/gy;
const PRINTABLE = /^[\u0020-\u007e]*$/;

/**
 * `{claim.path}` stands for a claim, `{{` and `}}` for braces. Lists are joined by `,`.
 * @throws GatewayError `header_invalid` naming the mistake.
 */
export function compileTemplate(text: string): HeaderTemplate {
  if (!PRINTABLE.test(text)) throw invalid(text, 'only printable ASCII can stand in a header');
  const parts: (string | readonly string[])[] = [];
  let read = 0;
  for (const match of text.matchAll(PARTS)) {
    read += match[0].length;
    if (match[1] === undefined) {
      parts.push(match[0] === '{{' || match[0] === '}}' ? match[0].slice(1) : match[0]);
      continue;
    }
    const path = parseClaimPath(match[1]);
    if (path === undefined) throw invalid(text, `{${match[1]}} is no claim; write {name} or {name.name}`);
    parts.push(path);
  }
  if (read !== text.length) throw invalid(text, 'a brace without its partner; write {{ or }} for a brace');
  return {
    claims: parts.filter((part) => typeof part !== 'string').map((path) => path[0]!),
    render: (claims, encoding) => render(parts, claims, (claim) => claimText(claim, encoding)),
    renderRaw: (claims) => render(parts, claims, rawText),
  };
}

function render(
  parts: readonly (string | readonly string[])[],
  claims: Claims,
  textOf: (claim: unknown) => string | undefined,
): string | undefined {
  let value = '';
  for (const part of parts) {
    if (typeof part === 'string') {
      value += part;
      continue;
    }
    const text = textOf(claimAt(claims, part));
    if (text === undefined) return undefined;
    value += text;
  }
  // An empty header says nothing that an absent one does not.
  return value.trim() === '' ? undefined : value;
}

/** A claim as header text: lists joined by `,`; undefined where it is missing, an object, or has no text. */
export function claimText(claim: unknown, encoding: HeaderEncoding): string | undefined {
  const texts = textsOf(claim);
  if (Array.isArray(claim)) return headerList(texts, encoding);
  return texts[0] === undefined ? undefined : encoding.text(texts[0]);
}

/** A claim's own text, lists joined by `,`; undefined where it has none. */
export function rawText(claim: unknown): string | undefined {
  const text = textsOf(claim).join(',');
  return text === '' ? undefined : text;
}

function invalid(text: string, why: string): GatewayError {
  return new GatewayError('header_invalid', {
    status: 500,
    message: `header template ${JSON.stringify(text)}: ${why}`,
  });
}

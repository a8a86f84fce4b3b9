// HTML in which nothing foreign can become markup: every value is escaped, by one function, unless it is Html itself.

/** Markup that is safe as it stands: made by `html`, or from a constant of ours. */
export class Html {
  readonly #markup: string;

  constructor(markup: string) {
    this.#markup = markup;
  }

  toString(): string {
    return this.#markup;
  }
}

type Part = Html | string | number | undefined | readonly Html[];

/** Template tag: literal parts stand as written, values are escaped for element content and double-quoted attributes. */
export function html(literals: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let markup = literals[0]!;
  for (let at = 0; at < parts.length; at++) markup += markupOf(parts[at]) + literals[at + 1]!;
  return new Html(markup);
}

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.toString();
  return Array.isArray(part) ? part.join('') : escapeHtml(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/**
 * `text` as element content or as a quoted attribute's value. What no page shows is shown as U+FFFD: control characters,
 * lone surrogates, and the marks that turn the direction of writing (they would let a name rewrite the sentence around it).
 */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufeff]/g, '\ufffd')
    .replace(/[&<>"'`]/g, (character) => ENTITIES[character]!);
}

/** A link's address as it may stand in `href` or `action`: our own path or an http(s) URL; anything else is no link. */
export function linkAddress(address: string): string {
  return /^(?:https?:\/\/|\/(?![/\\])|$)/i.test(address) ? address : '/';
}

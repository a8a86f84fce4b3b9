// Forms of a page as a plain client fills them in: Keycloak's sign-in and sign-out, any other provider's, the gate's own.

/** One form: where it goes and what it would send untouched. */
export interface HtmlForm {
  readonly action: string;
  readonly method: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Everything between the tags, for telling one form of a page from another. */
  readonly html: string;
}

/** All forms of the page that came from `pageUrl`, in order. */
export function formsOf(html: string, pageUrl: string): HtmlForm[] {
  return [...html.matchAll(/<form\b([^>]*)>(.*?)<\/form>/gis)].map(([, head = '', body = '']) => {
    const fields: Record<string, string> = {};
    for (const [, tag = ''] of body.matchAll(/<input\b([^>]*)>/gis)) {
      const name = attribute(tag, 'name');
      const type = (attribute(tag, 'type') ?? 'text').toLowerCase();
      const isLeftOut = ['submit', 'button', 'image', 'reset'].includes(type);
      const isUnchecked = ['checkbox', 'radio'].includes(type) && !/\bchecked\b/i.test(tag);
      if (name !== undefined && !isLeftOut && !isUnchecked) fields[name] = attribute(tag, 'value') ?? '';
    }
    return {
      action: new URL(attribute(head, 'action') ?? '', pageUrl).href,
      method: (attribute(head, 'method') ?? 'GET').toUpperCase(),
      fields,
      html: body,
    };
  });
}

function attribute(tag: string, name: string): string | undefined {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(tag);
  const value = match?.[1] ?? match?.[2] ?? match?.[3];
  return value === undefined ? undefined : unescapeHtml(value);
}

function unescapeHtml(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replace(/&#(x?)([0-9a-f]+);/gi, (_, hex: string, digits: string) =>
      String.fromCodePoint(Number.parseInt(digits, hex ? 16 : 10)),
    )
    .replaceAll('&amp;', '&');
}

// The gate's own cookies, kept from the upstream in both directions (RFC 6265 sections 4.1 and 5.4): the upstream neither
// reads a session cookie nor sets one.

export interface OwnCookieNames {
  readonly sessionName: string;
  /** Says who was signed in last; begins with the session's. */
  readonly lastUserName: string;
  /** Login transactions have a name per attempt: all that begin with this. */
  readonly loginPrefix: string;
}

export class OwnCookies {
  readonly #sessionName: string;
  readonly #lastUserName: string;
  readonly #loginPrefix: string;

  constructor(own: OwnCookieNames) {
    this.#sessionName = own.sessionName;
    this.#lastUserName = own.lastUserName;
    this.#loginPrefix = own.loginPrefix;
  }

  isOwn(name: string): boolean {
    return name === this.#sessionName || name === this.#lastUserName || name.startsWith(this.#loginPrefix);
  }

  /**
   * `header` (a Cookie header's value) without our cookies, every other byte as it was; '' where nothing is left.
   * Semicolons inside quotes count as separators here, whatever the upstream thinks: a quoted cookie set by a hostile
   * script must not carry ours to an application that echoes it ("cookie sandwich").
   */
  strip(header: string): string {
    if (!this.#mayHold(header)) return header;
    let kept = '';
    let start = 0;
    while (start <= header.length) {
      let end = header.indexOf(';', start);
      if (end === -1) end = header.length;
      if (!this.isOwn(cookieName(header, start, end))) {
        const pair = header.slice(start, end);
        kept = kept === '' ? pair.trimStart() : `${kept};${pair}`;
      }
      start = end + 1;
    }
    return kept;
  }

  /** True where a Set-Cookie value of the upstream would set one of ours. A nameless `=name=…` comes back as `name=…`. */
  isSetBy(setCookie: string): boolean {
    if (!this.#mayHold(setCookie)) return false;
    let start = 0;
    while (start < setCookie.length && ' \t='.includes(setCookie[start]!)) start++;
    let end = start;
    while (end < setCookie.length && setCookie[end] !== ';') end++;
    return this.isOwn(cookieName(setCookie, start, end));
  }

  #mayHold(text: string): boolean {
    return text.includes(this.#sessionName) || text.includes(this.#loginPrefix);
  }
}

/** The name of the pair between two offsets: what stands before `=`, or all of it, without blanks around. */
function cookieName(text: string, start: number, end: number): string {
  const equals = text.indexOf('=', start);
  return text.slice(start, equals === -1 || equals > end ? end : equals).trim();
}

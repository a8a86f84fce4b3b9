// A browser's worth of HTTP for the story: follows redirects, fills in forms, and keeps cookies as browsers do, by host
// and path and whatever the port.

import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';

export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly location: string | undefined;
  readonly body: string;
}

interface Ask {
  readonly form?: Readonly<Record<string, string>>;
  /** `page`: as if typed into the address bar; `script`: as a fetch of a page's script. */
  readonly as: 'page' | 'script';
}

/** More than the longest way through gate and provider and back. */
const MOST_REDIRECTS = 10;

export class Visitor {
  readonly name: string;
  readonly #cookies = new Map<string, { path: string; pair: string }>();

  constructor(name: string) {
    this.name = name;
  }

  /** Opens a page and follows it to where it leads; with `form`, by a POST. */
  async open(url: string, form?: Readonly<Record<string, string>>): Promise<Answer> {
    let answer = await this.ask(url, { as: 'page', ...(form && { form }) });
    for (let hops = 0; answer.location !== undefined; hops++) {
      if (hops === MOST_REDIRECTS) throw new Error(`${url} leads in circles`);
      answer = await this.ask(answer.location, { as: 'page' });
    }
    return answer;
  }

  /** One request, one answer. */
  async ask(url: string, { form, as }: Ask): Promise<Answer> {
    const headers = {
      ...this.headersFor(url),
      accept: as === 'page' ? 'text/html' : '*/*',
      ...(as === 'script' && { 'x-requested-with': 'XMLHttpRequest' }),
      ...(form && { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(url).origin }),
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const method = form === undefined ? 'GET' : 'POST';
      request(url, { method, headers, agent: false }, resolve)
        .on('error', reject)
        .end(form && String(new URLSearchParams(form)));
    });
    for (const line of response.headers['set-cookie'] ?? []) this.#keep(line);
    const { location } = response.headers;
    const next = location === undefined ? undefined : new URL(location, url).href;
    return { url, status: response.statusCode!, location: next, body: await text(response) };
  }

  /** The `Cookie` header for `url`, if there is something to send. */
  headersFor(url: string): { cookie?: string } {
    const { pathname } = new URL(url);
    const sent = [...this.#cookies.values()].filter(({ path }) =>
      `${pathname}/`.startsWith(path.endsWith('/') ? path : `${path}/`),
    );
    return sent.length === 0 ? {} : { cookie: sent.map(({ pair }) => pair).join('; ') };
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(/; */);
    const path = attributes.find((attribute) => /^path=/i.test(attribute))?.slice(5) ?? '/';
    const key = `${path} ${pair.slice(0, pair.indexOf('='))}`;
    const isGone = attributes.some((attribute) => /^max-age=0$|^expires=Thu, 01 Jan 1970/i.test(attribute));
    if (isGone) this.#cookies.delete(key);
    else this.#cookies.set(key, { path, pair });
  }
}

// A browser's worth of HTTP for the commands that act as a user: cookies, redirects, forms, and nothing that repairs or
// hides what the gate sends. It is what the demo's visitors and the drill's test user sit at.

import { type ClientRequest, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { text } from 'node:stream/consumers';
import { CookieJar } from './cookie-jar.ts';
import { formsOf } from './html-form.ts';

export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Where it redirects to, made absolute. */
  readonly location: string | undefined;
  readonly body: string;
}

export interface Ask {
  readonly form?: Readonly<Record<string, string>>;
  /** `page`: as if typed into the address bar; `script`: as a fetch of a page's script. */
  readonly as: 'page' | 'script';
}

export interface BrowserOptions {
  /** Authorities to believe, PEM; undefined: those of Node.js. */
  readonly authorities?: readonly string[];
}

/** More than the longest way through gate and provider and back. */
const MOST_REDIRECTS = 10;

/** Keycloak tells its clients one after another, up to 5 s each, before it answers who ends a session. */
const ANSWER_LIMIT_MS = 60_000;

export class Browser {
  readonly cookies = new CookieJar();
  readonly #tls: { ca?: string[] };

  constructor({ authorities }: BrowserOptions = {}) {
    this.#tls = authorities === undefined ? {} : { ca: [...authorities] };
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

  /** Fills in and sends the first form of `page` that has a field or address like `which`, and follows where it leads. */
  async submit(page: Answer, values: Readonly<Record<string, string>>, which = ''): Promise<Answer> {
    const form = formsOf(page.body, page.url).find(
      ({ html, action }) => html.includes(which) || action.includes(which),
    );
    if (form === undefined) throw new Error(`${page.url} has no form to fill in (it was answered ${page.status})`);
    return await this.open(form.action, { ...form.fields, ...values });
  }

  /** One request, one answer. */
  async ask(url: string, { form, as }: Ask): Promise<Answer> {
    const asked = this.request(url, {
      method: form === undefined ? 'GET' : 'POST',
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
      headers: {
        accept: as === 'page' ? 'text/html' : '*/*',
        ...(as === 'script' && { 'x-requested-with': 'XMLHttpRequest' }),
        ...(form && { 'content-type': 'application/x-www-form-urlencoded', origin: new URL(url).origin }),
      },
    });
    const response = await answerTo(asked.end(form && String(new URLSearchParams(form))));
    const { location } = response.headers;
    return {
      url,
      status: response.statusCode!,
      headers: response.headers,
      location: location === undefined ? undefined : new URL(location, url).href,
      body: await text(response),
    };
  }

  /** A request of this browser on a connection of its own, with its cookies; the caller ends it. */
  request(url: string, options: RequestOptions = {}): ClientRequest {
    const address = new URL(url);
    const cookie = this.cookies.header(address);
    const send = address.protocol === 'https:' ? httpsRequest : httpRequest;
    const asked = send(address, {
      agent: false,
      ...this.#tls,
      ...options,
      headers: { ...(cookie !== undefined && { cookie }), ...options.headers } as Record<string, string>,
    });
    asked.on('response', ({ headers }) => {
      for (const line of headers['set-cookie'] ?? []) this.cookies.take(line, address);
    });
    return asked;
  }
}

/** The answer's head. Rejects where the connection is lost before it. */
export function answerTo(asked: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    asked.on('response', resolve).on('error', reject);
  });
}

// A plain client that behaves as a browser towards a gate: keeps its own cookies, says by Sec-Fetch-* what a request is
// for, follows redirects when asked, fills in forms, and holds downloads, streams, uploads and WebSockets open.
// It is built on node:http alone, so that nothing repairs, retries or hides what the gate sends.

import { Agent, type ClientRequest, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import WebSocket from 'ws';
import { CookieJar } from '../../src/cli/browser/cookie-jar.ts';
import { formsOf, type HtmlForm } from '../../src/cli/browser/html-form.ts';
import { LiveSocket } from './live-socket.ts';
import { LiveTransfer } from './live-transfer.ts';

/** What a browser says a request is for: a top-level navigation, a script's fetch, an image; `none` says nothing. */
export type RequestMode = 'navigate' | 'fetch' | 'image' | 'iframe' | 'none';

export interface RequestOptions {
  method?: string;
  headers?: Record<string, string | string[]>;
  body?: string | Buffer;
  /** Default: `fetch` for request(), `navigate` for navigate(). */
  mode?: RequestMode;
  /** The `Sec-Fetch-Site` of the request; default `same-origin`. */
  site?: 'none' | 'same-origin' | 'same-site' | 'cross-site';
  /** Sent byte for byte instead of the URL's path and query. */
  target?: string;
}

export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
}

/** Where a navigation arrived, and every answer on the way. */
export interface Page extends Answer {
  readonly hops: readonly Answer[];
}

const MODES: Readonly<Record<RequestMode, Record<string, string>>> = {
  navigate: {
    Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Upgrade-Insecure-Requests': '1',
    'Sec-Fetch-Mode': 'navigate',
    'Sec-Fetch-User': '?1',
    'Sec-Fetch-Dest': 'document',
  },
  iframe: { Accept: 'text/html,*/*;q=0.8', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'iframe' },
  fetch: { Accept: '*/*', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Dest': 'empty' },
  image: { Accept: 'image/*,*/*;q=0.8', 'Sec-Fetch-Mode': 'no-cors', 'Sec-Fetch-Dest': 'image' },
  none: {},
};

const MAX_REDIRECTS = 20;

export class BrowserClient {
  readonly cookies = new CookieJar();
  readonly #agent = new Agent({ keepAlive: true });
  readonly #live = new Set<LiveTransfer | LiveSocket>();
  readonly #ca: string | undefined;

  /** `ca`: PEM of the authority to trust for https. Host names all resolve to 127.0.0.1. */
  constructor(options: { ca?: string } = {}) {
    this.#ca = options.ca;
  }

  /** One request, one answer, no redirect followed. Rejects where the connection broke before the answer was whole. */
  async request(url: string | URL, options: RequestOptions = {}): Promise<Answer> {
    const transfer = new LiveTransfer(this.#open(new URL(url), options, this.#agent));
    const head = await transfer.head;
    const how = await transfer.ended;
    if (how === 'cut') throw new Error(`the answer of ${url} was cut (${transfer.errorCode})`);
    const body = Buffer.concat(transfer.chunks);
    return { url: String(url), ...head, body, text: body.toString('utf8') };
  }

  /** A top-level navigation: follows redirects to the page that stays. */
  async navigate(url: string | URL, options: RequestOptions = {}): Promise<Page> {
    const hops: Answer[] = [];
    let current = new URL(url);
    let step: RequestOptions = { mode: 'navigate', site: 'none', ...options };
    for (;;) {
      const answer = await this.request(current, step);
      const location = answer.headers.location;
      if (answer.status < 300 || answer.status > 399 || location === undefined) return { ...answer, hops };
      hops.push(answer);
      if (hops.length > MAX_REDIRECTS) throw new Error(`more than ${MAX_REDIRECTS} redirects, the last to ${location}`);
      const next = new URL(location, current);
      const site = next.origin === current.origin ? 'same-origin' : 'cross-site';
      const isKept = answer.status === 307 || answer.status === 308;
      step = isKept ? { ...step, site } : { mode: 'navigate', site };
      current = next;
    }
  }

  /** Fills in and sends a form of `page`: the only one, or the one whose HTML or action contains `which`. */
  async submit(page: Answer, values: Record<string, string> = {}, which = ''): Promise<Page> {
    const form = formsOf(page.text, page.url).find(
      ({ html, action }) => html.includes(which) || action.includes(which),
    );
    if (form === undefined)
      throw new Error(`no form ${which} at ${page.url} (${page.status}): ${page.text.slice(0, 400)}`);
    return this.#send(form, { ...form.fields, ...values }, page.url);
  }

  #send(form: HtmlForm, fields: Record<string, string>, from: string): Promise<Page> {
    const body = new URLSearchParams(fields).toString();
    const site = new URL(form.action).origin === new URL(from).origin ? 'same-origin' : 'cross-site';
    if (form.method === 'GET') {
      const url = new URL(form.action);
      url.search = body;
      return this.navigate(url, { site });
    }
    return this.navigate(form.action, {
      method: 'POST',
      site,
      body,
      headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: new URL(from).origin },
    });
  }

  /** A long answer, on a connection of its own: a download or an event stream. */
  download(url: string | URL, options: RequestOptions = {}): LiveTransfer {
    return this.#hold(new LiveTransfer(this.#open(new URL(url), options, undefined)));
  }

  /** An upload that goes on until the caller ends it, on a connection of its own. */
  upload(url: string | URL, options: RequestOptions = {}): { transfer: LiveTransfer; body: ClientRequest } {
    const body = this.#open(new URL(url), { method: 'POST', ...options }, undefined, { endsNow: false });
    return { transfer: this.#hold(new LiveTransfer(body)), body };
  }

  /** A WebSocket as a page of the same origin opens it; `origin: null` sends no Origin, as programs do. */
  openWebSocket(
    url: string | URL,
    options: { origin?: string | null; headers?: Record<string, string> } = {},
  ): LiveSocket {
    const address = new URL(url);
    address.protocol = address.protocol.replace('http', 'ws');
    const cookie = this.cookies.header(address);
    const ownOrigin = `${address.protocol.replace('ws', 'http')}//${address.host}`;
    const origin = options.origin === undefined ? ownOrigin : options.origin;
    const socket = new WebSocket(address, {
      headers: { ...(cookie && { Cookie: cookie }), ...options.headers },
      ...(origin !== null && { origin }),
      ...(this.#ca !== undefined && { ca: this.#ca }),
      lookup: toLoopback as never,
    });
    return this.#hold(new LiveSocket(socket));
  }

  /** Closes the browser: every connection goes, the cookies stay readable. */
  close(): void {
    for (const live of this.#live) live.abort();
    this.#agent.destroy();
  }

  #hold<Live extends LiveTransfer | LiveSocket>(live: Live): Live {
    this.#live.add(live);
    return live;
  }

  #open(url: URL, options: RequestOptions, agent: Agent | undefined, { endsNow = true } = {}): ClientRequest {
    const isTls = url.protocol === 'https:';
    const cookie = this.cookies.header(url);
    const mode = options.mode ?? 'fetch';
    const request = (isTls ? httpsRequest : httpRequest)({
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port || (isTls ? 443 : 80),
      path: options.target ?? url.pathname + url.search,
      method: options.method ?? 'GET',
      lookup: toLoopback as never,
      agent: isTls ? false : (agent ?? false),
      ...(this.#ca !== undefined && { ca: this.#ca }),
      headers: {
        Host: url.host,
        ...MODES[mode],
        ...(mode !== 'none' && { 'Sec-Fetch-Site': options.site ?? 'same-origin' }),
        ...(cookie && { Cookie: cookie }),
        ...(options.body !== undefined && { 'Content-Length': String(Buffer.byteLength(options.body)) }),
        ...options.headers,
      },
    });
    request.on('response', (response) => {
      for (const line of response.headers['set-cookie'] ?? []) this.cookies.take(line, url);
    });
    if (options.body !== undefined) request.write(options.body);
    if (endsNow) request.end();
    else request.flushHeaders();
    return request;
  }
}

type LookupCallback = (error: null, address: string | { address: string; family: number }[], family?: number) => void;

// Tests give their servers names that no name server knows.
function toLoopback(_host: string, options: { all?: boolean }, callback: LookupCallback): void {
  if (options.all) callback(null, [{ address: '127.0.0.1', family: 4 }]);
  else callback(null, '127.0.0.1', 4);
}

// The sessions that the legacy app has of its own, as old applications have them: a cookie, a login page, a logout link.
//
//   /begin            a new session: Set-Cookie `legacy=<id>`
//   /whoami           what it knows of the request's session, as JSON
//   /set?line=…       sets these cookies, as often as `line` comes; `&ms=50` later
//   /logout           ends it, takes the cookie away, and redirects to /goodbye
//       ?to=…         … or there
//       ?status=405   … or answers so, and ends nothing from 400 on
//       ?ask=redirect the answer carries X-Portcullis-Logout with this value

import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

type Page = (request: IncomingMessage, response: ServerResponse) => void;

export class LegacySessions {
  /** Ids that live. */
  readonly live = new Set<string>();
  readonly pages: Readonly<Record<string, Page>> = {
    '/begin': (_, response) => {
      const id = randomBytes(8).toString('hex');
      this.live.add(id);
      response.setHeader('Set-Cookie', `legacy=${id}; Path=/; HttpOnly`);
      response.end(id);
    },
    '/whoami': (request, response) => {
      const id = cookieOf(request);
      const session = id !== undefined && this.live.has(id) ? id : null;
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ session, cookie: request.headers.cookie ?? null }));
    },
    '/set': (request, response) => {
      const query = new URL(request.url!, 'http://app').searchParams;
      response.setHeader('Set-Cookie', query.getAll('line'));
      setTimeout(() => response.end('set'), Number(query.get('ms') ?? 0));
    },
    '/logout': (request, response) => this.#logout(request, response),
  };

  #logout(request: IncomingMessage, response: ServerResponse): void {
    const query = new URL(request.url!, 'http://app').searchParams;
    const status = Number(query.get('status') ?? 302);
    const ask = query.get('ask');
    if (ask !== null) response.setHeader('X-Portcullis-Logout', ask);
    response.statusCode = status;
    if (status < 400) {
      this.live.delete(cookieOf(request) ?? '');
      response.setHeader('Set-Cookie', ['legacy=; Path=/; Max-Age=0', 'left=yes; Path=/']);
    }
    if (status >= 300 && status < 400) response.setHeader('Location', query.get('to') ?? '/goodbye');
    response.end('the application has answered');
  }
}

function cookieOf({ headers }: IncomingMessage): string | undefined {
  return /(?:^|; )legacy=([0-9a-f]+)/.exec(headers.cookie ?? '')?.[1];
}

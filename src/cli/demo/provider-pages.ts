// The provider's pages that are not protocol: the sign-in form and the account page.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { GateClient } from './gate-client.ts';
import type { DemoProvider } from './oidc-provider-types.ts';
import type { People } from './people.ts';
import { contentType, readPageFile, renderPage } from './render-page.ts';

const ASSETS = ['accounts.css', 'submit.js'];

/** Sign-in forms are below this path. */
export const SIGN_IN_PATH = '/sign-in/';

interface ProviderPagesOptions {
  readonly provider: DemoProvider;
  readonly people: People;
  readonly clients: readonly GateClient[];
  /** Public addresses of the applications by their names. */
  readonly links: Readonly<Record<string, string>>;
}

export class ProviderPages {
  readonly #options: ProviderPagesOptions;

  constructor(options: ProviderPagesOptions) {
    this.#options = options;
  }

  /** Answers what is a page of ours; false for everything else, which is the protocol's. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const path = request.url!.split('?')[0]!;
    const asset = ASSETS.find((file) => path === `/${file}`);
    if (asset !== undefined) response.setHeader('Content-Type', contentType(asset)).end(readPageFile(asset));
    else if (path === '/') await this.#account(request, response);
    else if (!path.startsWith(SIGN_IN_PATH)) return false;
    else if (request.method === 'POST') await this.#signIn(request, response);
    else await this.#askWho(request, response);
    return true;
  }

  async #account(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { provider, people, clients, links } = this.#options;
    const { accountId, authorizations = {} } = await provider.Session.get(provider.createContext(request, response));
    const person = accountId === undefined ? undefined : people.find(accountId);
    if (person === undefined) return sendPage(response, renderPage('nobody.html', links));
    const isAt = (name: string) =>
      clients.some((client) => client.name === name && authorizations[client.clientId]) ? 'yes' : 'no';
    sendPage(
      response,
      renderPage('account.html', { ...links, name: person.name, atWiki: isAt('wiki'), atNotes: isAt('notes') }),
    );
  }

  async #askWho(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { provider, clients } = this.#options;
    const { params } = await provider.interactionDetails(request, response);
    const application = clients.find(({ clientId }) => clientId === params['client_id'])?.name ?? '';
    sendPage(response, renderPage('sign-in.html', { application }));
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    const person = this.#options.people.welcome(form.get('person') ?? '');
    if (person === undefined && !form.has('cancel')) return await this.#askWho(request, response);
    const refused = { error: 'access_denied', error_description: 'the user pressed Cancel' };
    const result = person === undefined ? refused : { login: { accountId: person.id } };
    await this.#options.provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
  }
}

/** Sends a page that nobody keeps. */
export function sendPage(response: ServerResponse, page: string, status = 200): void {
  response.writeHead(status, { 'Content-Type': contentType('page.html'), 'Cache-Control': 'no-store' });
  response.end(page);
}

// The demo's OpenID provider: oidc-provider with pages of its own, people without passwords, and clients that want to be
// told when a session ends (OpenID Connect Back-Channel Logout 1.0).

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { type GateClient, SCOPES } from './gate-client.ts';
import { listenOnLoopback, type RunningServer } from './listen-on-loopback.ts';
import type { ProviderConstructor, ProviderContext } from './oidc-provider-types.ts';
import { claimsOf, People } from './people.ts';
import { ProviderPages, SIGN_IN_PATH, sendPage } from './provider-pages.ts';
import { providerRecords } from './provider-records.ts';
import { renderPage } from './render-page.ts';

interface ProviderOptions {
  readonly Provider: ProviderConstructor;
  readonly port: number;
  readonly clients: readonly GateClient[];
}

/** The provider on this port of loopback, with every gate registered. */
export async function startProvider({ Provider, port, clients }: ProviderOptions): Promise<RunningServer> {
  const people = new People();
  const links = Object.fromEntries(clients.map(({ name, publicUrl }) => [name, publicUrl]));
  const provider = new Provider(`http://127.0.0.1:${port}`, configuration(clients, people, links));
  const pages = new ProviderPages({ provider, people, clients, links });
  const protocol = provider.callback();
  const server = createServer((request, response) => {
    pages.answer(request, response).then(
      (answered) => answered || protocol(request, response),
      () => sendPage(response, renderPage('problem.html', { ...links, ...expired }), 400),
    );
  });
  return await listenOnLoopback(server, port);
}

const expired = { error: 'expired', description: 'this sign-in took too long; begin again at the application' };

function configuration(
  clients: readonly GateClient[],
  people: People,
  links: Readonly<Record<string, string>>,
): object {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return {
    adapter: providerRecords(),
    clients: clients.map(registration),
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'demo' }] },
    cookies: { keys: [randomBytes(32).toString('hex')] },
    scopes: SCOPES,
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'], groups: ['groups'] },
    conformIdTokenClaims: false,
    issueRefreshToken: async () => true,
    ttl: { AccessToken: 300, IdToken: 300, Session: 36_000, RefreshToken: 36_000, Grant: 36_000, Interaction: 600 },
    // oidc-provider calls no loopback address by itself; here there are no others.
    fetch: (url: string, { dispatcher: _, ...init }: RequestInit & { dispatcher?: unknown }) => fetch(url, init),
    findAccount: async (_: unknown, id: string) => {
      const person = people.find(id);
      return person && { accountId: id, claims: async () => claimsOf(person) };
    },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `${SIGN_IN_PATH}${uid}` },
    loadExistingGrant: grantEverything,
    renderError: async (ctx: ProviderContext, out: { error: string; error_description?: string }) => {
      respond(
        ctx,
        renderPage('problem.html', { ...links, error: out.error, description: out.error_description ?? '' }),
      );
    },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      introspection: { enabled: true, allowedPolicy: isOwnToken },
      revocation: { enabled: true, allowedPolicy: isOwnToken },
      rpInitiatedLogout: {
        enabled: true,
        // Keycloak does not ask either when the gate sends the user with an id_token_hint.
        logoutSource: async (ctx: ProviderContext, form: string) => {
          const field = (name: string) => new RegExp(`${name}="([^"]*)"`).exec(form)?.[1] ?? '';
          respond(ctx, renderPage('ending.html', { action: field('action'), xsrf: field('value') }));
        },
        postLogoutSuccessSource: async (ctx: ProviderContext) => respond(ctx, renderPage('signed-out.html', links)),
      },
    },
  };
}

function registration({ clientId, clientSecret, publicUrl }: GateClient): object {
  return {
    client_id: clientId,
    client_secret: clientSecret,
    redirect_uris: [`${publicUrl}/_gate/callback`],
    post_logout_redirect_uris: [`${publicUrl}/_gate/logged-out`],
    backchannel_logout_uri: `${publicUrl}/_gate/backchannel-logout`,
    backchannel_logout_session_required: true,
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
  };
}

/** No page asks whether a gate may know who you are. */
async function grantEverything({ oidc }: ProviderContext): Promise<unknown> {
  const { provider, client, session } = oidc;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(SCOPES.join(' '));
  await grant.save();
  return grant;
}

async function isOwnToken(_: unknown, client: { clientId: string }, token: { clientId?: string }): Promise<boolean> {
  return token.clientId === client.clientId;
}

function respond(ctx: ProviderContext, page: string): void {
  ctx.type = 'html';
  ctx.body = page;
}

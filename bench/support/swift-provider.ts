// An OpenID provider that answers at once, in a process of its own, for benches that need more sign-ins than a real one
// can give: everybody who comes is signed in as the next of endlessly many users, each with a session (`sid`) of its own.
// Tokens are genuine (RS256) and as long as Keycloak's. It can be slow, refresh, and send notices about whom it knows.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { newSigningKey, signJws } from '../../test/support/signing-key.ts';
import { answerParent } from './children.ts';

export interface SwiftOptions {
  readonly clientId: string;
  readonly accessTokenSeconds: number;
  /** How long the token endpoint takes to answer. */
  readonly tokenMs: number;
}

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
const key = newSigningKey('RS256');
const nonces = new Map<string, string>();
let options: SwiftOptions;
let issuer = '';
let users = 0;
let notices = 0;
/** Users whose sessions are over. */
const ended = new Set<string>();

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
});

answerParent({
  async start(given: SwiftOptions) {
    options = given;
    await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
    issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return issuer;
  },
  /** How many users have signed in; they are numbered from 0. */
  users: () => users,
  /** Logout tokens for the sessions of these users. */
  logoutTokens: ({ of }: { of: readonly number[] }) => of.map(logoutToken),
  /** A logout token that names what is given. */
  logoutTokenOf: ({ claims }: { claims: object }) => signLogoutToken(claims),
  /** What Keycloak posts to an Admin URL to end sessions, with what is given. */
  logoutActionOf: ({ claims }: { claims: object }) => signLogoutAction(claims),
  /** Ends a user's session here and tells nobody. */
  endSilently: ({ user }: { user: string }) => void ended.add(user),
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url!, issuer);
  switch (url.pathname) {
    case '/.well-known/openid-configuration':
      return json(response, metadata());
    case '/jwks':
      return json(response, { keys: [key.publicJwk] });
    case '/authorize': {
      const user = String(users++);
      nonces.set(user, url.searchParams.get('nonce')!);
      const callback = new URL(url.searchParams.get('redirect_uri')!);
      callback.search = new URLSearchParams({
        code: user,
        state: url.searchParams.get('state')!,
        iss: issuer,
      }).toString();
      response.writeHead(302, { Location: callback.href, 'Content-Length': 0 }).end();
      return;
    }
    case '/token': {
      const form = new URLSearchParams(await body(request));
      if (options.tokenMs > 0) await sleep(options.tokenMs);
      return json(response, tokens(form.get('code') ?? form.get('refresh_token')!.split('.', 1)[0]!));
    }
    case '/introspect': {
      const form = new URLSearchParams(await body(request));
      return json(response, { active: !ended.has(form.get('token')!.split('.', 1)[0]!) });
    }
    case '/logout-token':
      response.end(logoutToken(Number(url.searchParams.get('user'))));
      return;
    case '/revoke':
      await body(request);
      return json(response, {});
    default:
      response.writeHead(404, { 'Content-Length': 0 }).end();
  }
}

function metadata(): object {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    authorization_response_iss_parameter_supported: true,
  };
}

function tokens(user: string): object {
  const nonce = nonces.get(user);
  nonces.delete(user);
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: options.clientId, iat, exp: iat + 36_000, sub: `sub-${user}`, sid: `sid-${user}` };
  const profile = { name: `User ${user}`, preferred_username: `user-${user}`, email: `user-${user}@example.com` };
  return {
    token_type: 'Bearer',
    expires_in: options.accessTokenSeconds,
    refresh_expires_in: 36_000,
    id_token: sign(
      { ...claims, ...profile, ...(nonce !== undefined && { nonce }), groups: ['staff', 'everybody'] },
      'JWT',
    ),
    access_token: `${user}.${'a'.repeat(1400)}`,
    refresh_token: `${user}.${'r'.repeat(800)}`,
  };
}

function logoutToken(user: number): string {
  return signLogoutToken({ sub: `sub-${user}`, sid: `sid-${user}` });
}

function signLogoutToken(named: object): string {
  const iat = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: options.clientId, iat, exp: iat + 120, jti: `notice-${notices++}` };
  return sign({ ...claims, ...named, events: { [LOGOUT_EVENT]: {} } }, 'logout+jwt');
}

function signLogoutAction(named: object): string {
  const expiration = Math.floor(Date.now() / 1000) + 30;
  const claims = { id: `action-${notices++}`, expiration, resource: options.clientId, action: 'LOGOUT' };
  return sign({ ...claims, ...named }, 'JWT');
}

function sign(claims: object, typ: string): string {
  return signJws({ alg: key.alg, kid: key.kid, typ }, claims, key);
}

async function body(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function json(response: ServerResponse, value: object): void {
  const text = JSON.stringify(value);
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
}

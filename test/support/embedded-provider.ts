// A whole OpenID provider for tests: npm oidc-provider on a random loopback port, behind a server whose answers can be
// held back, changed, counted and taken away.
//
//   const provider = await EmbeddedProvider.start({ clients: [{ id: 'gate', redirectUris: ['http://127.0.0.1:1/cb'] }] });
//   const callback = await provider.signIn(authorizationUrl, 'alice');   // the address a browser would go to next
//   const hold = provider.hold(PATHS.token); … await hold.arrived; … hold.release();
//   provider.mutate(PATHS.userinfo, (answer) => withJson(answer, { sub: 'somebody else' }));
//   await provider.endSessions('alice');                                 // as an administrator: notices, then the end
//   await provider.stop(); … await provider.restart();                   // same port, same sessions
//
// Sign-in is a plain form with `username`; there is no consent page. Whoever opens the logout address with an
// `id_token_hint` is sent back at once, as Keycloak does.

import { createPrivateKey, generateKeyPairSync, type JsonWebKey, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { EmbeddedUsers, embeddedConfiguration } from './embedded-configuration.ts';
import { type Answer, type Hold, HookedServer, type Mutate, type Received } from './hooked-server.ts';
import { ProviderStorage, type StoredSession } from './provider-storage.ts';
import { signJws } from './signing-key.ts';

/** Where the embedded provider has its endpoints. */
export const PATHS = {
  discovery: '/.well-known/openid-configuration',
  authorization: '/auth',
  token: '/token',
  userinfo: '/me',
  jwks: '/jwks',
  par: '/request',
  introspection: '/token/introspection',
  revocation: '/token/revocation',
  endSession: '/session/end',
} as const;

export interface EmbeddedClient {
  readonly id: string;
  /** Default `secret of <id>`. */
  readonly secret?: string;
  /** Default client_secret_basic. */
  readonly auth?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt';
  /** Public keys of a private_key_jwt client. */
  readonly jwks?: { keys: object[] };
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris?: readonly string[];
  readonly backchannelLogoutUri?: string;
  readonly idTokenAlg?: string;
}

export interface EmbeddedProviderOptions {
  readonly clients: readonly EmbeddedClient[];
  /** Claims by user name; `sub` is `sub-<name>` unless given. Default: alice, bob and carol with profile, e-mail and groups. */
  readonly users?: Readonly<Record<string, Record<string, unknown>>>;
  /** `id_token` (default): as Keycloak does. `userinfo`: the ID token says only who it is. */
  readonly claimsIn?: 'id_token' | 'userinfo';
  /** `jwt`: access tokens carry `realm_access` of the user, and UserInfo refuses them. Default `opaque`. */
  readonly accessTokens?: 'opaque' | 'jwt';
  readonly rotateRefreshTokens?: boolean;
  /** The end_session_endpoint takes a POST with a refresh token, as Keycloak's does; the package knows nothing of it. */
  readonly endsByRefreshToken?: boolean;
  /** Lifetimes; may be changed later in `provider.lifetimes`. Defaults: 300, 1800, 36000. */
  readonly lifetimes?: Partial<Lifetimes>;
  /** More of oidc-provider's own configuration. */
  readonly configuration?: object;
}

export interface Lifetimes {
  accessTokenSeconds: number;
  refreshTokenSeconds: number;
  sessionSeconds: number;
}

/** A notice to nobody: the package puts `sid` into ID tokens only of clients that have an address for notices. */
const NOBODY = 'http://127.0.0.1:1/nobody';

export class EmbeddedProvider {
  readonly lifetimes: Lifetimes;
  readonly #options: EmbeddedProviderOptions;
  readonly #storage = new ProviderStorage();
  readonly #users: EmbeddedUsers;
  readonly #front: HookedServer;
  readonly #inner: Server;
  readonly #cookieKey = randomBytes(16).toString('hex');
  #keys: ProviderKey[] = [signingKey()];
  #provider: Provider | undefined;

  private constructor(options: EmbeddedProviderOptions) {
    this.#options = options;
    this.#users = new EmbeddedUsers(options.users);
    this.lifetimes = {
      accessTokenSeconds: 300,
      refreshTokenSeconds: 1800,
      sessionSeconds: 36_000,
      ...options.lifetimes,
    };
    for (const client of options.clients) this.setClient(client);
    this.#inner = createServer((req, res) => this.#handle(req, res));
    this.#front = new HookedServer((request) => this.#forward(request));
  }

  static async start(options: EmbeddedProviderOptions): Promise<EmbeddedProvider> {
    const embedded = new EmbeddedProvider(options);
    embedded.#inner.listen(0, '127.0.0.1');
    await once(embedded.#inner, 'listening');
    await embedded.#front.start();
    embedded.#build();
    return embedded;
  }

  get issuer(): string {
    return this.#front.origin;
  }

  /** Registers a client, or changes one. For addresses that are known only after the provider runs. */
  setClient(client: EmbeddedClient): void {
    this.#storage.clients.set(client.id, {
      client_id: client.id,
      ...(client.auth !== 'private_key_jwt' && { client_secret: client.secret ?? `secret of ${client.id}` }),
      token_endpoint_auth_method: client.auth ?? 'client_secret_basic',
      ...(client.jwks && { jwks: client.jwks }),
      grant_types: ['authorization_code', 'refresh_token'],
      redirect_uris: client.redirectUris,
      post_logout_redirect_uris: client.postLogoutRedirectUris ?? [],
      backchannel_logout_uri: client.backchannelLogoutUri ?? NOBODY,
      backchannel_logout_session_required: true,
      id_token_signed_response_alg: client.idTokenAlg ?? 'RS256',
    });
  }

  /** Requests to a path so far; see PATHS. */
  count(path: string): number {
    return this.#front.count(path);
  }

  received(path: string): readonly Received[] {
    return this.#front.received(path);
  }

  /** Holds the next request to `path`; see HookedServer. */
  hold(path: string, at?: 'request' | 'answer'): Hold {
    return this.#front.hold(path, at);
  }

  /** Changes the answers of `path` until the returned function is called; see HookedServer. */
  mutate(path: string, mutate: Mutate): () => void {
    return this.#front.mutate(path, mutate);
  }

  /** Connecting is refused from now on; sessions and keys are kept. */
  stop(): Promise<void> {
    return this.#front.stop();
  }

  /** The same provider on the same port again. */
  restart(): Promise<void> {
    return this.#front.start();
  }

  /** Ends for good. */
  async close(): Promise<void> {
    await this.#front.stop();
    this.#inner.close();
    this.#inner.closeAllConnections();
  }

  /** Signs with a new key from now on; `drop` takes the old ones out of the key set too. */
  rotateKeys(old: 'keep' | 'drop' = 'keep'): void {
    this.#keys = [signingKey(), ...(old === 'keep' ? this.#keys : [])];
    this.#build();
  }

  /**
   * What a browser does from the authorization address to the redirect back to us, which is returned and not followed.
   * `cookies` is the browser: give the same map again for single sign-on.
   */
  async signIn(authorizationUrl: string, username: string, cookies: Map<string, string> = new Map()): Promise<URL> {
    let url = new URL(authorizationUrl);
    let form: URLSearchParams | undefined;
    for (let step = 0; step < 10; step++) {
      if (url.origin !== this.issuer) return url;
      const response = await fetch(url, {
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(form && { method: 'POST', body: form }),
      });
      for (const cookie of response.headers.getSetCookie()) {
        const [name = '', value = ''] = cookie.split(';', 1)[0]!.split('=', 2);
        if (value) cookies.set(name, value);
        else cookies.delete(name);
      }
      const location = response.headers.get('location');
      const page = await response.text();
      if (location) {
        form = undefined;
        url = new URL(location, url);
      } else if (response.status === 200 && page.includes('name="username"')) {
        form = new URLSearchParams({ username });
      } else {
        throw new Error(`sign-in stopped at ${url.pathname} with ${response.status}: ${page.slice(0, 500)}`);
      }
    }
    throw new Error('sign-in goes round in circles');
  }

  /**
   * An access token as Keycloak issues them, of alice for the client `gate` unless the claims say otherwise; the package's
   * own name no session. A member that is undefined is left out.
   */
  accessToken(claims: Record<string, unknown> = {}): string {
    const iat = Math.floor(Date.now() / 1000);
    const { accessTokenSeconds } = this.lifetimes;
    const honest = { iss: this.issuer, aud: 'account', azp: 'gate', typ: 'Bearer', sub: 'sub-alice' };
    return this.sign({ ...honest, iat, exp: iat + accessTokenSeconds, jti: randomBytes(8).toString('hex'), ...claims });
  }

  /** A notice to the client `gate`; says what the claims say, of now. */
  logoutToken(claims: Record<string, unknown>): string {
    const iat = Math.floor(Date.now() / 1000);
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const honest = { iss: this.issuer, aud: 'gate', iat, exp: iat + 120, jti: randomBytes(8).toString('hex'), events };
    return this.sign({ ...honest, ...claims }, { typ: 'logout+jwt' });
  }

  /** Whatever is given, signed with the provider's newest key. */
  sign(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
    const key = this.#keys[0]!;
    const { alg, kid } = key;
    const signer = { alg, kid, privateKey: createPrivateKey({ key, format: 'jwk' }), publicJwk: {} };
    return signJws({ alg, kid, typ: 'JWT', ...header }, claims, signer);
  }

  /** Ends all sessions of a user as an administrator would: every client is told first, one after another, then they end. */
  async endSessions(username: string): Promise<void> {
    const sub = this.#users.claims(username)?.['sub'];
    for (const session of this.#storage.sessions()) if (session.accountId === sub) await this.#end(session);
  }

  async #end(session: StoredSession): Promise<void> {
    for (const [clientId, { sid }] of Object.entries(session.authorizations ?? {})) {
      const client = await this.#provider!.Client.find(clientId);
      // A client that cannot be reached hears nothing and changes nothing, as with Keycloak.
      await client?.backchannelLogout(session.accountId, sid).catch(() => {});
    }
    this.#storage.endSession(session);
  }

  /** Ends all sessions of a user and tells nobody, as when a user is deleted in Keycloak. */
  dropSessions(username: string): void {
    const sub = this.#users.claims(username)?.['sub'];
    for (const session of this.#storage.sessions()) if (session.accountId === sub) this.#storage.endSession(session);
  }

  /** What Keycloak would post to the Admin URL of `clientId`, signed with our key. */
  adminAction(clientId: string, action: string, claims: Record<string, unknown> = {}): string {
    const expiration = Math.floor(Date.now() / 1000) + 30;
    return this.sign({ id: randomBytes(8).toString('hex'), expiration, resource: clientId, action, ...claims });
  }

  #build(): void {
    const provider = new Provider(
      this.issuer,
      embeddedConfiguration(this.#options, {
        lifetimes: this.lifetimes,
        storage: this.#storage,
        users: this.#users,
        jwks: { keys: this.#keys },
        cookieKey: this.#cookieKey,
      }),
    );
    this.#provider = provider;
    provider.on('server_error', (_, error) => console.error('embedded provider:', error));
  }

  #handle(req: IncomingMessage, res: ServerResponse): void {
    const provider = this.#provider!;
    if (!req.url?.startsWith('/interaction/')) {
      provider.callback()(req, res);
      return;
    }
    this.#interact(req, res).catch((error) => {
      res.statusCode = 400;
      res.end(String(error));
    });
  }

  async #interact(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const provider = this.#provider!;
    await provider.interactionDetails(req, res);
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk);
    const username = new URLSearchParams(Buffer.concat(chunks).toString()).get('username') ?? '';
    const claims = req.method === 'POST' ? this.#users.claims(username) : undefined;
    if (claims) {
      const login = { accountId: claims['sub'], amr: ['pwd'] };
      return provider.interactionFinished(req, res, { login }, { mergeWithLastSubmission: false });
    }
    res.setHeader('content-type', 'text/html; charset=utf-8');
    res.end(`<!doctype html><title>Sign in</title><h1>Sign in</h1><form method="post" action="${req.url}">
<label>User name <input name="username" autofocus></label> <button>Sign in</button></form><p>Users: ${this.#users.names.join(', ')}</p>`);
  }

  async #forward(request: Received): Promise<Answer> {
    const refreshToken = request.method === 'POST' && new URLSearchParams(request.body).get('refresh_token');
    if (request.path === PATHS.endSession && refreshToken && this.#options.endsByRefreshToken) {
      const session = this.#storage.sessionOf(refreshToken);
      // The clients are told before the answer; one that is gone already is no error.
      if (session) await this.#end(session);
      return { status: 204, headers: {}, body: '' };
    }
    const answer = await this.#ask(request);
    if (request.path !== PATHS.endSession || answer.status !== 200) return answer;
    const hint = new URLSearchParams(request.method === 'POST' ? request.body : request.url.search).has(
      'id_token_hint',
    );
    const xsrf = /name="xsrf" value="([^"]+)"/.exec(String(answer.body))?.[1];
    if (!hint || !xsrf) return answer;
    return this.#ask({
      ...request,
      method: 'POST',
      url: new URL(`${PATHS.endSession}/confirm`, this.issuer),
      headers: { ...request.headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ xsrf, logout: 'yes' }).toString(),
    });
  }

  async #ask({ method, url, headers, body }: Received): Promise<Answer> {
    const { 'content-length': _, 'transfer-encoding': __, ...kept } = headers;
    const req = httpRequest({
      port: (this.#inner.address() as AddressInfo).port,
      host: '127.0.0.1',
      method,
      path: url.pathname + url.search,
      headers: { ...kept, ...(body && { 'content-length': Buffer.byteLength(body) }) },
      agent: false,
    });
    req.end(body);
    const [res] = (await once(req, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of res) chunks.push(chunk);
    return { status: res.statusCode!, headers: res.headers as Answer['headers'], body: Buffer.concat(chunks) };
  }
}

type ProviderKey = JsonWebKey & { readonly alg: string; readonly kid: string };

function signingKey(): ProviderKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const kid = randomBytes(8).toString('base64url');
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' };
}

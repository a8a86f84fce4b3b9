// An OpenID provider without rules, for attacks: it signs whatever a test wants with keys that the test holds, and has no
// users, no forms and no memory. For honest behaviour use the embedded provider.
//
//   const fake = await FakeProvider.start();
//   fake.issue = (grant) => ({ ...fake.tokens(grant), id_token: fake.idToken({ aud: 'somebody else' }) });
//   await fake.login(provider);                       // begin, callback, finish
//   fake.logoutToken({ sid: 's1' }, { header: { typ: 'JWT' } });
//   fake.server.mutate('/token', …); fake.server.hold('/jwks'); fake.server.count('/userinfo');

import type { ServerOptions } from 'node:https';
import { beginLogin } from '../../src/oidc/begin-login.ts';
import { finishLogin, type SignedIn } from '../../src/oidc/finish-login.ts';
import type { Provider } from '../../src/oidc/provider.ts';
import { type Answer, HookedServer, type Received } from './hooked-server.ts';
import { newSigningKey, type Signer, type SigningKey, signJws } from './signing-key.ts';

export const CLIENT_ID = 'gate';
export const CLIENT_SECRET = 'a secret: +/&%?';
/** Of every session that is signed in here. */
export const HANDLE = 's_of-the-fake';
export const REDIRECT_URI = 'http://127.0.0.1:9/_gate/callback';
const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

export interface Signing {
  /** Merged into `alg`, `kid`, `typ`; a member that is undefined is left out. */
  readonly header?: Record<string, unknown>;
  readonly signer?: Signer;
}

/** What the token endpoint was asked for. */
export interface Grant {
  readonly type: string;
  /** Of the last sign-in that began. */
  readonly nonce: string | undefined;
}

export class FakeProvider {
  readonly server: HookedServer;
  readonly key: SigningKey;
  /** What the key set says. */
  jwks: { keys: unknown[] };
  /** Put over the honest metadata; undefined takes a member away. */
  metadata: Record<string, unknown> = {};
  userinfo: Record<string, unknown> = { sub: 'alice' };
  introspection: Record<string, unknown> = { active: true };
  /** The token endpoint's JSON. */
  issue: (grant: Grant) => Record<string, unknown> = (grant) => this.tokens(grant);
  #nonce: string | undefined;
  #notices = 0;

  private constructor(alg: string, tls: ServerOptions | undefined) {
    this.key = newSigningKey(alg, 'key-1');
    this.jwks = { keys: [this.key.publicJwk] };
    this.server = new HookedServer(async (request) => this.#answer(request), tls);
  }

  /** @param tls for https */
  static async start(alg = 'RS256', tls?: ServerOptions): Promise<FakeProvider> {
    const fake = new FakeProvider(alg, tls);
    await fake.server.start();
    return fake;
  }

  get issuer(): string {
    return this.server.origin;
  }

  /** An honest answer of the token endpoint. */
  tokens({ nonce, type }: Grant): Record<string, unknown> {
    return {
      access_token: 'opaque access token',
      token_type: 'Bearer',
      expires_in: 300,
      refresh_token: 'refresh token',
      refresh_expires_in: 1800,
      id_token: this.idToken({ nonce: type === 'refresh_token' ? undefined : nonce }),
    };
  }

  idToken(claims: Record<string, unknown> = {}, signing: Signing = {}): string {
    return this.sign({ ...this.#times(300), sub: 'alice', sid: 'sid-1', ...claims }, signing);
  }

  logoutToken(claims: Record<string, unknown> = {}, signing: Signing = {}): string {
    const honest = {
      ...this.#times(120),
      sub: 'alice',
      sid: 'sid-1',
      jti: `jti-${++this.#notices}`,
      events: { [LOGOUT_EVENT]: {} },
    };
    return this.sign({ ...honest, ...claims }, { ...signing, header: { typ: 'logout+jwt', ...signing.header } });
  }

  /** What Keycloak posts to the Admin URL. */
  adminAction(action: string, claims: Record<string, unknown> = {}, signing: Signing = {}): string {
    const expiration = Math.floor(Date.now() / 1000) + 30;
    return this.sign({ id: 'id-1', expiration, resource: CLIENT_ID, action, ...claims }, signing);
  }

  /** Any token of this provider; members that are undefined are left out, as JSON does. */
  sign(claims: Record<string, unknown>, { header, signer = this.key }: Signing = {}): string {
    return signJws({ alg: this.key.alg, kid: this.key.kid, typ: 'JWT', ...header }, claims, signer);
  }

  /** Begins a sign-in, comes back as an honest browser would (unless `tamper` changes the address), and finishes it. */
  async login(provider: Provider, tamper: (callback: URL) => void = () => {}): Promise<SignedIn> {
    const { url, transaction } = await beginLogin(provider, { redirectUri: REDIRECT_URI });
    this.#nonce = transaction.nonce;
    const callbackUrl = new URL(REDIRECT_URI);
    callbackUrl.searchParams.set('code', 'code-1');
    callbackUrl.searchParams.set('state', new URL(url).searchParams.get('state') ?? transaction.state);
    callbackUrl.searchParams.set('iss', this.issuer);
    tamper(callbackUrl);
    return finishLogin(provider, { callbackUrl, redirectUri: REDIRECT_URI, transaction, handle: HANDLE });
  }

  #times(lifetimeSeconds: number): Record<string, unknown> {
    const iat = Math.floor(Date.now() / 1000);
    return { iss: this.issuer, aud: CLIENT_ID, iat, exp: iat + lifetimeSeconds };
  }

  #answer(request: Received): Answer {
    switch (request.path) {
      case '/.well-known/openid-configuration':
        return json(this.#metadata());
      case '/jwks':
        return json(this.jwks);
      case '/token': {
        const type = new URLSearchParams(request.body).get('grant_type') ?? '';
        return json(this.issue({ type, nonce: this.#nonce }));
      }
      case '/userinfo':
        return json(this.userinfo);
      case '/introspect':
        return json(this.introspection);
      case '/par':
        return json({ request_uri: 'urn:pushed:1', expires_in: 60 }, 201);
      case '/revoke':
        return json({});
      default:
        return { status: 404, headers: {}, body: '' };
    }
  }

  #metadata(): Record<string, unknown> {
    const at = (path: string) => `${this.issuer}${path}`;
    return {
      issuer: this.issuer,
      authorization_endpoint: at('/authorize'),
      token_endpoint: at('/token'),
      jwks_uri: at('/jwks'),
      userinfo_endpoint: at('/userinfo'),
      introspection_endpoint: at('/introspect'),
      revocation_endpoint: at('/revoke'),
      end_session_endpoint: at('/logout?realm=a'),
      authorization_response_iss_parameter_supported: true,
      ...this.metadata,
    };
  }
}

export function json(body: unknown, status = 200): Answer {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

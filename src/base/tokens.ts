// What sign-in leaves behind, in the words that several rooms share.

/** Claims as the provider sent them. Null-prototype or plain; never trusted to have any shape. */
export type Claims = Readonly<Record<string, unknown>>;

/** Tokens of one session. Instants are this process's clock, epoch milliseconds. */
export interface TokenSet {
  /** Empty where the session is a bearer token. */
  readonly idToken: string;
  readonly accessToken: string;
  readonly accessExpiresAt: number;
  readonly refreshToken: string | undefined;
  /** From `refresh_expires_in` (Keycloak); undefined where the provider does not say. */
  readonly refreshExpiresAt: number | undefined;
  /**
   * The `iat` of the ID token that came with them, epoch seconds by the provider's clock: what its not-before is compared
   * with. Where a refresh brings no ID token, that of the tokens before.
   */
  readonly issuedAtSeconds: number;
}

/** How the provider is asked whether a session lives; `refresh` where introspection did not prove right at sign-in. */
export type LivenessProbe = 'introspect' | 'refresh';

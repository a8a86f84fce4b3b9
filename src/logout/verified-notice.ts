// What a logout token said (Back-Channel Logout 1.0 section 2.4).

/** A logout token that has passed every check. */
export interface VerifiedNotice {
  readonly issuer: string;
  readonly sub?: string | undefined;
  readonly sid?: string | undefined;
  readonly issuedAtSeconds: number;
  readonly jti: string;
}

/** Tokens that are not good any more, although their issuer said that they would be. */

export type Revoked =
  /** Every token of the user that was issued until the revocation was made. */
  | { readonly by: 'user'; readonly issuer: string; readonly user: string }
  /** The one token with this `jti`. */
  | { readonly by: 'token'; readonly issuer: string; readonly tokenId: string }
  /** The one session with this id. */
  | { readonly by: 'session'; readonly sessionId: string }
  /** Every token of the issuer, or of all issuers, that was issued before a moment (Unix time in milliseconds). */
  | { readonly by: 'issued-before'; readonly issuer: string | undefined; readonly beforeMillis: number };

export interface RevocationTerms {
  /** Unix time in milliseconds at which it is forgotten; undefined: never. */
  readonly untilMillis: number | undefined;
  /** Why, for the audit. */
  readonly note: string | undefined;
}

export type Revocation = Revoked &
  RevocationTerms & {
    readonly id: string;
    /** Unix time in milliseconds. */
    readonly madeAtMillis: number;
  };

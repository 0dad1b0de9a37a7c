/** A login that goes on: what is kept of it. The value of its cookie is kept nowhere, only a digest of it. */
export interface Session {
  /** Names it to operators and in revocations; it opens nothing. */
  readonly id: string;
  /** The alias of the issuer whose user it is. */
  readonly issuer: string;
  readonly user: string;
  readonly roles: readonly string[];
  readonly tenant: string | undefined;
  /** The provider's own name for its session (`sid`), where it has told it. */
  readonly providerSessionId: string | undefined;
  /** Unix time in milliseconds of the login. */
  readonly startedAtMillis: number;
  /** Unix time in milliseconds at which it ends, however much it is used. */
  readonly endsAtMillis: number;
  /** Unix time in milliseconds of the last use that was written down. */
  readonly usedAtMillis: number;
  /** Unix time in milliseconds from which the provider has to be asked whether it goes on; undefined: never. */
  readonly refreshAtMillis: number | undefined;
  /** The provider's tokens (`SessionTokens`), sealed. */
  readonly sealedTokens: string | undefined;
  /** Counts the refreshes; the first is 0. */
  readonly version: number;
}

/** What the provider gave: never told to a browser, to the upstream or to a log. */
export interface SessionTokens {
  readonly refreshToken: string | undefined;
  /** Shown to the provider when its session is to end too. */
  readonly idToken: string | undefined;
}

/** Who is calling, after the token has been verified. */
import type { Brand } from './brand.ts';

/**
 * The name under which things are owned: `<issuer alias>|<claim>`, never a bare `sub`, because two issuers may both
 * have a user "1".
 */
export type Owner = string;

interface PrincipalFields {
  readonly owner: Owner;
  /** The alias of the issuer in gateway.yaml. */
  readonly issuer: string;
  /** The value of the issuer's user claim. */
  readonly user: string;
  readonly roles: readonly string[];
  /** The organisation among those of the issuer, where its tokens name one. */
  readonly tenant: string | undefined;
  /** The token's `jti`, when it has one. */
  readonly tokenId: string | undefined;
  /** The id of the session by whose cookie the caller is known; undefined where a token was shown. Opens nothing. */
  readonly sessionId: string | undefined;
  /** Unix time in milliseconds at which the token was issued, by the issuer's clock, when it says so; of a
   * session, at which its user logged in. */
  readonly issuedAtMillis: number | undefined;
  /** Unix time in milliseconds at which the authority ends (tolerance not included). */
  readonly expiresAtMillis: number;
}

/** Made in authn/claims only. */
export type Principal = Brand<PrincipalFields, 'Principal'>;

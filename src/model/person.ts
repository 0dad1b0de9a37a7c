/** Who somebody is according to an issuer, in the gateway's words: what claims come to. */
export interface Person {
  /** The value of the issuer's user claim. */
  readonly user: string;
  /** After the operator's mapping. */
  readonly roles: readonly string[];
  readonly tenant: string | undefined;
}

/** Where the gateway's own signing keys are kept. The private halves come and go sealed: a store cannot read them. */

export interface StoredSigningKey {
  /** The `kid`. */
  readonly id: string;
  readonly algorithm: string;
  /** The public half, as JSON (RFC 7517). */
  readonly publicJwk: string;
  /** The private half, sealed. */
  readonly sealed: string;
  /** Unix times in milliseconds, as the other ones. */
  readonly madeAtMillis: number;
  readonly signsFromMillis: number;
  /** When another one began to sign in its place; undefined: none has. */
  readonly retiredAtMillis: number | undefined;
}

export interface SigningKeyChange {
  readonly make: readonly StoredSigningKey[];
  readonly retire: ReadonlyArray<Pick<StoredSigningKey, 'id'> & { readonly atMillis: number }>;
  /** Ids. */
  readonly remove: readonly string[];
}

export interface SigningKeyStore {
  /** Returns all, in the order in which they sign. */
  all(): Promise<readonly StoredSigningKey[]>;
  /**
   * Changes what `decide` says of the keys as they are then; no other process changes any between the two. Durable before
   * it resolves with all that there are then.
   */
  change(decide: (keys: readonly StoredSigningKey[]) => SigningKeyChange): Promise<readonly StoredSigningKey[]>;
  /** Calls back when another process may have changed something. */
  onChange(listener: () => void): void;
}

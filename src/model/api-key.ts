/** A key with which a service account shows who it is: what may be told of it. The key itself is kept nowhere. */
export interface ApiKey {
  /** Names it to operators and in revocations; it opens nothing. */
  readonly id: string;
  /** Two keys of one account share what it owns. */
  readonly account: string;
  readonly roles: readonly string[];
  /** Unix time in milliseconds. */
  readonly madeAtMillis: number;
  /** Unix time in milliseconds. */
  readonly expiresAtMillis: number;
  /** What it is for. */
  readonly note: string | undefined;
}

/** What is asked for when one is made. */
export type ApiKeyWanted = Pick<ApiKey, 'account' | 'roles' | 'expiresAtMillis' | 'note'>;

/** How often, and how many at once. */

export interface RateLimit {
  readonly name: string;
  readonly points: number;
  readonly perMillis: number;
  /** `user`: applies where somebody is authenticated. `address`: where nobody is. */
  readonly by: 'user' | 'address';
  /** Counts only failed authentications. */
  readonly onFailedAuthentication: boolean;
}

export interface ConcurrencyLimit {
  readonly name: string;
  readonly concurrent: number;
  /** A run that never reports its end frees its slot after this time. */
  readonly timeoutMillis: number;
}

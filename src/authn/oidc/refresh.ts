/** How long a session goes on before its provider is asked about it, and what the answer comes to. */

import type { Refreshed } from '../session/refresh.ts';
import type { JsonMembers } from '../strict-json.ts';
import type { ProviderTokens } from './client.ts';
import { awayBecause } from './failure.ts';

/** So much before the access token expires the provider is asked. */
const REFRESH_AHEAD_SECONDS = 30;
const SHORTEST_REFRESH_SECONDS = 60;
/** A user who was locked out at the provider is noticed within a day, however long its tokens live. */
const LONGEST_REFRESH_SECONDS = 86_400;
/** Where the provider does not say how long its access token lives (RFC 6749 section 5.1: it should). */
const USUAL_LIFETIME_SECONDS = 3600;

/** Returns when to ask the provider again; never where there is nothing to ask with. */
export const refreshMoment = (
  { refreshToken, expiresIn = USUAL_LIFETIME_SECONDS }: Pick<ProviderTokens, 'refreshToken' | 'expiresIn'>,
  nowMillis: number,
): number | undefined => {
  if (refreshToken === undefined) return undefined;
  const seconds = Math.max(SHORTEST_REFRESH_SECONDS, expiresIn - REFRESH_AHEAD_SECONDS);
  return nowMillis + Math.round(Math.min(seconds, LONGEST_REFRESH_SECONDS) * 1000);
};

export interface RefreshTerms {
  /** Resolves with the verified claims that came with the tokens. */
  readonly claimsOf: () => Promise<JsonMembers>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Resolves with what new tokens come to; `asked` is the refresh token that brought them. */
export const refreshed = async (
  tokens: ProviderTokens,
  asked: string,
  { claimsOf, now }: RefreshTerms,
): Promise<Refreshed> => {
  const { refreshToken, idToken, expiresIn } = tokens;
  const kept = { refreshToken: refreshToken ?? asked, expiresIn };
  if (idToken === undefined)
    return { claims: undefined, refreshToken, idToken, refreshAtMillis: refreshMoment(kept, now()) };
  try {
    return { claims: await claimsOf(), refreshToken, idToken, refreshAtMillis: refreshMoment(kept, now()) };
  } catch (error) {
    if (awayBecause(error) === undefined) throw error;
    // The refresh token that was asked with may be used up by now: the new one must not be lost with the claims.
    const refreshAtMillis = refreshMoment({ ...kept, expiresIn: 0 }, now());
    return { claims: undefined, refreshToken, idToken: undefined, refreshAtMillis };
  }
};

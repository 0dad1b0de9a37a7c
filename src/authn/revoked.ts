/** What is revoked, arranged so that asking costs the same however much it is. */
import type { Principal } from '../model/principal.ts';
import type { Revocation } from '../model/revocation.ts';

export interface RevokedTokens {
  add(revocation: Revocation): void;
  has(principal: Principal): boolean;
}

/** Returns an index of nothing. What is added stays in it: to take one back is to make another index. */
export const revokedTokens = (): RevokedTokens => {
  /** Of each user when it was revoked last; of each issuer: what was issued before this moment is not good. */
  const users = new Map<string, number>();
  const issuers = new Map<string, number>();
  const tokens = new Set<string>();
  const sessions = new Set<string>();
  let everyIssuer = Number.NEGATIVE_INFINITY;
  let empty = true;

  return {
    add(revocation) {
      empty = false;
      if (revocation.by === 'session') sessions.add(revocation.sessionId);
      else if (revocation.by === 'token') tokens.add(keyOf(revocation.issuer, revocation.tokenId));
      else if (revocation.by === 'user')
        raise(users, keyOf(revocation.issuer, revocation.user), revocation.madeAtMillis);
      else if (revocation.issuer === undefined) everyIssuer = Math.max(everyIssuer, revocation.beforeMillis);
      else raise(issuers, revocation.issuer, revocation.beforeMillis);
    },
    has({ owner, issuer, tokenId, sessionId, issuedAtMillis }) {
      if (empty) return false;
      // What does not say when it was issued may be as old as it likes.
      const issued = issuedAtMillis ?? Number.NEGATIVE_INFINITY;
      if (issued < everyIssuer || isBefore(issued, issuers.get(issuer))) return true;
      const madeAt = users.get(owner);
      // When a session began is known to the millisecond: who logs in again at once is in again.
      if (madeAt !== undefined && issued < (sessionId === undefined ? nextSecond(madeAt) : madeAt + 1)) return true;
      if (sessionId !== undefined && sessions.has(sessionId)) return true;
      return tokenId !== undefined && tokens.has(keyOf(issuer, tokenId));
    },
  };
};

/** As an owner's name is made: an alias holds no bar, so no two pairs have one key. */
const keyOf = (issuer: string, name: string): string => `${issuer}|${name}`;

const isBefore = (issued: number, moment: number | undefined): boolean => moment !== undefined && issued < moment;

const raise = (moments: Map<string, number>, key: string, moment: number): void => {
  moments.set(key, Math.max(moment, moments.get(key) ?? moment));
};

/** Most issuers count whole seconds: a token of the very second may be from before. */
const nextSecond = (millis: number): number => (Math.floor(millis / 1000) + 1) * 1000;

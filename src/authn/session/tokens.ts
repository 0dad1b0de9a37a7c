/** The provider's tokens as a session keeps them: sealed, and of use in that session alone. */
import type { Session, SessionTokens } from '../../model/session.ts';
import type { Sealer } from '../seal.ts';
import { member, readJsonObject } from '../strict-json.ts';

export interface TokenSealer {
  /** Returns undefined where there is nothing to seal. */
  seal(sessionId: string, tokens: SessionTokens): string | undefined;
  /** Returns undefined where they cannot be opened: altered, of another session, or of a secret that is not known any more. */
  open(session: Pick<Session, 'id' | 'sealedTokens'>): SessionTokens | undefined;
}

const NOTHING: SessionTokens = { refreshToken: undefined, idToken: undefined };

/** Returns what seals and opens them. */
export const tokenSealer = (sealer: Sealer): TokenSealer => ({
  seal(sessionId, { refreshToken, idToken }) {
    if ((refreshToken ?? idToken) === undefined) return undefined;
    return sealer.seal(purposeOf(sessionId), JSON.stringify({ refreshToken, idToken }));
  },
  open({ id, sealedTokens }) {
    if (sealedTokens === undefined) return NOTHING;
    const text = sealer.open(purposeOf(id), sealedTokens);
    if (text === undefined) return undefined;
    const tokens = readJsonObject(Buffer.from(text));
    return { refreshToken: textIn(tokens, 'refreshToken'), idToken: textIn(tokens, 'idToken') };
  },
});

/** A row's tokens that were put into another row open nothing. */
const purposeOf = (sessionId: string): string => `session-tokens ${sessionId}`;

const textIn = (tokens: Parameters<typeof member>[0], name: string): string | undefined => {
  const value = member(tokens, name);
  return typeof value === 'string' ? value : undefined;
};

/** How the authority of somebody who was let in comes to its end, in the words that the client and the audit are told. */
import type { Principal } from './principal.ts';
import type { ReasonCode } from './reason.ts';

/** Returns the reason for which what lives by an authority is ended. Of a session it is one: how it ended is its user's affair. */
export const endOf = ({ sessionId }: Pick<Principal, 'sessionId'>, how: 'expired' | 'revoked'): ReasonCode => {
  if (sessionId !== undefined) return 'session-ended';
  return how === 'expired' ? 'authority-expired' : 'token-revoked';
};

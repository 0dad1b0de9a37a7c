/** What an issuer said of an opaque token, judged as the claims of a signed one are. */
import type { Principal } from '../../model/principal.ts';
import { quoted, refusal } from '../challenge.ts';
import { claimsJudge } from '../claims.ts';
import type { IssuerSettings } from '../issuer.ts';
import { type JsonMembers, member } from '../strict-json.ts';

/** Returns whose the token is, or throws a Rejection. */
export type JudgeAnswer = (answer: JsonMembers, nowMillis: number, latestMillis: number) => Principal;

/**
 * Returns the function that judges the answers of an issuer. It throws a Rejection: token-inactive, token-issuer, token-type,
 * and those of `claimsJudge`.
 */
export const answerJudge = (settings: IssuerSettings): JudgeAnswer => {
  const judgeClaims = claimsJudge(settings);
  return (answer, nowMillis, latestMillis) => {
    if (member(answer, 'active') !== true) throw refusal('token-inactive', 'its issuer says that it is not active');
    const iss = member(answer, 'iss');
    if (iss !== undefined && iss !== settings.issuer)
      throw refusal('token-issuer', `its issuer is ${typeof iss === 'string' ? quoted(iss) : 'not a string'}`);
    // A token that is bound to a key (RFC 9449) proves nothing where the key is not shown.
    const type = member(answer, 'token_type');
    if (type !== undefined && !(typeof type === 'string' && type.toLowerCase() === 'bearer'))
      throw refusal('token-type', 'the token is not a bearer token');
    return judgeClaims(answer, nowMillis, latestMillis);
  };
};

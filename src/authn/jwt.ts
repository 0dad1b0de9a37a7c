/** Verifies a JSON Web Token (RFC 7519) that gives its bearer access, and says whose it is. */
import type { Principal } from '../model/principal.ts';
import { quoted, refusal } from './challenge.ts';
import { claimsJudge } from './claims.ts';
import type { IssuerSettings } from './issuer.ts';
import type { VerificationKey } from './jwk.ts';
import { readSigned, type SignedToken, verifySigned } from './jws.ts';
import type { KeySet } from './keys.ts';
import { member } from './strict-json.ts';

export interface Issuer {
  readonly settings: IssuerSettings;
  readonly keys: KeySet;
}

/** What a verification came to, and by which key and of which set: if one of them ends, so does the verdict. */
export interface Verdict {
  readonly principal: Principal;
  readonly key: VerificationKey;
  readonly keys: KeySet;
  /** Unix time in milliseconds, tolerance included. */
  readonly endsAtMillis: number;
}

/** A token of more characters than this is not even digested. */
export const MAX_TOKEN_LENGTH = 8192;

/** An issuer with everything worked out that does not depend on a token. */
const prepare = ({ settings, keys }: Issuer) => {
  const { name: issuer, clockToleranceSeconds } = settings;
  const terms = { issuer, algorithms: new Set(settings.algorithms), types: new Set(settings.types), keys };
  const judge = claimsJudge(settings);
  return async (token: SignedToken, now: () => number): Promise<Verdict> => {
    const key = await verifySigned(token, terms);
    const principal = judge(token.claims, now());
    return { principal, key, keys, endsAtMillis: principal.expiresAtMillis + clockToleranceSeconds * 1000 };
  };
};

/**
 * Returns the function that verifies a token of any of the issuers. It rejects with a Rejection of this stage; the
 * signature is checked before any claim but `iss`, so that claims can be probed by nobody.
 */
export const tokenVerifier = (issuers: readonly Issuer[], now: () => number): ((token: string) => Promise<Verdict>) => {
  const byIssuer = new Map(issuers.map((issuer) => [issuer.settings.issuer, prepare(issuer)]));
  return async (text) => {
    const token = readSigned(text);
    const iss = member(token.claims, 'iss');
    if (typeof iss !== 'string') throw refusal('token-issuer', 'the token does not say who issued it');
    const verify = byIssuer.get(iss);
    if (verify === undefined) throw refusal('token-issuer', `nobody here trusts ${quoted(iss)}`);
    return verify(token, now);
  };
};

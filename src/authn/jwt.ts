/**
 * Reads and verifies a JSON Web Token (RFC 7519) as RFC 8725 asks for: everything about how it is verified comes from
 * the issuer's settings, nothing from the token but the choice among them.
 */
import { compactVerify, errors } from 'jose';
import type { Principal } from '../model/principal.ts';
import type { ReasonCode } from '../model/reason.ts';
import { quoted, refusal } from './challenge.ts';
import { claimsJudge } from './claims.ts';
import type { IssuerSettings } from './issuer.ts';
import type { VerificationKey } from './jwk.ts';
import type { KeySet } from './keys.ts';
import { type JsonMembers, member, readJsonObject } from './strict-json.ts';

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

const MAX_KID_LENGTH = 256;

/**
 * Header parameters that bring a key of the token's own, ask for processing that this reader does not do, or wrap
 * another token (RFC 7515 section 4.1, RFC 7797, RFC 8725 section 3.10).
 */
const refusedParameters = ['jwk', 'jku', 'x5u', 'x5c', 'crit', 'b64', 'zip', 'cty'];

const joseReasons: Readonly<Record<string, ReasonCode>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'token-algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'token-header',
  ERR_JWS_INVALID: 'token-malformed',
};

interface UnverifiedToken {
  readonly header: JsonMembers;
  readonly claims: JsonMembers;
}

/** Returns the bytes of a part. Only their one canonical spelling is accepted, so a token has no second spelling. */
const decode = (part: string): Buffer => {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) throw refusal('token-malformed', 'a part is not canonical base64url');
  return bytes;
};

const readPart = (part: string): JsonMembers => {
  const bytes = decode(part);
  try {
    return readJsonObject(bytes);
  } catch {
    // JSON.parse cites the text in its message, and no part of a token goes into a record: so no cause here.
    throw refusal('token-malformed', 'a part is not one unambiguous JSON object');
  }
};

const readToken = (token: string): UnverifiedToken => {
  const [header, claims, signature, ...rest] = token.split('.', 4);
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) {
    throw refusal('token-malformed', 'the token does not have three parts');
  }
  decode(signature);
  return { header: readPart(header), claims: readPart(claims) };
};

const keyId = (header: JsonMembers): string | undefined => {
  const kid = member(header, 'kid');
  if (kid === undefined) return undefined;
  if (typeof kid === 'string' && kid !== '' && kid.length <= MAX_KID_LENGTH) return kid;
  throw refusal('token-header', 'the kid is not a string of acceptable length');
};

/** RFC 8725 section 3.11: an ID token or a logout token must not pass for an access token. */
const checkType = (header: JsonMembers, types: ReadonlySet<string>): void => {
  const typ = member(header, 'typ') ?? 'jwt';
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
  if (type === undefined || !types.has(type))
    throw refusal('token-type', 'the token is of a type that is not accepted');
};

/** The signature alone; whatever the library throws is a refusal. */
const checkSignature = async (token: string, algorithm: string, key: VerificationKey): Promise<void> => {
  const handle = key.handles.get(algorithm);
  if (handle === undefined) throw refusal('token-algorithm', `the key is not for ${algorithm}`);
  try {
    await compactVerify(token, handle, { algorithms: [algorithm] });
  } catch (cause) {
    const reason = cause instanceof errors.JOSEError ? joseReasons[cause.code] : undefined;
    throw refusal(reason ?? 'token-signature', 'the signature does not verify', { cause });
  }
};

/** An issuer with everything worked out that does not depend on a token. */
const prepare = ({ settings, keys }: Issuer) => {
  const algorithms = new Set(settings.algorithms);
  const types = new Set(settings.types);
  const judge = claimsJudge(settings);
  const toleranceMillis = settings.clockToleranceSeconds * 1000;
  return async (token: string, { header, claims }: UnverifiedToken, now: () => number): Promise<Verdict> => {
    const algorithm = member(header, 'alg');
    if (typeof algorithm !== 'string' || !algorithms.has(algorithm)) {
      throw refusal('token-algorithm', `the algorithm is not one of ${settings.name}'s`);
    }
    checkType(header, types);
    const key = await keys.find(algorithm, keyId(header));
    await checkSignature(token, algorithm, key);
    const principal = judge(claims, now());
    return { principal, key, keys, endsAtMillis: principal.expiresAtMillis + toleranceMillis };
  };
};

/**
 * Returns the function that verifies a token of any of the issuers. It rejects with a Rejection of this stage; the
 * signature is checked before any claim but `iss`, so that claims can be probed by nobody.
 */
export const tokenVerifier = (issuers: readonly Issuer[], now: () => number): ((token: string) => Promise<Verdict>) => {
  const byIssuer = new Map(issuers.map((issuer) => [issuer.settings.issuer, prepare(issuer)]));
  return async (token) => {
    const unverified = readToken(token);
    const refused = refusedParameters.find((name) => Object.hasOwn(unverified.header, name));
    if (refused !== undefined) throw refusal('token-header', `the header has ${refused}`);
    const iss = member(unverified.claims, 'iss');
    if (typeof iss !== 'string') throw refusal('token-issuer', 'the token does not say who issued it');
    const verify = byIssuer.get(iss);
    if (verify === undefined) throw refusal('token-issuer', `nobody here trusts ${quoted(iss)}`);
    return verify(token, unverified, now);
  };
};

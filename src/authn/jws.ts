/**
 * Reads and verifies what is signed in the compact form (RFC 7515) as RFC 8725 asks for: everything about how it is
 * verified comes from settings, nothing from the token but the choice among them.
 */
import { compactVerify, errors } from 'jose';
import type { ReasonCode } from '../model/reason.ts';
import { refusal } from './challenge.ts';
import type { VerificationKey } from './jwk.ts';
import type { KeySet } from './keys.ts';
import { type JsonMembers, member, readJsonObject } from './strict-json.ts';

export interface SignedToken {
  readonly text: string;
  readonly header: JsonMembers;
  readonly claims: JsonMembers;
}

export interface SignatureTerms {
  /** Of whom it is, for the record. */
  readonly issuer: string;
  readonly algorithms: ReadonlySet<string>;
  /** Accepted `typ`, lower case, without `application/`. A token without `typ` counts as `jwt`. */
  readonly types: ReadonlySet<string>;
  readonly keys: Pick<KeySet, 'find'>;
}

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

/** Returns what a token says, unverified, or throws a Rejection: token-malformed or token-header. */
export const readSigned = (text: string): SignedToken => {
  const [header, claims, signature, ...rest] = text.split('.', 4);
  if (header === undefined || claims === undefined || signature === undefined || rest.length > 0) {
    throw refusal('token-malformed', 'the token does not have three parts');
  }
  decode(signature);
  const token = { text, header: readPart(header), claims: readPart(claims) };
  const refused = refusedParameters.find((name) => Object.hasOwn(token.header, name));
  if (refused !== undefined) throw refusal('token-header', `the header has ${refused}`);
  return token;
};

const keyId = (header: JsonMembers): string | undefined => {
  const kid = member(header, 'kid');
  if (kid === undefined) return undefined;
  if (typeof kid === 'string' && kid !== '' && kid.length <= MAX_KID_LENGTH) return kid;
  throw refusal('token-header', 'the kid is not a string of acceptable length');
};

/** RFC 8725 section 3.11: a token of one kind must not pass for one of another. */
const checkType = (header: JsonMembers, types: ReadonlySet<string>): void => {
  const given = member(header, 'typ');
  const typ = given === undefined ? 'jwt' : given;
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
  if (type === undefined || !types.has(type))
    throw refusal('token-type', 'the token is of a type that is not accepted');
};

/** The signature alone; whatever the library throws is a refusal. */
const checkSignature = async (text: string, algorithm: string, key: VerificationKey): Promise<void> => {
  const handle = key.handles.get(algorithm);
  if (handle === undefined) throw refusal('token-algorithm', `the key is not for ${algorithm}`);
  try {
    await compactVerify(text, handle, { algorithms: [algorithm] });
  } catch (cause) {
    const reason = cause instanceof errors.JOSEError ? joseReasons[cause.code] : undefined;
    throw refusal(reason ?? 'token-signature', 'the signature does not verify', { cause });
  }
};

/**
 * Resolves with the key that signed a token, or rejects with a Rejection: token-algorithm, token-type, token-header,
 * token-signature, or what the key set refuses with.
 */
export const verifySigned = async (
  { text, header }: SignedToken,
  { issuer, algorithms, types, keys }: SignatureTerms,
): Promise<VerificationKey> => {
  const algorithm = member(header, 'alg');
  if (typeof algorithm !== 'string' || !algorithms.has(algorithm)) {
    throw refusal('token-algorithm', `the algorithm is not one of ${issuer}'s`);
  }
  checkType(header, types);
  const key = await keys.find(algorithm, keyId(header));
  await checkSignature(text, algorithm, key);
  return key;
};

/**
 * From a JWK set (RFC 7517) to the keys that may verify an issuer's tokens. A key is imported for the issuer's own
 * algorithms only, so that no token can choose another; what cannot be used is left out and said.
 */
import { importJWK } from 'jose';
import { quoted } from './challenge.ts';
import { isJsonObject, type JsonMembers, member, readJsonObject } from './strict-json.ts';

export interface VerificationKey {
  readonly id: string | undefined;
  /** Equal for two readings of the same key under the same name. */
  readonly identity: string;
  readonly handles: ReadonlyMap<string, CryptoKey>;
  /** Set when the issuer has withdrawn the key: what it once verified counts no longer. */
  retired: boolean;
}

export interface KeyDocument {
  readonly keys: readonly VerificationKey[];
  readonly byId: ReadonlyMap<string, VerificationKey>;
  /** The names of keys that were left out because they are too weak. */
  readonly weakIds: ReadonlySet<string>;
  /** What was left out, and why. */
  readonly skipped: readonly string[];
}

interface KeyShape {
  readonly kty: string;
  readonly crv: string | undefined;
  /** The public members; no others are handed on. */
  readonly members: readonly string[];
}

const rsa: KeyShape = { kty: 'RSA', crv: undefined, members: ['n', 'e'] };
const ec = (crv: string): KeyShape => ({ kty: 'EC', crv, members: ['x', 'y'] });

const shapes: ReadonlyMap<string, KeyShape> = new Map([
  ['RS256', rsa],
  ['RS384', rsa],
  ['RS512', rsa],
  ['PS256', rsa],
  ['PS384', rsa],
  ['PS512', rsa],
  ['ES256', ec('P-256')],
  ['ES384', ec('P-384')],
  ['ES512', ec('P-521')],
  ['EdDSA', { kty: 'OKP', crv: 'Ed25519', members: ['x'] }],
]);

/** Returns whether tokens signed with this algorithm can be verified with public keys. */
export const isSupportedAlgorithm = (algorithm: string): boolean => shapes.has(algorithm);

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
const MIN_RSA_BITS = 2048;
/** A longer modulus or exponent makes each verification a means to keep the process busy. */
const MAX_RSA_BITS = 8192;
const MAX_EXPONENT_BYTES = 8;

interface Candidate {
  readonly id: string | undefined;
  readonly identity: string;
  readonly jwk: Record<string, string>;
  readonly algorithms: readonly string[];
}

type Judged = Candidate | { readonly id: string | undefined; readonly fault: string; readonly weak: boolean };

/** Returns the positive integer of a base64url member without its leading zeros, or undefined. */
const integer = (text: string): Buffer | undefined => {
  const bytes = Buffer.from(text, 'base64url');
  const first = bytes.findIndex((byte) => byte !== 0);
  return first === -1 ? undefined : bytes.subarray(first);
};

const bitLength = (bytes: Buffer): number => bytes.length * 8 - (Math.clz32(bytes[0] ?? 0) - 24);

/** An exponent of 1 lets everybody sign; FIPS 186-5 section 5.1 wants it odd and above 2^16. */
const weakness = (jwk: Record<string, string>): string | undefined => {
  const modulus = integer(jwk.n ?? '');
  const exponent = integer(jwk.e ?? '');
  if (modulus === undefined || exponent === undefined) return 'an RSA key without numbers';
  const bits = bitLength(modulus);
  if (bits < MIN_RSA_BITS || bits > MAX_RSA_BITS) return `an RSA key of ${bits} bits`;
  if (exponent.length > MAX_EXPONENT_BYTES) return 'an RSA key with an exponent that is too long';
  const value = BigInt(`0x${exponent.toString('hex')}`);
  return value % 2n === 1n && value > 65_536n ? undefined : 'an RSA key with a weak exponent';
};

/** Returns why the issuer does not mean this key for signatures, or undefined. */
const purposeFault = (jwk: JsonMembers): string | undefined => {
  const use = member(jwk, 'use');
  const operations = member(jwk, 'key_ops');
  if (use !== undefined && use !== 'sig') return 'not meant for signatures';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'not meant to verify';
  }
  if (member(jwk, 'kty') === 'oct') return 'a secret in a set of public keys';
  return PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name)) ? 'published with its private half' : undefined;
};

const judge = (jwk: unknown, allowed: readonly string[]): Judged => {
  if (!isJsonObject(jwk)) return { id: undefined, fault: 'not an object', weak: false };
  const kid = member(jwk, 'kid');
  const id = typeof kid === 'string' ? kid : undefined;
  if (kid !== undefined && id === undefined) return { id, fault: 'its kid is not a string', weak: false };
  const purpose = purposeFault(jwk);
  if (purpose !== undefined) return { id, fault: purpose, weak: false };
  const alg = member(jwk, 'alg');
  const algorithms = allowed.filter((algorithm) => {
    const shape = shapes.get(algorithm);
    const fits = shape !== undefined && member(jwk, 'kty') === shape.kty && member(jwk, 'crv') === shape.crv;
    return fits && (alg === undefined || alg === algorithm);
  });
  const shape = shapes.get(algorithms[0] ?? '');
  if (shape === undefined) return { id, fault: "of no use for the issuer's algorithms", weak: false };
  const copy: Record<string, string> = { kty: shape.kty, ...(shape.crv === undefined ? {} : { crv: shape.crv }) };
  for (const name of shape.members) {
    const value = member(jwk, name);
    if (typeof value !== 'string') return { id, fault: `its ${name} is not a string`, weak: false };
    copy[name] = value;
  }
  const weak = shape === rsa ? weakness(copy) : undefined;
  if (weak !== undefined) return { id, fault: weak, weak: true };
  return { id, identity: JSON.stringify([id, alg, copy]), jwk: copy, algorithms };
};

const importCandidate = async (candidate: Candidate): Promise<VerificationKey> => {
  const handles = new Map<string, CryptoKey>();
  for (const algorithm of candidate.algorithms) {
    const handle = await importJWK(candidate.jwk, algorithm);
    if (handle instanceof Uint8Array) throw new TypeError('a secret in a set of public keys');
    handles.set(algorithm, handle);
  }
  return { id: candidate.id, identity: candidate.identity, handles, retired: false };
};

/** Two different keys under one name leave open which is meant: neither is used. One key listed twice is one. */
const byName = (keys: readonly VerificationKey[], skipped: string[]): Map<string, VerificationKey> => {
  const named = new Map<string, VerificationKey>();
  const ambiguous = new Set<string>();
  for (const key of keys) {
    if (key.id === undefined) continue;
    const other = named.get(key.id);
    if (other !== undefined && other.identity !== key.identity) ambiguous.add(key.id);
    named.set(key.id, key);
  }
  for (const id of ambiguous) {
    named.delete(id);
    skipped.push(`${quoted(id)}: two different keys have this kid`);
  }
  return named;
};

/**
 * Returns the usable keys of a JWK set; a key of `previous` that is still in it is the same object again. Throws a
 * SyntaxError or TypeError when the bytes are not a JWK set at all.
 */
export const readKeyDocument = async (
  bytes: Uint8Array,
  algorithms: readonly string[],
  previous: readonly VerificationKey[],
): Promise<KeyDocument> => {
  const list = member(readJsonObject(bytes), 'keys');
  if (!Array.isArray(list)) throw new SyntaxError('no array called keys');
  const known = new Map(previous.map((key) => [key.identity, key]));
  const imported: VerificationKey[] = [];
  const skipped: string[] = [];
  const weakIds = new Set<string>();
  for (const [index, jwk] of list.entries()) {
    const judged = judge(jwk, algorithms);
    const label = judged.id === undefined ? `key ${index}` : quoted(judged.id);
    if ('fault' in judged) {
      skipped.push(`${label}: ${judged.fault}`);
      if (judged.weak && judged.id !== undefined) weakIds.add(judged.id);
      continue;
    }
    try {
      imported.push(known.get(judged.identity) ?? (await importCandidate(judged)));
    } catch {
      skipped.push(`${label}: cannot be imported`);
    }
  }
  const byId = byName(imported, skipped);
  const nameless = new Map(imported.filter((key) => key.id === undefined).map((key) => [key.identity, key]));
  return { keys: [...byId.values(), ...nameless.values()], byId, weakIds, skipped };
};

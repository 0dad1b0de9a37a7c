/**
 * The gateway's signed word about one request, for an upstream that wants to verify that it came through here: who is
 * calling, for which method and target, for a minute. Whoever reads it at the upstream can do nothing else with it.
 */
import { sign as signBytes } from 'node:crypto';
import type { OwnEndpoint } from '../../model/own.ts';
import type { Principal } from '../../model/principal.ts';
import { openSigningKeys, type SigningKey, type SigningKeys, type SigningKeysOptions } from './keys.ts';

export interface AssertionOptions
  extends Pick<SigningKeysOptions, 'store' | 'sealer' | 'algorithm' | 'now' | 'everyMillis' | 'notice'> {
  /** The header that carries it, in lower case. */
  readonly header: string;
  /** The `iss` claim. */
  readonly issuer: string;
  /** The `aud` claim. */
  readonly audience: string;
  /** How long one holds. */
  readonly lifetimeMillis: number;
  /** After this time another key signs. */
  readonly rotateMillis: number;
}

export interface Asserted {
  readonly principal: Principal;
  readonly method: string;
  /** Exactly as it is sent to the upstream: path and query. */
  readonly target: string;
  readonly requestId: string;
}

export interface Assertions {
  /** The header that carries them, in lower case. */
  readonly header: string;
  /** Returns the assertion as a JSON Web Token in its compact form. */
  sign(about: Asserted): string;
  /** Publishes the keys that verify them. */
  readonly endpoint: OwnEndpoint;
  close(): void;
}

const ASSERTION_TYPE = 'jaaz-assertion+jwt';
export const KEYS_PATH = '/.well-known/jaaz-gateway/jwks.json';

/** What the clocks of those that verify, and of other processes on the same database, may differ by. */
const SKEW_MILLIS = 300_000;

/** How long a key set may be remembered; keys are published twice as long before they sign. */
const MAX_AGE_MILLIS = 300_000;

/** Names that stand for something else already. */
const TAKEN = new Set(['x-request-id', 'x-user-id', 'x-user-roles', 'x-user-tenant']);

/** Resolves when there is a key to sign with; rejects with the store's error, or a TypeError for options that cannot be. */
export const assertions = async (options: AssertionOptions): Promise<Assertions> => {
  const { header, issuer, audience, lifetimeMillis, rotateMillis, now = Date.now } = options;
  check(options);
  const leadMillis = Math.min(2 * MAX_AGE_MILLIS, rotateMillis / 4);
  const times = { rotateMillis, leadMillis, keepMillis: lifetimeMillis + SKEW_MILLIS };
  const keys = await openSigningKeys({ ...options, times });
  const heads = new WeakMap<SigningKey, string>();

  const headOf = (key: SigningKey): string => {
    const known = heads.get(key);
    if (known !== undefined) return known;
    const head = base64url(JSON.stringify({ alg: key.algorithm, typ: ASSERTION_TYPE, kid: key.id }));
    heads.set(key, head);
    return head;
  };

  return {
    header,
    sign({ principal, method, target, requestId }) {
      const key = keys.current();
      const nowMillis = now();
      const iat = Math.floor(nowMillis / 1000);
      // Not a moment less, however the seconds are cut.
      const exp = Math.ceil((nowMillis + lifetimeMillis) / 1000);
      const { owner: sub, user, roles, tenant } = principal;
      const who = { sub, user, roles, ...(tenant !== undefined && { tenant }) };
      const what = { jti: requestId, htm: method, target };
      const claims = { iss: issuer, aud: audience, ...who, iat, exp, ...what };
      const input = `${headOf(key)}.${base64url(JSON.stringify(claims))}`;
      return `${input}.${signature(key, input)}`;
    },
    endpoint: endpointOf(keys, Math.floor(Math.min(MAX_AGE_MILLIS, leadMillis / 2) / 1000)),
    close: keys.close,
  };
};

const check = ({ header, audience, lifetimeMillis, rotateMillis }: AssertionOptions): void => {
  if (!/^x-[a-z0-9-]{1,60}$/.test(header) || TAKEN.has(header))
    throw new TypeError(`An assertion needs a header of its own that begins with x-, not ${header}.`);
  if (audience === '') throw new TypeError('An assertion needs an audience.');
  if (!(lifetimeMillis >= 1000)) throw new TypeError('An assertion must hold for a second or longer.');
  // What it signs must be over before the next but one signs.
  if (!(rotateMillis >= lifetimeMillis)) throw new TypeError('A key must sign for longer than an assertion holds.');
};

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/**
 * RFC 7515, section 3.1. By node:crypto, at once: 27 us of CPU with ES256 and 36 with EdDSA; the JOSE library, which goes
 * through WebCrypto and its thread pool, takes 97 and 88, and a promise.
 */
const signature = ({ algorithm, privateKey }: SigningKey, input: string): string => {
  const bytes = Buffer.from(input);
  return algorithm === 'ES256'
    ? // RFC 7518, section 3.4: both numbers side by side, where the default is DER.
      signBytes('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')
    : signBytes(null, bytes, privateKey).toString('base64url');
};

const endpointOf = (keys: SigningKeys, maxAgeSeconds: number): OwnEndpoint => ({
  id: 'assertion.keys',
  method: 'GET',
  path: KEYS_PATH,
  form: false,
  answer() {
    const body = keys.published();
    const headers = ['content-type', 'application/jwk-set+json', 'cache-control', `public, max-age=${maxAgeSeconds}`];
    return { status: 200, headers, body };
  },
});

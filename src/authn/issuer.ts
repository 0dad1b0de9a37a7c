/** An issuer of tokens as the operator names it, and what must be true of that before it is used. */
import { hash } from 'node:crypto';
import { isSupportedAlgorithm } from './jwk.ts';

/** Where an issuer's keys are: a JWK set behind an URL or in a file, or (HS256 only) a shared secret. */
export type KeyPlace = { readonly url: string } | { readonly file: string } | { readonly secret: string };

export interface IssuerSettings {
  /** The alias under which the issuer's users own things. */
  readonly name: string;
  /** The `iss` claim, compared as an exact string. */
  readonly issuer: string;
  /** A token's `aud` must name one of them. Empty only where the issuer's users log in and show no tokens. */
  readonly audience: string | readonly string[];
  readonly algorithms: readonly string[];
  /** Undefined: no JSON Web Token of this issuer is accepted. */
  readonly keys: KeyPlace | undefined;
  /** Names of claims; one that begins with `/` is a JSON Pointer (RFC 6901), such as `/realm_access/roles`. */
  readonly claims: {
    readonly user: string;
    readonly roles: string | undefined;
    readonly tenant?: string | undefined;
  };
  /** What a role of the issuer is called here; those that are not named are dropped. Undefined: they are as they come. */
  readonly roleMap?: ReadonlyMap<string, string> | undefined;
  /** Of whom tokens and logins are accepted; undefined: of everybody. */
  readonly tenants?: ReadonlySet<string> | undefined;
  /** Where its users can log in with a browser. */
  readonly login?: LoginSettings | undefined;
  /** Where its opaque tokens are asked about (RFC 7662). */
  readonly introspection?: IntrospectionSettings | undefined;
  /** Accepted `typ`, lower case, without `application/`. A token without `typ` counts as `jwt`. */
  readonly types: readonly string[];
  readonly clockToleranceSeconds: number;
}

/** How the gateway is known to an OpenID provider, and what it asks of it. */
export interface LoginSettings {
  /** What the provider is called on the login page. */
  readonly title: string;
  readonly clientId: string;
  /** Undefined: a public client, which PKCE alone protects. */
  readonly clientSecret: string | undefined;
  /** `openid` is one of them. */
  readonly scopes: readonly string[];
  /** Algorithms of ID tokens that are accepted. */
  readonly algorithms: readonly string[];
  /** True: claims that the ID token lacks are asked of the userinfo endpoint. */
  readonly userinfo: boolean;
  /** How long a session goes on that the provider cannot be asked about, in milliseconds. */
  readonly graceMillis: number;
}

export interface IntrospectionSettings {
  readonly url: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** How long an answer is remembered at most, in milliseconds. */
  readonly maxAgeMillis: number;
}

/** An owner is `<alias>|<user>`: an alias that can hold no `|` keeps that unambiguous whatever the user is called. */
const ALIAS = /^[a-z0-9-]{1,32}$/;

/** RFC 7518 section 3.2: a key as long as the hash, or longer. */
const MIN_SECRET_BYTES = 32;

const MAX_TOLERANCE_SECONDS = 600;

/** The alias of those who have no issuer: service accounts with API keys. */
export const SERVICE_ALIAS = 'service';

const checkAlgorithms = ({ algorithms, keys }: IssuerSettings): string | undefined => {
  if (keys === undefined) return undefined;
  if (algorithms.length === 0) return 'names no algorithm';
  if ('secret' in keys) {
    if (algorithms.some((algorithm) => algorithm !== 'HS256')) return 'has a secret, so its only algorithm is HS256';
    if (Buffer.byteLength(keys.secret) < MIN_SECRET_BYTES) return `has a secret of less than ${MIN_SECRET_BYTES} bytes`;
    return undefined;
  }
  // A public key must never serve as the secret of an HMAC (RFC 8725 section 2.1).
  const unsupported = algorithms.find((algorithm) => !isSupportedAlgorithm(algorithm));
  return unsupported === undefined ? undefined : `cannot use the algorithm ${unsupported} with public keys`;
};

const fault = (settings: IssuerSettings): string | undefined => {
  const { audience, claims, types, clockToleranceSeconds } = settings;
  const audiences = typeof audience === 'string' ? [audience] : audience;
  if (!ALIAS.test(settings.name)) return 'has an alias that is not 1 to 32 of a-z, 0-9 and -';
  if (settings.issuer === '') return 'has an empty issuer';
  if (settings.name === SERVICE_ALIAS) return 'has the alias of the service accounts';
  if (audiences.includes('')) return 'names an audience that is empty';
  if (audiences.length === 0 && (settings.keys ?? settings.introspection) !== undefined) return 'names no audience';
  if ((settings.keys ?? settings.introspection ?? settings.login) === undefined)
    return 'has neither keys nor introspection nor a login';
  if (claims.user === '' || claims.roles === '' || claims.tenant === '') return 'names a claim that is empty';
  if (types.length === 0) return 'accepts no type of token';
  if (!(clockToleranceSeconds >= 0 && clockToleranceSeconds <= MAX_TOLERANCE_SECONDS)) {
    return `has a clock tolerance that is not 0 to ${MAX_TOLERANCE_SECONDS} seconds`;
  }
  return checkAlgorithms(settings);
};

/** Throws a TypeError when an issuer is not usable, or when two of them share an alias or an `iss`. */
export const checkIssuers = (issuers: readonly IssuerSettings[]): void => {
  const aliases = new Set<string>();
  const names = new Set<string>();
  for (const settings of issuers) {
    const found = fault(settings);
    if (found !== undefined) throw new TypeError(`The issuer "${settings.name}" ${found}.`);
    if (aliases.has(settings.name)) throw new TypeError(`Two issuers have the alias "${settings.name}".`);
    if (names.has(settings.issuer)) throw new TypeError(`Two issuers are called "${settings.issuer}".`);
    aliases.add(settings.name);
    names.add(settings.issuer);
  }
};

/**
 * Returns a digest of settings. A verdict holds under those by which it was reached and no others (CVE-2021-32701,
 * CVE-2026-35039).
 */
export const settingsDigest = (settings: IssuerSettings): string =>
  hash('sha256', JSON.stringify(settings, withCollections), 'base64');

/** JSON has no words for maps and sets, and would make all of them equal. */
const withCollections = (_name: string, value: unknown): unknown =>
  value instanceof Map || value instanceof Set ? [...value] : value;

/** From verified claims to the Principal: for whom the token was made, when it is valid, whom it names. */
import type { Person } from '../model/person.ts';
import type { Principal } from '../model/principal.ts';
import { quoted, refusal } from './challenge.ts';
import type { IssuerSettings } from './issuer.ts';
import { isJsonObject, type JsonMembers, member } from './strict-json.ts';

const MAX_TEXT = 255;
const MAX_ROLES = 256;
/** The end of the year 9999: what lies beyond is no date. */
const MAX_SECONDS = 253_402_300_799;
/** How far ahead of ours an issuer's clock may be, besides the tolerance, when it says when it issued. */
const ISSUED_AHEAD_SECONDS = 60;

/** Control characters, lone surrogates, and what some readers take for the end of a line. */
const unprintable = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]/u;

const wrong = (name: string, what: string) => refusal('token-claims', `the claim ${name} ${what}`);

const text = (value: unknown, name: string): string => {
  if (typeof value !== 'string') throw wrong(name, 'is not a string');
  if (value === '' || value.length > MAX_TEXT) throw wrong(name, `is not 1 to ${MAX_TEXT} characters long`);
  if (unprintable.test(value)) throw wrong(name, 'holds a character that no name has');
  return value;
};

const optionalText = (claims: JsonMembers, name: string): string | undefined => {
  const value = member(claims, name);
  return value === undefined ? undefined : text(value, name);
};

/** RFC 7519 section 2, NumericDate; `1e999` is Infinity to JSON.parse. */
const seconds = (claims: JsonMembers, name: string): number | undefined => {
  const value = member(claims, name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value <= MAX_SECONDS)) throw wrong(name, 'is not a date');
  return value;
};

const checkAudience = (claims: JsonMembers, accepted: ReadonlySet<string>): void => {
  const value = member(claims, 'aud');
  if (value === undefined) throw refusal('token-audience', 'the token names no audience');
  const named: readonly unknown[] = Array.isArray(value) ? value : [value];
  let meant = false;
  for (const audience of named) {
    if (typeof audience !== 'string') throw wrong('aud', 'is not a string or an array of strings');
    if (accepted.has(audience)) meant = true;
  }
  if (!meant) throw refusal('token-audience', 'the token is meant for another audience');
};

/** Returns `exp` and `iat`, in seconds, of a token that is valid now. */
const checkTimes = (claims: JsonMembers, nowSeconds: number, tolerance: number) => {
  const expires = seconds(claims, 'exp');
  const notBefore = seconds(claims, 'nbf');
  const issued = seconds(claims, 'iat');
  // RFC 7519 section 4.1.4: not accepted "on or after" that time.
  if (expires !== undefined && nowSeconds >= expires + tolerance)
    throw refusal('token-expired', 'the token has expired');
  if (notBefore !== undefined && nowSeconds + tolerance < notBefore) {
    throw refusal('token-not-yet-valid', 'the token is not valid yet');
  }
  if (issued !== undefined && nowSeconds + tolerance + ISSUED_AHEAD_SECONDS < issued) {
    throw refusal('token-not-yet-valid', 'the token was issued in the future');
  }
  return { expires, issued };
};

/** Returns a function that reads a claim by its name, or along a JSON Pointer (RFC 6901). */
const claimReader = (name: string): ((claims: JsonMembers) => unknown) => {
  if (!name.startsWith('/')) return (claims) => member(claims, name);
  const steps = name
    .slice(1)
    .split('/')
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
  return (claims) => {
    let value: unknown = claims;
    for (const step of steps) value = isJsonObject(value) ? member(value, step) : undefined;
    return value;
  };
};

/** Roles are an array of strings, or one string with spaces between them, as `scope` is; absent means none. */
const readRoles = (value: unknown, name: string): readonly string[] => {
  if (value === undefined) return [];
  const list: unknown = typeof value === 'string' ? value.split(' ').filter((role) => role !== '') : value;
  if (!Array.isArray(list)) throw wrong(name, 'is neither a string nor an array');
  if (list.length > MAX_ROLES) throw wrong(name, `holds more than ${MAX_ROLES} roles`);
  return list.map((role: unknown) => text(role, name));
};

/**
 * Returns the function that reads who somebody is out of verified claims. It throws a Rejection: token-claims or
 * tenant-refused.
 */
export const personReader = (
  settings: Pick<IssuerSettings, 'claims' | 'roleMap' | 'tenants'>,
): ((claims: JsonMembers) => Person) => {
  const { claims: names, roleMap, tenants } = settings;
  const readUser = claimReader(names.user);
  const rolesOf = names.roles === undefined ? () => undefined : claimReader(names.roles);
  const tenantOf = names.tenant === undefined ? () => undefined : claimReader(names.tenant);
  return (claims) => {
    const user = text(readUser(claims), names.user);
    const found = tenantOf(claims);
    const tenant = found === undefined ? undefined : text(found, names.tenant ?? '');
    if (tenants !== undefined && (tenant === undefined || !tenants.has(tenant)))
      throw refusal('tenant-refused', `the tenant ${tenant === undefined ? 'is missing' : quoted(tenant)}`);
    const roles = readRoles(rolesOf(claims), names.roles ?? '');
    return { user, roles: roleMap === undefined ? roles : mapped(roles, roleMap), tenant };
  };
};

const mapped = (roles: readonly string[], map: ReadonlyMap<string, string>): readonly string[] => [
  ...new Set(roles.flatMap((role) => map.get(role) ?? [])),
];

/**
 * Returns the function that turns claims, whose signature and issuer are verified, into a Principal. Its authority ends at
 * `latestMillis` where that is given; claims without an `exp` need it. It throws a Rejection: token-audience, token-expired,
 * token-not-yet-valid, token-claims or tenant-refused.
 */
export const claimsJudge = (
  settings: IssuerSettings,
): ((claims: JsonMembers, nowMillis: number, latestMillis?: number) => Principal) => {
  const { name, audience, clockToleranceSeconds } = settings;
  const audiences = new Set(typeof audience === 'string' ? [audience] : audience);
  const personIn = personReader(settings);
  return (claims, nowMillis, latestMillis) => {
    checkAudience(claims, audiences);
    const { expires, issued } = checkTimes(claims, nowMillis / 1000, clockToleranceSeconds);
    const ends = [
      ...(expires === undefined ? [] : [expires * 1000]),
      ...(latestMillis === undefined ? [] : [latestMillis]),
    ];
    if (ends.length === 0) throw wrong('exp', 'is missing');
    optionalText(claims, 'sub');
    return principalOf(name, personIn(claims), {
      tokenId: optionalText(claims, 'jti'),
      issuedAtMillis: issued === undefined ? undefined : issued * 1000,
      expiresAtMillis: Math.min(...ends),
    });
  };
};

/** Until when, and by what, somebody is known; all of it was verified by whoever gives it. */
export interface Authority extends Pick<Principal, 'issuedAtMillis' | 'expiresAtMillis'> {
  readonly tokenId?: string | undefined;
  readonly sessionId?: string | undefined;
}

/** Returns the Principal of a person whose identity has been verified. */
export const principalOf = (issuer: string, { user, roles, tenant }: Person, authority: Authority): Principal =>
  // Frozen, because a remembered one is shared by all requests that present the same token.
  Object.freeze({
    owner: `${issuer}|${user}`,
    issuer,
    user,
    roles: Object.freeze(roles),
    tenant,
    tokenId: authority.tokenId,
    sessionId: authority.sessionId,
    issuedAtMillis: authority.issuedAtMillis,
    expiresAtMillis: authority.expiresAtMillis,
  }) as Principal;

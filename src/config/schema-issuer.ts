/** The words of an issuer in gateway.yaml: whose tokens are accepted, and where people log in. */
import * as z from 'zod';
import { DURATION, durationMillis } from '../policy/amounts.ts';
import { isKeysUrl, KEYS_URL_FORM } from './values.ts';

export interface FileIssuer {
  readonly name: string;
  readonly issuer: string;
  readonly audience?: string | readonly string[] | undefined;
  readonly algorithms?: readonly string[] | undefined;
  readonly keys?: { readonly url: string } | { readonly file: string } | { readonly secret: string } | undefined;
  readonly claims: { readonly user: string; readonly roles: string; readonly tenant?: string | undefined };
  readonly roles?: Readonly<Record<string, string>> | undefined;
  readonly tenants?: readonly string[] | undefined;
  readonly types: readonly string[];
  readonly 'clock-tolerance': string;
  readonly login?: FileLogin | undefined;
  readonly introspection?: FileIntrospection | undefined;
}

export interface FileLogin {
  readonly title?: string | undefined;
  readonly 'client-id': string;
  readonly 'client-secret'?: string | undefined;
  readonly scopes: readonly string[];
  readonly algorithms: readonly string[];
  readonly userinfo: boolean;
  readonly grace: string;
}

export interface FileIntrospection {
  readonly url: string;
  readonly 'client-id': string;
  readonly 'client-secret': string;
  readonly 'max-age': string;
}

/** Every algorithm that an issuer can be given. */
export const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'HS256',
] as const;

/** A text of a form that `expected` tells in words. */
export const form = (expected: string, accepts: (text: string) => boolean) =>
  z.string().refine((text) => accepts(text), { params: { expected } });

export const text = form('text that is not empty', (value) => value.trim() !== '');

interface Span {
  readonly least: string;
  readonly most: string;
}

/** A span of time within bounds. */
export const span = (example: string, { least, most }: Span) =>
  form(`a span of time such as ${example}, from ${least} to ${most}`, (value) => {
    if (value === '0s') return least === '0s';
    if (!DURATION.test(value)) return false;
    const millis = durationMillis(value);
    return millis <= durationMillis(most) && (least === '0s' || millis >= durationMillis(least));
  });

const role = form('a role: 1 to 255 printable characters', (value) => /^[^\p{Cc}\p{Cs}]{1,255}$/u.test(value));
const scope = form('a scope', (value) => /^[!#-[\]-~]{1,255}$/.test(value));

const login = z.strictObject({
  title: text.optional(),
  'client-id': text,
  'client-secret': text.optional(),
  scopes: z
    .array(scope)
    .refine((scopes) => scopes.includes('openid'), { params: { expected: 'a list with openid in it' } })
    .default(['openid', 'profile']),
  // OpenID Connect Core, section 2: RS256 unless something else was agreed on. A secret shared with the provider proves nothing here.
  algorithms: z
    .array(z.enum(ALGORITHMS.filter((name) => name !== 'HS256')))
    .min(1)
    .default(['RS256']),
  userinfo: z.boolean().default(false),
  grace: span('5m', { least: '0s', most: '24h' }).default('5m'),
});

const introspection = z.strictObject({
  url: form(KEYS_URL_FORM, isKeysUrl),
  'client-id': text,
  'client-secret': text,
  'max-age': span('30s', { least: '1s', most: '5m' }).default('30s'),
});

export const issuer = z.strictObject({
  name: form('1 to 32 of a-z, 0-9 and -', (name) => /^[a-z0-9-]{1,32}$/.test(name)),
  issuer: text,
  audience: z.union([text, z.array(text).min(1)]).optional(),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).optional(),
  keys: z
    .union([
      z.strictObject({ url: form(KEYS_URL_FORM, isKeysUrl) }),
      z.strictObject({ file: text }),
      z.strictObject({ secret: text }),
    ])
    .optional(),
  claims: z
    .strictObject({ user: text.default('sub'), roles: text.default('roles'), tenant: text.optional() })
    .prefault({}),
  roles: z.record(role, role).optional(),
  tenants: z.array(text).min(1).optional(),
  types: z
    .array(form('a token type in lower case, without application/', (type) => /^[a-z0-9.+-]{1,64}$/.test(type)))
    .min(1)
    .default(['at+jwt', 'jwt']),
  'clock-tolerance': form('a span of time such as 30s or 1m, at most 10m', isTolerance).default('30s'),
  login: login.optional(),
  introspection: introspection.optional(),
});

const MAX_TOLERANCE_MILLIS = 600_000;

function isTolerance(value: string): boolean {
  return value === '0s' || (DURATION.test(value) && durationMillis(value) <= MAX_TOLERANCE_MILLIS);
}

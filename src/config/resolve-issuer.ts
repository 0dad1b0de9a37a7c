/** From an issuer as it is written to what authn works with. */
import type { IntrospectionSettings, IssuerSettings, LoginSettings } from '../authn/issuer.ts';
import { durationMillis } from '../policy/amounts.ts';
import { secretOf } from './as-written.ts';
import { clientSecretVariable, introspectionSecretVariable, secretVariable, type Variables } from './environment.ts';
import type { FileIntrospection, FileIssuer, FileLogin } from './schema-issuer.ts';

interface Surroundings {
  readonly absolute: (written: string) => string;
  readonly variables: Variables;
}

/** Returns the settings of an issuer whose faults were all told before. */
export function resolveIssuer(issuer: FileIssuer, { absolute, variables }: Surroundings): IssuerSettings {
  const { name, keys, claims, roles, tenants, login, introspection } = issuer;
  const secret = (variable: string, written: string): string => secretOf(variables, variable, written) ?? '';
  return {
    name,
    issuer: issuer.issuer,
    audience: issuer.audience ?? [],
    algorithms: issuer.algorithms ?? [keys !== undefined && 'secret' in keys ? 'HS256' : 'RS256'],
    keys: resolveKeys(keys, absolute, (written) => secret(secretVariable(name), written)),
    claims,
    roleMap: roles && new Map(Object.entries(roles)),
    tenants: tenants && new Set(tenants),
    types: issuer.types,
    clockToleranceSeconds: durationMillis(issuer['clock-tolerance']) / 1000,
    login: login && resolveLogin(name, login, (written) => secret(clientSecretVariable(name), written)),
    introspection:
      introspection &&
      resolveIntrospection(introspection, (written) => secret(introspectionSecretVariable(name), written)),
  };
}

type Secret = (written: string) => string;

const resolveKeys = (
  keys: FileIssuer['keys'],
  absolute: Surroundings['absolute'],
  secret: Secret,
): IssuerSettings['keys'] => {
  if (keys === undefined || 'url' in keys) return keys;
  return 'file' in keys ? { file: absolute(keys.file) } : { secret: secret(keys.secret) };
};

const resolveLogin = (name: string, login: FileLogin, secret: Secret): LoginSettings => ({
  title: login.title ?? name,
  clientId: login['client-id'],
  clientSecret: login['client-secret'] === undefined ? undefined : secret(login['client-secret']),
  scopes: login.scopes,
  algorithms: login.algorithms,
  userinfo: login.userinfo,
  graceMillis: durationMillis(login.grace),
});

const resolveIntrospection = (written: FileIntrospection, secret: Secret): IntrospectionSettings => ({
  url: written.url,
  clientId: written['client-id'],
  clientSecret: secret(written['client-secret']),
  maxAgeMillis: durationMillis(written['max-age']),
});

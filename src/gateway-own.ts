/** The part of the composition that answers by itself: logging in and out, and what the gateway publishes of itself. */
import { hkdfSync } from 'node:crypto';
import { KEYS_PATH } from './authn/assertion/assertion.ts';
import { credential } from './authn/credentials.ts';
import { resourceMetadata } from './authn/metadata.ts';
import { readForm } from './body/form.ts';
import type { Config } from './config/config.ts';
import { hiddenResponse, ownAnswer } from './filter/filter.ts';
import type { Identity } from './gateway-identity.ts';
import type { People } from './gateway-people.ts';
import type { OwnEndpoint } from './model/own.ts';
import type { CanonicalRequest, RawRequest } from './model/request.ts';
import { type DecideOptions, decide } from './pipeline/decide.ts';
import { ownLife } from './pipeline/own.ts';
import type { OwnDoor } from './server/app.ts';
import { loginEndpoints } from './server/login-endpoints.ts';

export interface OwnPlaneOptions
  extends Pick<DecideOptions, 'claims' | 'runs' | 'shares' | 'limit' | 'audit' | 'report'> {
  readonly config: Config;
  readonly identity: Pick<Identity, 'authenticator' | 'people' | 'assertions' | 'metadata'>;
  readonly canonical: (raw: RawRequest) => CanonicalRequest;
}

const LOGIN_FOLDER = '/auth/';

/**
 * Returns which of the gateway's own paths another one is, or lies below (then it ends with a slash); undefined where a policy
 * is asked.
 */
export const ownPathOf = (path: string, { issuers, listen, upstream }: Config): string | undefined => {
  const own = [
    issuers.some(({ login }) => login !== undefined) ? LOGIN_FOLDER : undefined,
    upstream.assertion === undefined ? undefined : KEYS_PATH,
    resourceMetadata({ issuers, url: listen.url })?.endpoint.path,
  ];
  return own.find((one) => one !== undefined && (one.endsWith('/') ? path.startsWith(one) : path === one));
};

/** Returns the door of the gateway's own endpoints. */
export const ownPlane = (options: OwnPlaneOptions): OwnDoor => {
  const { config, identity, canonical, limit } = options;
  const { people, assertions, metadata } = identity;
  const published = [metadata?.endpoint, assertions?.endpoint].filter((one) => one !== undefined);
  const { match, live } = ownLife({
    endpoints: [...(people === undefined ? [] : endpointsFor(people, config, identity)), ...published],
    folders: people === undefined ? [] : [LOGIN_FOLDER],
    canonical,
    limit,
    readForm,
    filtered: ownAnswer,
  });
  return { match, live: decide({ ...options, live, hidden: hiddenResponse }) };
};

const endpointsFor = (
  { logins, secret }: People,
  config: Config,
  { authenticator }: Pick<Identity, 'authenticator'>,
): readonly OwnEndpoint[] =>
  loginEndpoints({
    logins,
    identify: (request) => authenticator.identify(request, credential(request), { required: true }),
    publicUrl: config.listen.url,
    formTargets: formTargets(config),
    key: Buffer.from(hkdfSync('sha256', secret, '', 'jaaz-gateway last-user', 32)),
  });

/** Browsers hold what a form leads to against the page's policy, and a logout leads to the provider. */
const formTargets = ({ issuers }: Config): readonly string[] => {
  const origins = issuers.flatMap(({ issuer, login }) => (login === undefined ? [] : [new URL(issuer).origin]));
  return ['https:', ...origins.filter((origin) => origin.startsWith('http:'))];
};

/**
 * What an OpenID provider says of itself (OpenID Connect Discovery 1.0), and what must be true of it before anybody is
 * sent there.
 */
import type { IssuerSettings, LoginSettings } from '../issuer.ts';
import { type JsonMembers, member, readJsonObject } from '../strict-json.ts';
import { isAskable, ProviderAway, type ProviderFetch } from './fetch.ts';

export interface ProviderMetadata {
  readonly issuer: string;
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly keysUrl: string;
  readonly userinfoEndpoint: string | undefined;
  readonly endSessionEndpoint: string | undefined;
  /** RFC 9207: every answer of the provider names it, so that one that does not is refused. */
  readonly namesItself: boolean;
  /** How the client's secret is shown; undefined for a public client. */
  readonly secretIn: 'header' | 'body' | undefined;
}

export type ProviderIssuer = Pick<IssuerSettings, 'issuer'> & { readonly login: LoginSettings };

const WELL_KNOWN = '/.well-known/openid-configuration';

/** Returns where a provider's metadata is: a slash at the end of the issuer is left out (Discovery 1.0, section 4.1). */
export const metadataUrl = (issuer: string): string => `${issuer.replace(/\/$/, '')}${WELL_KNOWN}`;

const away = (what: string): ProviderAway => new ProviderAway(`its metadata ${what}`);

const endpoint = (metadata: JsonMembers, name: string, secure: boolean): string | undefined => {
  const value = member(metadata, name);
  if (value === undefined) return undefined;
  // A provider behind https sends nobody, and is sent nothing, without it.
  if (!isAskable(value) || (secure && !value.startsWith('https:'))) throw away(`has no acceptable ${name}`);
  return value;
};

const needed = (metadata: JsonMembers, name: string, secure: boolean): string => {
  const value = endpoint(metadata, name, secure);
  if (value === undefined) throw away(`has no ${name}`);
  return value;
};

/** Returns the names of a list; undefined where the provider does not give it. */
const names = (metadata: JsonMembers, name: string): readonly unknown[] | undefined => {
  const value = member(metadata, name);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) throw away(`has no list as ${name}`);
  return value;
};

/** Discovery 1.0, section 3: where it is not said, it is client_secret_basic. */
const secretPlace = (metadata: JsonMembers): 'header' | 'body' => {
  const methods = names(metadata, 'token_endpoint_auth_methods_supported') ?? ['client_secret_basic'];
  if (methods.includes('client_secret_basic')) return 'header';
  if (methods.includes('client_secret_post')) return 'body';
  throw away('takes no client secret');
};

const checkProtection = (metadata: JsonMembers, { clientSecret }: LoginSettings): void => {
  const challenges = names(metadata, 'code_challenge_methods_supported');
  if (clientSecret === undefined && challenges !== undefined && !challenges.includes('S256'))
    throw away('takes no PKCE with S256, which alone would protect a public client');
  const types = names(metadata, 'response_types_supported');
  if (types !== undefined && !types.includes('code')) throw away('knows no response type code');
};

/** Returns what a provider's metadata comes to, or throws ProviderAway. */
export const readMetadata = (metadata: JsonMembers, { issuer, login }: ProviderIssuer): ProviderMetadata => {
  // Discovery 1.0, section 4.3: exactly what was asked for, or one provider could speak for another.
  if (member(metadata, 'issuer') !== issuer) throw away('is of another issuer');
  const secure = issuer.startsWith('https:');
  checkProtection(metadata, login);
  return {
    issuer,
    authorizationEndpoint: needed(metadata, 'authorization_endpoint', secure),
    tokenEndpoint: needed(metadata, 'token_endpoint', secure),
    keysUrl: needed(metadata, 'jwks_uri', secure),
    userinfoEndpoint: login.userinfo
      ? needed(metadata, 'userinfo_endpoint', secure)
      : endpoint(metadata, 'userinfo_endpoint', secure),
    endSessionEndpoint: endpoint(metadata, 'end_session_endpoint', secure),
    namesItself: member(metadata, 'authorization_response_iss_parameter_supported') === true,
    secretIn: login.clientSecret === undefined ? undefined : secretPlace(metadata),
  };
};

/** Asks a provider for its metadata; rejects with ProviderAway. */
export const fetchMetadata = async (settings: ProviderIssuer, ask: ProviderFetch): Promise<ProviderMetadata> => {
  const headers = { accept: 'application/json' };
  const answer = await ask(metadataUrl(settings.issuer), { method: 'GET', headers, body: undefined });
  if (answer.status !== 200) throw new ProviderAway(`answered with ${answer.status} for its metadata`);
  return readMetadata(readJsonObject(new Uint8Array(await answer.arrayBuffer())), settings);
};

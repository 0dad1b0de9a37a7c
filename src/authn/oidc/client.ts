/** One OpenID provider in the words of its protocol: what is asked of it, in openid-client's hands. */
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  buildEndSessionUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  calculatePKCECodeChallenge,
  clockTolerance,
  customFetch,
  fetchUserInfo,
  None,
  refreshTokenGrant,
} from 'openid-client';
import type { IssuerSettings, LoginSettings } from '../issuer.ts';
import type { JsonMembers } from '../strict-json.ts';
import type { ProviderFetch } from './fetch.ts';
import type { ProviderMetadata } from './metadata.ts';

export interface AuthorizationRequest {
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  /** The PKCE verifier; its digest alone is sent. */
  readonly verifier: string;
}

/** The provider's tokens; of the ID token nothing is verified but what says for whom and when it is. */
export interface ProviderTokens {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly idToken: string | undefined;
  /** Of the access token, in seconds, where the provider says it. */
  readonly expiresIn: number | undefined;
}

export interface OidcClient {
  authorizationUrl(request: AuthorizationRequest): Promise<string>;
  /**
   * Exchanges the code of a callback, whose `state` and `iss` it checks first. Rejects with what the library or the fetch
   * throws.
   */
  exchange(callback: ReadonlyMap<string, string>, request: AuthorizationRequest): Promise<ProviderTokens>;
  refresh(refreshToken: string): Promise<ProviderTokens>;
  /** Resolves with the claims of the user whose ID token had this `sub`; rejects where they are another's. */
  userinfo(accessToken: string, subject: string): Promise<JsonMembers>;
  /** Returns where to log out at the provider, undefined where it has no such place. */
  endSessionUrl(idToken: string | undefined, returnTo: string): string | undefined;
}

export interface OidcClientOptions {
  readonly settings: Pick<IssuerSettings, 'clockToleranceSeconds'> & { readonly login: LoginSettings };
  readonly metadata: ProviderMetadata;
  readonly ask: ProviderFetch;
}

/** An address that is longer is not taken by every server: the hint is left out then. */
const MAX_HINT_LENGTH = 4096;

const clientAuthentication = ({ secretIn }: ProviderMetadata, { clientSecret }: LoginSettings): ClientAuth => {
  if (secretIn === undefined || clientSecret === undefined) return None();
  return secretIn === 'header' ? ClientSecretBasic(clientSecret) : ClientSecretPost(clientSecret);
};

const configure = ({ settings, metadata, ask }: OidcClientOptions): Configuration => {
  const { login, clockToleranceSeconds } = settings;
  const server = {
    issuer: metadata.issuer,
    authorization_endpoint: metadata.authorizationEndpoint,
    token_endpoint: metadata.tokenEndpoint,
    jwks_uri: metadata.keysUrl,
    authorization_response_iss_parameter_supported: metadata.namesItself,
    // Whatever the provider says, the algorithms are the operator's choice (RFC 8725 section 3.1).
    id_token_signing_alg_values_supported: [...login.algorithms],
    ...(metadata.userinfoEndpoint !== undefined && { userinfo_endpoint: metadata.userinfoEndpoint }),
    ...(metadata.endSessionEndpoint !== undefined && { end_session_endpoint: metadata.endSessionEndpoint }),
  };
  const client = { [clockTolerance]: clockToleranceSeconds };
  const configuration = new Configuration(server, login.clientId, client, clientAuthentication(metadata, login));
  // The fetch has its own limit, which tells the time that the body takes too.
  configuration.timeout = 0;
  configuration[customFetch] = (url, { method, headers, body }) =>
    ask(url, { method, headers, body: body === null || body === undefined ? undefined : String(body) });
  if (metadata.issuer.startsWith('http:')) allowInsecureRequests(configuration);
  return configuration;
};

interface TokenAnswer {
  readonly access_token: string;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly expires_in?: number;
}

const tokensOf = (answer: TokenAnswer): ProviderTokens => ({
  accessToken: answer.access_token,
  refreshToken: answer.refresh_token,
  idToken: answer.id_token,
  expiresIn: answer.expires_in,
});

/** Returns the client of a provider whose metadata is known. */
export const oidcClient = (options: OidcClientOptions): OidcClient => {
  const { login } = options.settings;
  const configuration = configure(options);
  return {
    async authorizationUrl({ redirectUri, state, nonce, verifier }) {
      const location = buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope: login.scopes.join(' '),
        state,
        nonce,
        code_challenge: await calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return location.href;
    },
    async exchange(callback, { redirectUri, state, nonce, verifier }) {
      const url = new URL(redirectUri);
      for (const [name, value] of callback) url.searchParams.append(name, value);
      const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true };
      return tokensOf(await authorizationCodeGrant(configuration, url, checks));
    },
    async refresh(refreshToken) {
      return tokensOf(await refreshTokenGrant(configuration, refreshToken));
    },
    async userinfo(accessToken, subject) {
      return { ...(await fetchUserInfo(configuration, accessToken, subject)) };
    },
    endSessionUrl(idToken, returnTo) {
      if (options.metadata.endSessionEndpoint === undefined) return undefined;
      const hint = idToken !== undefined && idToken.length <= MAX_HINT_LENGTH ? { id_token_hint: idToken } : {};
      return buildEndSessionUrl(configuration, { ...hint, post_logout_redirect_uri: returnTo }).href;
    },
  };
};

/**
 * One question to an issuer about an opaque token (RFC 7662). What comes back decides whom we believe, so an answer that
 * is not exactly of the expected kind is none.
 */
import {
  allowInsecureRequests,
  ClientSecretBasic,
  Configuration,
  customFetch,
  ResponseBodyError,
  tokenIntrospection,
} from 'openid-client';
import type { IntrospectionSettings } from '../issuer.ts';
import { awayIn, isAskable, providerFetch } from '../oidc/fetch.ts';
import type { JsonMembers } from '../strict-json.ts';

/**
 * Resolves with what the issuer says of a token: an object whose `active` is a boolean. Rejects with an Error where it says
 * nothing, or nothing that is to be relied on; no token and no body is in its message.
 */
export type AskIssuer = (token: string) => Promise<JsonMembers>;

export interface AskIssuerOptions extends Pick<IntrospectionSettings, 'url' | 'clientId' | 'clientSecret'> {
  /** The `iss` of the issuer. */
  readonly issuer: string;
  /** For the whole answer, body included. */
  readonly timeoutMillis?: number;
  readonly maxBytes?: number;
}

const DEFAULT_TIMEOUT_MILLIS = 3000;
const DEFAULT_MAX_BYTES = 65_536;

/** Returns the question to an endpoint, or throws a TypeError when its URL is not acceptable. */
export const askIssuer = (options: AskIssuerOptions): AskIssuer => {
  const { timeoutMillis = DEFAULT_TIMEOUT_MILLIS, maxBytes = DEFAULT_MAX_BYTES, url, clientId, clientSecret } = options;
  // Whoever is on the way of a question in the clear learns the token and the secret.
  if (!isAskable(url)) throw new TypeError('The URL of the introspection is neither https nor http on this host.');
  const server = { issuer: options.issuer, introspection_endpoint: url };
  const configuration = new Configuration(server, clientId, undefined, ClientSecretBasic(clientSecret));
  const ask = providerFetch({ timeoutMillis, maxBytes });
  // The fetch has its own limit, which tells the time that the body takes too.
  configuration.timeout = 0;
  configuration[customFetch] = (place, { method, headers, body }) =>
    ask(place, { method, headers, body: String(body) });
  if (new URL(url).protocol === 'http:') allowInsecureRequests(configuration);
  return async (token) => {
    try {
      return { ...(await tokenIntrospection(configuration, token, { token_type_hint: 'access_token' })) };
    } catch (error) {
      // Without the cause: a library's error may hold the body, and with it the token.
      throw new Error(reasonOf(error));
    }
  };
};

const reasonOf = (error: unknown): string => {
  const away = awayIn(error);
  if (away !== undefined) return away.message;
  if (error instanceof ResponseBodyError) return `answered with ${error.status}`;
  if (!(error instanceof Error)) return 'failed';
  // The innermost message: that of the library around it says less.
  return error.cause instanceof Error ? reasonOf(error.cause) : error.message;
};

/** What went wrong between us and a provider, as a refusal: whose fault it is, in words that hold no code and no token. */
import { AuthorizationResponseError, ClientError, ResponseBodyError } from 'openid-client';
import { Rejection } from '../../model/rejection.ts';
import { quoted, retryAfter } from '../challenge.ts';
import { awayIn } from './fetch.ts';

/** RFC 6749, section 4.1.2.1: errors of the provider, whatever status they came with. */
const ownErrors = new Set(['server_error', 'temporarily_unavailable']);

/** Returns the 503 of a provider that cannot be asked, with the time after which asking again makes sense. */
export const providerUnavailable = (provider: string, detail: string, retryAfterMillis = 0): Rejection =>
  new Rejection('provider-unavailable', `${provider} ${detail}`, { headers: retryAfter(retryAfterMillis) });

const said = (error: string, description: string | undefined): string =>
  description === undefined ? quoted(error) : `${quoted(error)}: ${quoted(description)}`;

/**
 * Returns why a provider cannot be asked at the moment, undefined where the error says something else. An error that says
 * so is no word about the person who is logging in, or about the session.
 */
export const awayBecause = (error: unknown): string | undefined => {
  const away = awayIn(error);
  if (away !== undefined) return away.message;
  // A key that is merely newer than ours, or keys that cannot be read.
  if (error instanceof Rejection && error.status === 503) return error.message;
  if (error instanceof ResponseBodyError && ownErrors.has(error.error))
    return `says ${said(error.error, error.error_description)}`;
  return undefined;
};

/** Returns why a provider's answer was refused, undefined where the error is none of its making. */
export const faultIn = (error: unknown): string | undefined => {
  if (error instanceof ResponseBodyError || error instanceof AuthorizationResponseError)
    return `says ${said(error.error, error.error_description)}`;
  if (error instanceof Rejection) return `gave what is refused: ${error.message}`;
  // Its causes hold the answer, tokens included: their message alone goes on.
  if (error instanceof ClientError) return error.cause instanceof Error ? error.cause.message : error.message;
  return undefined;
};

/** Returns the refusal that an error of a login comes to; an error of our own is returned as it is. */
export const loginFailure = (provider: string, error: unknown): unknown => {
  const away = awayBecause(error);
  if (away !== undefined) return providerUnavailable(provider, away);
  const fault = faultIn(error);
  if (fault === undefined) return error;
  const denied = error instanceof AuthorizationResponseError && error.error === 'access_denied';
  return new Rejection(denied ? 'login-denied' : 'login-failed', `${provider} ${fault}`);
};

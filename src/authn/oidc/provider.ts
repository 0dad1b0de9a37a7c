/** One provider at which people log in: its metadata, its keys and its tokens, over time. */
import { Rejection } from '../../model/rejection.ts';
import type { IssuerSettings, KeyPlace, LoginSettings } from '../issuer.ts';
import { type KeyNotice, type KeySet, type KeySource, type KeyTimes, keySet } from '../keys.ts';
import type { ProvenLogin } from '../session/begin.ts';
import type { RefreshOutcome } from '../session/refresh.ts';
import { type JsonMembers, member } from '../strict-json.ts';
import { type AuthorizationRequest, type OidcClient, oidcClient, type ProviderTokens } from './client.ts';
import { type DiscoveryTimes, discovery } from './discovery.ts';
import { awayBecause, faultIn, loginFailure, providerUnavailable } from './failure.ts';
import { type FetchLimits, ProviderAway, providerFetch } from './fetch.ts';
import { verifyIdToken } from './id-token.ts';
import { fetchMetadata } from './metadata.ts';
import { refreshed, refreshMoment } from './refresh.ts';

/** An issuer whose users can log in. */
export type LoginIssuer = IssuerSettings & { readonly login: LoginSettings };

/** What an operator should hear of a provider. */
export type ProviderNotice =
  | KeyNotice
  | { readonly issuer: string; readonly kind: 'provider-failed' | 'refresh-refused'; readonly detail: string };

export interface ProviderOptions {
  /** Opens the place of a provider's public keys. */
  readonly source: (place: Extract<KeyPlace, { url: string }>) => KeySource;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly limits: FetchLimits;
  readonly discoveryTimes: DiscoveryTimes;
  readonly keyTimes: KeyTimes;
  /** Must not throw. */
  readonly notice: (notice: ProviderNotice) => void;
}

export interface Provider {
  readonly settings: LoginIssuer;
  /** Resolves with where to send the browser. Rejects: provider-unavailable. */
  authorizationUrl(request: AuthorizationRequest): Promise<string>;
  /** Resolves with who has logged in, by the query of the callback. Rejects: login-failed, login-denied, provider-unavailable. */
  prove(callback: ReadonlyMap<string, string>, request: AuthorizationRequest): Promise<Omit<ProvenLogin, 'issuer'>>;
  /** Rejects with ProviderAway when the provider cannot be asked. */
  refresh(refreshToken: string): Promise<RefreshOutcome>;
  /** Resolves with where to log out there too, undefined where there is no such place, or none is known at the moment. */
  endSessionUrl(idToken: string | undefined, returnTo: string): Promise<string | undefined>;
  /** Resolves with its keys. Rejects: provider-unavailable. */
  keys(): Promise<Pick<KeySet, 'find'>>;
  close(): void;
}

const MAX_SESSION_ID_LENGTH = 255;

/** The provider's name of its session, by which a back-channel logout may name it. */
const sessionIdIn = (claims: JsonMembers): string | undefined => {
  const sid = member(claims, 'sid');
  return typeof sid === 'string' && sid !== '' && sid.length <= MAX_SESSION_ID_LENGTH ? sid : undefined;
};

interface Known {
  readonly client: OidcClient;
  readonly keys: KeySet;
}

/** Reads the metadata, and keeps the keys as long as they are where they were. */
const knowledge = (settings: LoginIssuer, options: ProviderOptions) => {
  const { source, now, limits, keyTimes, notice } = options;
  const { name, login } = settings;
  const ask = providerFetch(limits);
  let opened: { readonly url: string; readonly keys: KeySet } | undefined;
  let closed = false;
  const checkOpen = (): void => {
    if (closed) throw new ProviderAway('is not asked any more');
  };
  const keysAt = (url: string): KeySet => {
    if (opened?.url === url) return opened.keys;
    opened?.keys.close();
    const { algorithms } = login;
    opened = { url, keys: keySet({ issuer: name, algorithms, source: source({ url }), times: keyTimes, now, notice }) };
    return opened.keys;
  };
  const found = discovery<Known>({
    async read() {
      checkOpen();
      const metadata = await fetchMetadata(settings, ask);
      checkOpen();
      const client = oidcClient({ settings, metadata, ask });
      return { client, keys: keysAt(metadata.keysUrl) };
    },
    times: options.discoveryTimes,
    now,
    failed: (detail) => notice({ issuer: name, kind: 'provider-failed', detail }),
  });
  const close = (): void => {
    closed = true;
    opened?.keys.close();
  };
  return { ...found, close };
};

/** Returns why a refresh was refused; throws where the provider has refused nothing. */
const refusedFault = (name: string, error: unknown): string => {
  const away = awayBecause(error);
  if (away !== undefined) throw new ProviderAway(`${name} ${away}`);
  const fault = faultIn(error);
  if (fault === undefined) throw error;
  return fault;
};

/** Returns a provider; nothing is asked of it before somebody needs it. */
export const openProvider = (settings: LoginIssuer, options: ProviderOptions): Provider => {
  const { now } = options;
  const { name, login } = settings;
  const known = knowledge(settings, options);

  const ready = async (): Promise<Known> => {
    try {
      return await known.current();
    } catch (error) {
      const away = awayBecause(error);
      throw away === undefined ? error : providerUnavailable(name, away, known.pausedFor());
    }
  };

  /** Claims of the ID token come first: those of the userinfo endpoint bear no signature. */
  const claimsOf = async ({ client, keys }: Known, tokens: ProviderTokens, nonce: string | undefined) => {
    const claims = await verifyIdToken(tokens.idToken ?? '', nonce, { settings, keys, now });
    return login.userinfo ? { ...(await client.userinfo(tokens.accessToken, claims.sub)), ...claims } : claims;
  };

  const prove: Provider['prove'] = async (callback, request) => {
    const current = await ready();
    try {
      const tokens = await current.client.exchange(callback, request);
      const claims = await claimsOf(current, tokens, request.nonce);
      return {
        claims,
        tokens: { refreshToken: tokens.refreshToken, idToken: tokens.idToken },
        providerSessionId: sessionIdIn(claims),
        refreshAtMillis: refreshMoment(tokens, now()),
      };
    } catch (error) {
      throw loginFailure(name, error);
    }
  };

  return {
    settings,
    prove,
    authorizationUrl: async (request) => (await ready()).client.authorizationUrl(request),
    async refresh(refreshToken) {
      const current = await known.current();
      try {
        const tokens = await current.client.refresh(refreshToken);
        return await refreshed(tokens, refreshToken, { claimsOf: () => claimsOf(current, tokens, undefined), now });
      } catch (error) {
        options.notice({ issuer: name, kind: 'refresh-refused', detail: `the provider ${refusedFault(name, error)}` });
        return 'refused';
      }
    },
    async endSessionUrl(idToken, returnTo) {
      const current = await known.current().catch(() => undefined);
      return current?.client.endSessionUrl(idToken, returnTo);
    },
    keys: async () => (await ready()).keys,
    close: known.close,
  };
};

/** Returns the refusal of a name that no provider has. */
export const providerUnknown = (what: string): Rejection => new Rejection('provider-unknown', what);

/** The OpenID providers at which people log in. One that is down, slow or lying is none of the others' affair. */
import type { LoginProvider } from '../../model/login.ts';
import { quoted } from '../challenge.ts';
import type { IssuerSettings } from '../issuer.ts';
import { KEY_TIMES, type KeyTimes } from '../keys.ts';
import type { Refresh } from '../session/refresh.ts';
import type { DiscoveryTimes } from './discovery.ts';
import {
  type LoginIssuer,
  openProvider,
  type Provider,
  type ProviderNotice,
  type ProviderOptions,
  providerUnknown,
} from './provider.ts';

export interface ProvidersOptions extends Pick<ProviderOptions, 'source'> {
  /** Those without `login` are passed over. */
  readonly issuers: readonly IssuerSettings[];
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** For each answer of a provider as a whole. */
  readonly timeoutMillis?: number;
  readonly maxBytes?: number;
  readonly discoveryTimes?: Partial<DiscoveryTimes>;
  readonly keyTimes?: Partial<KeyTimes>;
  readonly notice?: (notice: ProviderNotice) => void;
}

export interface Providers {
  /** In the order of the settings. */
  readonly list: readonly LoginProvider[];
  /** Returns the provider of this alias, or throws a Rejection: provider-unknown. */
  named(alias: string): Provider;
  /** Asks whether a session goes on; rejects when the provider cannot be asked. */
  readonly refresh: Refresh;
  close(): void;
}

const DEFAULT_TIMEOUT_MILLIS = 5000;
const DEFAULT_MAX_BYTES = 262_144;
const defaultDiscoveryTimes: DiscoveryTimes = {
  refreshMillis: 3_600_000,
  staleMillis: 43_200_000,
  pauseMillis: 1000,
  longestPauseMillis: 30_000,
};

const hasLogin = (settings: IssuerSettings): settings is LoginIssuer => settings.login !== undefined;

/** Returns the providers of those issuers that have a login. Nothing is asked of any before somebody needs it. */
export const openProviders = (options: ProvidersOptions): Providers => {
  const { issuers, source, timeoutMillis = DEFAULT_TIMEOUT_MILLIS, maxBytes = DEFAULT_MAX_BYTES } = options;
  const terms: ProviderOptions = {
    source,
    now: options.now ?? Date.now,
    limits: { timeoutMillis, maxBytes },
    discoveryTimes: { ...defaultDiscoveryTimes, ...options.discoveryTimes },
    keyTimes: { ...KEY_TIMES, ...options.keyTimes },
    notice: options.notice ?? (() => undefined),
  };
  const opened = issuers.filter(hasLogin).map((settings) => openProvider(settings, terms));
  const byName = new Map(opened.map((provider) => [provider.settings.name, provider]));
  return {
    list: opened.map(({ settings }) => ({ name: settings.name, title: settings.login.title })),
    named(alias) {
      const provider = byName.get(alias);
      if (provider === undefined) throw providerUnknown(`nobody logs in at ${quoted(alias)}`);
      return provider;
    },
    // A session from before a change of the settings: nobody vouches for it any more.
    refresh: async (issuer, refreshToken) => byName.get(issuer)?.refresh(refreshToken) ?? 'refused',
    close() {
      for (const provider of opened) provider.close();
    },
  };
};

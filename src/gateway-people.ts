/**
 * The part of the composition by which people log in. Loaded only where somebody can: what speaks to providers is as much
 * memory as the rest of what knows callers.
 */
import { logins } from './authn/login/login.ts';
import { openProviders } from './authn/oidc/providers.ts';
import type { Revocations } from './authn/revocation.ts';
import type { Sealer } from './authn/seal.ts';
import { openSessions, type Sessions } from './authn/session/sessions.ts';
import type { Config } from './config/config.ts';
import type { Stores } from './gateway-stores.ts';
import type { Logins } from './model/login.ts';
import { keySource } from './store/keys/source.ts';

export interface PeopleOptions {
  readonly config: Config;
  readonly stores: Pick<Stores, 'sessions'>;
  readonly revocations: Revocations;
  readonly seals: Seals;
  readonly notice: (notice: { readonly kind: string }) => void;
}

export interface Seals {
  readonly sealer: Sealer;
  /** The secret that seals. */
  readonly secret: Buffer;
}

/** Those who log in. */
export interface People {
  readonly logins: Logins;
  readonly sessions: Sessions;
  /** The secret that seals. */
  readonly secret: Buffer;
  close(): void;
}

/** Opens the providers of all issuers that have a login, and the sessions of their users. */
export const openPeople = ({ config, stores, revocations, seals, notice }: PeopleOptions): People => {
  const { issuers } = config;
  const { idleMillis, lifetimeMillis } = config.sessions;
  const providers = openProviders({ issuers, source: keySource, notice });
  const sessions = openSessions({
    ...{ idleMillis, lifetimeMillis },
    store: stores.sessions(),
    sealer: seals.sealer,
    issuers,
    refresh: providers.refresh,
    revocations,
    notice,
  });
  return {
    logins: logins({ providers, sessions, sealer: seals.sealer }),
    sessions,
    secret: seals.secret,
    close() {
      sessions.close();
      providers.close();
    },
  };
};

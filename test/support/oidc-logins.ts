/** Logins against providers of a test, with the sessions they come to in plain sight. */
import { randomBytes } from 'node:crypto';
import type { IssuerSettings } from '../../src/authn/issuer.ts';
import { logins } from '../../src/authn/login/login.ts';
import { openProviders, type Providers, type ProvidersOptions } from '../../src/authn/oidc/providers.ts';
import { type Sealer, sealer } from '../../src/authn/seal.ts';
import type { BegunSession, ProvenLogin } from '../../src/authn/session/begin.ts';
import { openSessions, type Sessions, type SessionsOptions } from '../../src/authn/session/sessions.ts';
import { LOGIN_PATHS, type LoginBegun, type LoginCame, type LoginDone, type Logins } from '../../src/model/login.ts';
import { keySource } from '../../src/store/keys/source.ts';
import { memorySessions } from '../../src/store/memory/sessions.ts';
import { type Browser, newBrowser, walk } from './oidc-client.ts';

/** Where the gateway would be; nothing listens there, because a test reads the callback itself. */
export const ORIGIN = 'http://gateway.localhost:9999';

const LIFETIME_MILLIS = 3_600_000;

type Held = BegunSession & { readonly proven: ProvenLogin };

/** Sessions in this process, and what a login came to of each that goes on. */
export interface HeldSessions extends Sessions {
  /** By the value of the cookie. */
  readonly open: Map<string, Held>;
  /** From now on nothing can be read or written. */
  fail(): void;
}

const heldSessions = (options: Pick<SessionsOptions, 'issuers' | 'sealer' | 'refresh' | 'now'>): HeldSessions => {
  const open = new Map<string, Held>();
  const inner = memorySessions(options.now);
  let failing = false;
  const unlessFailing = <T>(value: T): T => {
    if (failing) throw new Error('the test said so');
    return value;
  };
  const sessions = openSessions({
    ...options,
    store: {
      ...inner,
      insert: async (digest, session) => unlessFailing(inner).insert(digest, session),
      read: async (digest) => unlessFailing(inner).read(digest),
      find: async (of) => unlessFailing(inner).find(of),
    },
    idleMillis: LIFETIME_MILLIS,
    lifetimeMillis: LIFETIME_MILLIS,
    revocations: {
      add: async (terms) => ({ revocation: { ...terms, id: 'r', madeAtMillis: 0 }, ended: 0 }),
      revokes: () => undefined,
    },
  });
  const forgetEnded = async (): Promise<void> => {
    for (const value of open.keys()) if ((await sessions.principalOf(value)) === undefined) open.delete(value);
  };

  return {
    ...sessions,
    open,
    fail() {
      failing = true;
    },
    async begin(proven) {
      const begun = await sessions.begin(proven);
      open.set(begun.value, { ...begun, proven });
      return begun;
    },
    async end(value) {
      const ended = await sessions.end(value);
      await forgetEnded();
      return ended;
    },
    async endAll(of, toldAtMillis) {
      const ended = await sessions.endAll(of, toldAtMillis);
      await forgetEnded();
      return ended;
    },
  };
};

export interface LoginScene {
  readonly logins: Logins;
  readonly providers: Providers;
  readonly sessions: HeldSessions;
  readonly sealer: Sealer;
  /** Details that an operator would hear, oldest first. */
  readonly notices: string[];
  close(): void;
}

export interface SceneOptions extends Partial<Omit<ProvidersOptions, 'issuers'>> {
  readonly secret?: Buffer;
}

/** Returns logins at the providers of these issuers. */
export const loginScene = (issuers: readonly IssuerSettings[], options: SceneOptions = {}): LoginScene => {
  const { secret = randomBytes(32), ...others } = options;
  const notices: string[] = [];
  const providers = openProviders({
    issuers,
    source: keySource,
    notice: ({ kind, detail }) => notices.push(`${kind}: ${detail}`),
    ...others,
  });
  const sealing = sealer([secret]);
  const now = options.now ?? Date.now;
  const sessions = heldSessions({ issuers, sealer: sealing, refresh: providers.refresh, now });
  return {
    logins: logins({ providers, sessions, sealer: sealing, now }),
    providers,
    sessions,
    sealer: sealing,
    notices,
    close() {
      providers.close();
      sessions.close();
    },
  };
};

const isCallback = (url: URL): boolean => url.pathname === LOGIN_PATHS.callback;

export interface Came {
  readonly begun: LoginBegun;
  readonly query: Map<string, string>;
  /** What a door would hand to `finish`. */
  readonly came: LoginCame;
}

export interface ComeOptions {
  readonly provider?: string;
  readonly returnTo?: string;
  readonly origin?: string;
  readonly browser?: Browser;
}

/** Begins a login and walks through the provider's pages until the browser comes back. */
export const comeBack = async (
  at: Pick<Logins, 'begin'>,
  user: string,
  { provider = 'main', returnTo, origin = ORIGIN, browser = newBrowser() }: ComeOptions = {},
): Promise<Came> => {
  const begun = await at.begin({ provider, returnTo, origin });
  const { url } = await walk(begun.location, { user, browser, until: isCallback });
  const query = new Map(url.searchParams);
  return { begun, query, came: { origin, query, note: begun.note, earlier: undefined } };
};

/** Logs in from beginning to end. */
export const logInAt = async (at: Logins, user: string, options: ComeOptions = {}): Promise<LoginDone> =>
  at.finish((await comeBack(at, user, options)).came);

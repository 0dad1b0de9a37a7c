/** Those who logged in with a browser: whose session a cookie opens, until when, and how it ends. */
import { hash, randomBytes } from 'node:crypto';
import type { Principal } from '../model/principal.ts';
import { Rejection } from '../model/rejection.ts';
import type { Session, SessionTokens } from '../model/session.ts';
import { personReader, principalOf } from './claims.ts';
import type { IssuerSettings } from './issuer.ts';
import type { Revocations } from './revocation.ts';
import type { Sealer } from './seal.ts';
import { sessionAsk } from './session-ask.ts';
import { type NearSessions, nearSessions } from './session-near.ts';
import { type SessionNotice, type SessionOpen, type SessionTerms, sessionOpen } from './session-open.ts';
import { type Refresh, sessionRefresh } from './session-refresh.ts';
import type { KeptSession, SessionStore, SessionsOf } from './session-store.ts';
import { type TokenSealer, tokenSealer } from './session-tokens.ts';
import type { JsonMembers } from './strict-json.ts';

/** What a login at a provider came to, verified. */
export interface ProvenLogin {
  /** The alias of the issuer. */
  readonly issuer: string;
  /** Verified claims of the user: those of the ID token, and of the userinfo endpoint where it is asked. */
  readonly claims: JsonMembers;
  readonly tokens: SessionTokens;
  readonly providerSessionId: string | undefined;
  /**
   * Unix time in milliseconds from which the provider has to be asked again; undefined: never. Without a refresh token it
   * cannot be asked, and the session ends then.
   */
  readonly refreshAtMillis: number | undefined;
}

export interface BegunSession {
  /** The value of its cookie, which is told once. */
  readonly value: string;
  readonly session: Session;
  readonly principal: Principal;
}

export interface EndedSession {
  readonly session: Session;
  readonly principal: Principal;
  readonly tokens: SessionTokens;
}

export interface Sessions {
  /** Returns whose session a cookie's value opens, undefined where it opens none. Rejects: sessions-unavailable, provider-unavailable. */
  principalOf(value: string): Principal | undefined | Promise<Principal | undefined>;
  /**
   * Returns the principal as it is by now; undefined when its session is over. Is no use of the session. Rejects as
   * `principalOf` does.
   */
  prolong(principal: Principal): Principal | undefined | Promise<Principal | undefined>;
  /** Rejects: token-claims, tenant-refused, sessions-unavailable. */
  begin(login: ProvenLogin): Promise<BegunSession>;
  /** Ends the session that a cookie's value opens, here and on every replica. Rejects: sessions-unavailable, revocations-unavailable. */
  end(value: string): Promise<EndedSession | undefined>;
  /** Ends all of them, and resolves with their number. Rejects as `end` does. */
  endAll(of: SessionsOf): Promise<number>;
  /** Writes down what was not, and asks nobody any more. */
  close(): void;
}

export interface SessionsOptions {
  readonly store: SessionStore;
  readonly sealer: Sealer;
  /** All issuers there are; sessions are of those that have a login. */
  readonly issuers: readonly IssuerSettings[];
  /** Unused for so long, a session ends. */
  readonly idleMillis: number;
  /** However much it is used, it ends after this time. */
  readonly lifetimeMillis: number;
  readonly refresh: Refresh;
  readonly revocations: Pick<Revocations, 'add'>;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  readonly notice?: (notice: SessionNotice) => void;
  /** How long what was read is believed. Default 5,000 milliseconds. */
  readonly nearMillis?: number;
  /** How many sessions are remembered at most. Default 10,000. */
  readonly nearEntries?: number;
  /** How long a request waits for the provider. Default 10,000 milliseconds. */
  readonly waitMillis?: number;
}

/** 256 random bits, base64url: what else a browser may send opens nothing. */
const VALUE_BYTES = 32;
const VALUE = /^[A-Za-z0-9_-]{43}$/;

const ID_BYTES = 12;

/** A use is written down this often at most, or in a tenth of the idle time where that is shorter. */
const MAX_TOUCH_MILLIS = 60_000;

const PURGE_MILLIS = 600_000;

const checkTimes = (times: Readonly<Record<string, number>>): void => {
  for (const [name, millis] of Object.entries(times))
    if (!(millis > 0 && millis < Number.MAX_SAFE_INTEGER)) throw new TypeError(`${name} must be positive and finite.`);
};

/** Returns the sessions in a store, or throws a TypeError when the times are not usable. */
export const openSessions = (options: SessionsOptions): Sessions => {
  const { store, idleMillis, lifetimeMillis, nearMillis = 5000, nearEntries = 10_000 } = options;
  const { now = Date.now, notice = () => undefined, waitMillis } = options;
  checkTimes({ idleMillis, lifetimeMillis, nearMillis, nearEntries });
  const touchMillis = Math.min(MAX_TOUCH_MILLIS, idleMillis / 10);
  const logins = loginsOf(options.issuers);
  const near = nearSessions({
    times: { idleMillis, nearMillis, touchMillis },
    maxEntries: nearEntries,
    touch: store.touch,
    now,
  });
  const tokens = tokenSealer(options.sealer);
  const personIn = (issuer: string, claims: JsonMembers) => loginOf(logins, issuer).personIn(claims);
  const refresh = sessionRefresh({ store, tokens, refresh: options.refresh, personIn, now });
  const asking = sessionAsk({ store, refresh, now, waitMillis });
  const endKept = ender({ ...options, notice, spoil: (digest) => opening.spoil(digest) });
  const opening: SessionOpen = sessionOpen({
    ...{ store, near, asking, now, notice },
    terms: (issuer) => logins.get(issuer),
    async end(digest, session, why) {
      notice({ kind: 'session-ended', detail: `${session.id}: ${why}` });
      // Where this fails, the next who shows it has the provider asked again.
      await endKept({ digest, session }, why).catch(() => undefined);
    },
  });
  const purge = (): void => void store.purge(now() - idleMillis - touchMillis).catch(untilNextTime);
  const purging = setInterval(purge, PURGE_MILLIS).unref();
  purge();

  return {
    ...opener(near, opening),
    ...ending({ store, tokens, endKept }),
    begin: beginner({ store, near, tokens, personIn, lifetimeMillis, now }),
    close() {
      clearInterval(purging);
      asking.close();
      near.flush();
      store.close();
    },
  };
};

/** What is over opens nothing, whether or not it is there. */
const untilNextTime = (): void => undefined;

interface Login extends SessionTerms {
  readonly personIn: ReturnType<typeof personReader>;
}

const loginsOf = (issuers: readonly IssuerSettings[]): ReadonlyMap<string, Login> =>
  new Map(
    issuers.flatMap((settings) => {
      const { name, login, tenants } = settings;
      if (login === undefined) return [];
      // Asked at each reading: tenants that are taken from the configuration are out with its next start.
      const accepts = ({ tenant }: Session): boolean =>
        tenants === undefined || (tenant !== undefined && tenants.has(tenant));
      return [[name, { accepts, graceMillis: login.graceMillis, personIn: personReader(settings) }] as const];
    }),
  );

const loginOf = (logins: ReadonlyMap<string, Login>, issuer: string): Login => {
  const login = logins.get(issuer);
  if (login === undefined) throw new TypeError(`The issuer "${issuer}" has no login.`);
  return login;
};

const digestOf = (value: string): string => hash('sha256', value, 'base64url');

const opener = (near: NearSessions, opening: SessionOpen): Pick<Sessions, 'principalOf' | 'prolong'> => {
  const openForUse = async (digest: string): Promise<Principal | undefined> => {
    const principal = await opening.open(digest);
    return principal && (near.use(digest) ?? principal);
  };

  return {
    principalOf(value) {
      if (!VALUE.test(value)) return undefined;
      const digest = digestOf(value);
      return near.recallForUse(digest) ?? openForUse(digest);
    },
    prolong(principal) {
      const digest = near.digestOf(principal);
      return digest === undefined ? undefined : (near.recall(digest) ?? opening.open(digest));
    },
  };
};

interface Beginning {
  readonly store: SessionStore;
  readonly near: NearSessions;
  readonly tokens: TokenSealer;
  readonly personIn: (issuer: string, claims: JsonMembers) => ReturnType<Login['personIn']>;
  readonly lifetimeMillis: number;
  readonly now: () => number;
}

const beginner =
  ({ store, near, tokens, personIn, lifetimeMillis, now }: Beginning): Sessions['begin'] =>
  async (login) => {
    const { issuer, providerSessionId, refreshAtMillis } = login;
    const person = personIn(issuer, login.claims);
    // Never one that was brought: a value that somebody planted would be known to him (session fixation).
    const value = randomBytes(VALUE_BYTES).toString('base64url');
    const [id, startedAtMillis] = [randomBytes(ID_BYTES).toString('hex'), now()];
    const session: Session = {
      ...{ id, issuer, ...person, providerSessionId, startedAtMillis, refreshAtMillis },
      endsAtMillis: startedAtMillis + lifetimeMillis,
      usedAtMillis: startedAtMillis,
      sealedTokens: tokens.seal(id, login.tokens),
      version: 0,
    };
    await available(async () => store.insert(digestOf(value), session));
    return { value, session, principal: near.remember(digestOf(value), session) };
  };

const available = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (cause) {
    throw new Rejection('sessions-unavailable', `sessions: ${String(cause)}`, { cause, headers: ['Retry-After', '1'] });
  }
};

type EndKept = (kept: KeptSession, note: string) => Promise<void>;

interface Ender {
  readonly store: SessionStore;
  readonly revocations: Pick<Revocations, 'add'>;
  readonly notice: (notice: SessionNotice) => void;
  readonly spoil: (digest: string) => void;
}

/**
 * The revocation first, because it alone ends what is open and what other replicas remember; with it the session is over
 * even where the row stays.
 */
const ender =
  ({ store, revocations, notice, spoil }: Ender): EndKept =>
  async ({ digest, session: { id, endsAtMillis } }, note) => {
    await revocations.add({ by: 'session', sessionId: id, untilMillis: endsAtMillis, note });
    spoil(digest);
    try {
      await store.remove(digest);
    } catch (error) {
      notice({ kind: 'session-not-removed', detail: `${id}: ${String(error)}` });
    }
    // What read the row before it went.
    spoil(digest);
  };

interface Ending {
  readonly store: SessionStore;
  readonly tokens: TokenSealer;
  readonly endKept: EndKept;
}

const ending = ({ store, tokens, endKept }: Ending): Pick<Sessions, 'end' | 'endAll'> => ({
  async end(value) {
    if (!VALUE.test(value)) return undefined;
    const digest = digestOf(value);
    const session = await available(async () => await store.read(digest));
    if (session === undefined) return undefined;
    await endKept({ digest, session }, 'logged out');
    const { id: sessionId, startedAtMillis: issuedAtMillis, endsAtMillis: expiresAtMillis } = session;
    return {
      session,
      principal: principalOf(session.issuer, session, { sessionId, issuedAtMillis, expiresAtMillis }),
      tokens: tokens.open(session) ?? { refreshToken: undefined, idToken: undefined },
    };
  },
  async endAll(of) {
    const kept = await available(async () => await store.find(of));
    await Promise.all(kept.map((one) => endKept(one, 'logged out by the provider')));
    return kept.length;
  },
});

/** Those who logged in with a browser: whose session a cookie opens, until when, and how it ends. */
import type { Principal } from '../../model/principal.ts';
import type { Session, SessionTokens } from '../../model/session.ts';
import { personReader, principalOf } from '../claims.ts';
import type { IssuerSettings } from '../issuer.ts';
import type { Revocations } from '../revocation.ts';
import type { Sealer } from '../seal.ts';
import type { JsonMembers } from '../strict-json.ts';
import { sessionAsk } from './ask.ts';
import { available, type BegunSession, beginner, digestOf, type EndKept, type ProvenLogin } from './begin.ts';
import { type NearSessions, nearSessions } from './near.ts';
import { type SessionNotice, type SessionOpen, type SessionTerms, sessionOpen } from './open.ts';
import { type Refresh, sessionRefresh } from './refresh.ts';
import type { SessionStore, SessionsOf } from './store.ts';
import { type TokenSealer, tokenSealer } from './tokens.ts';

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
  /** Rejects: token-claims, tenant-refused, login-failed, sessions-unavailable, revocations-unavailable. */
  begin(login: ProvenLogin): Promise<BegunSession>;
  /** Ends the session that a cookie's value opens, here and on every replica. Rejects: sessions-unavailable, revocations-unavailable. */
  end(value: string): Promise<EndedSession | undefined>;
  /**
   * Ends all of them, and resolves with their number. `toldAtMillis` is when the provider said so, by its own clock: a login
   * that is being completed and of which it spoke before comes to nothing. Rejects as `end` does.
   */
  endAll(of: SessionsOf, toldAtMillis: number): Promise<number>;
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
  readonly revocations: Pick<Revocations, 'add' | 'revokes'>;
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

/** Of 256 bits, base64url: what else a browser may send opens nothing. */
const VALUE = /^[A-Za-z0-9_-]{43}$/;

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
    ...ending({ store, near, tokens, endKept, now }),
    begin: beginner({ store, near, tokens, personIn, lifetimeMillis, now, endKept, revocations: options.revocations }),
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
  async ({ digest, session: { id, endsAtMillis } }, note, untilMillis = endsAtMillis) => {
    await revocations.add({ by: 'session', sessionId: id, untilMillis, note });
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
  readonly near: NearSessions;
  readonly tokens: TokenSealer;
  readonly endKept: EndKept;
  readonly now: () => number;
}

/** A login that the provider has spoken of is completed, or given up, within this time. */
const LOGIN_MILLIS = 600_000;

const ending = ({ store, near, tokens, endKept, now }: Ending): Pick<Sessions, 'end' | 'endAll'> => ({
  async end(value) {
    if (!VALUE.test(value)) return undefined;
    const digest = digestOf(value);
    // A store that has forgotten it does not end it: what is open, and what others remember, lives on.
    const session = (await available(async () => await store.read(digest))) ?? near.find(digest)?.session;
    if (session === undefined) return undefined;
    await endKept({ digest, session }, 'logged out');
    const { id: sessionId, startedAtMillis: issuedAtMillis, endsAtMillis: expiresAtMillis } = session;
    return {
      session,
      principal: principalOf(session.issuer, session, { sessionId, issuedAtMillis, expiresAtMillis }),
      tokens: tokens.open(session) ?? { refreshToken: undefined, idToken: undefined },
    };
  },
  async endAll(of, toldAtMillis) {
    const kept = await available(async () => {
      // Before they are looked for: who begins one meanwhile is either found here, or finds this.
      await store.noteLogout(of, toldAtMillis, now() + LOGIN_MILLIS);
      return await store.find(of);
    });
    await Promise.all(kept.map((one) => endKept(one, 'logged out by the provider')));
    return kept.length;
  },
});
